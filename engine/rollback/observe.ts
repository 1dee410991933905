/** Step 0: look at the branch. Everything after it works on this one tip. */
import { BacktrailError, type Config, type ObjectId, type RepositoryReader } from '../model/index.ts';
import { parseConfig } from '../layout/configuration/parse.ts';
import { CONFIG_PATH } from '../model/config.ts';
import { compileLayout, type Layout } from '../layout/layout.ts';
import { makeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';
import { treeView } from '../snapshot/view.ts';

/** A configuration that stands outside the repository. */
export interface ConfigText {
  /** How messages name it. */
  readonly name: string;
  readonly text: string;
}

/** Reads a tip and the configuration at it (never at a target). CONFIG_MISSING, CONFIG_INVALID, BRANCH_UNKNOWN. */
export type Observe = () => Promise<Snapshot>;

export function createObserve(git: RepositoryReader, outside: ConfigText | null): Observe {
  const look = outside ? lookWith(git, outside) : lookInside(git);
  const { objects: reader, history, hasher } = git;
  return async () => {
    const seen = await look();
    requireLedgerApart(seen.layout.config, seen.branch);
    return makeSnapshot({ ...seen, reader, history, hasher });
  };
}

/** Events must not become commits of the branch, nor need a ref above or below it. CONFIG_INVALID. */
export function requireLedgerApart({ ledger: { ref } }: Config, branch: string): void {
  const own = `refs/heads/${branch}`;
  if (ref !== own && !ref.startsWith(`${own}/`) && !own.startsWith(`${ref}/`)) return;
  const message = `ledger.ref: ${ref} cannot stand beside the branch ${branch}.`;
  throw new BacktrailError('CONFIG_INVALID', message, { hint: 'Give the ledger a name of its own.' });
}

/**
 * The branch that is meant, as far as this repository alone can say: the one that the configuration names, outside or at HEAD,
 * else HEAD's. Null where nothing names one; looking at it says what is missing then.
 */
export async function branchMeant(git: RepositoryReader, outside: ConfigText | null): Promise<string | null> {
  const head = await git.head();
  if (outside) return parseConfig(outside.text, outside.name).branch ?? head.branch;
  const named = async () => {
    const commit = head.commit ?? (await git.tip(head.branch));
    return (await createReader(git)(commit, 'HEAD')).config.branch;
  };
  // The configuration may stand upstream only, or be mended there.
  return (await named().catch(() => null)) ?? head.branch;
}

type Look = () => Promise<Pick<Snapshot, 'branch' | 'base' | 'layout'>>;

function lookWith(git: RepositoryReader, { text, name }: ConfigText): Look {
  let layout: Layout | undefined;
  return async () => {
    layout ??= compileLayout(parseConfig(text, name));
    const branch = layout.config.branch ?? (await git.defaultBranch());
    return { branch, base: await git.tip(branch), layout };
  };
}

/** The configuration at HEAD names the branch; where that is another one, its own configuration counts. */
function lookInside(git: RepositoryReader): Look {
  const read = createReader(git);
  const at = async (branch: string) => {
    const base = await git.tip(branch);
    return { branch, base, layout: await read(base, `Branch ${branch}`) };
  };
  return async () => {
    const head = await git.head();
    if (head.branch === null) return at(await branchAt(head.commit, read));
    const first = await at(head.branch);
    const { branch } = first.layout.config;
    return branch === null || branch === first.branch ? first : at(branch);
  };
}

/** Automation checks a commit out, not a branch: HEAD is detached then, and only the configuration can name the branch. */
async function branchAt(commit: ObjectId, read: Read): Promise<string> {
  const { config } = await read(commit, `HEAD is detached at ${commit.slice(0, 10)}, which`);
  if (config.branch !== null) return config.branch;
  throw new BacktrailError('BRANCH_UNKNOWN', `HEAD is detached, and ${CONFIG_PATH} there names no branch.`, {
    hint: `Check a branch out, or name one: \`branch\` in ${CONFIG_PATH}.`,
  });
}

/** `place` begins the sentence that says what holds no configuration. */
type Read = (commit: ObjectId, place: string) => Promise<Layout>;

/** The last configuration is remembered by its object id: it hardly ever changes between two looks. */
function createReader(git: RepositoryReader): Read {
  let last: { readonly id: ObjectId; readonly layout: Layout } | null = null;
  return async (commit, place) => {
    const { tree } = await git.objects.commit(commit);
    const view = treeView(git.objects, tree);
    const entry = await view.entry(CONFIG_PATH);
    if (entry && last?.id === entry.id) return last.layout;
    const bytes = await view.read(CONFIG_PATH);
    if (!entry || !bytes) throw new BacktrailError('CONFIG_MISSING', `${place} holds no ${CONFIG_PATH}.`);
    const layout = compileLayout(parseConfig(textOf(bytes), CONFIG_PATH));
    last = { id: entry.id, layout };
    return layout;
  };
}

/** The configuration that the branch itself has at a commit, whatever one from outside says; null where it has none. */
export async function readOwnConfig(git: RepositoryReader, commit: ObjectId): Promise<Config | null> {
  const { tree } = await git.objects.commit(commit);
  const bytes = await treeView(git.objects, tree).read(CONFIG_PATH);
  return bytes && parseConfig(textOf(bytes), CONFIG_PATH);
}

function textOf(bytes: Uint8Array): string {
  const text = decode(bytes);
  if (text !== null) return text;
  throw new BacktrailError('CONFIG_INVALID', `${CONFIG_PATH}:1:1: The file is not UTF-8 text.`);
}
