/** Step 0: read the tip of the branch. All later steps use this tip. */
import { BacktrailError, type Config, type ObjectId, type RepositoryReader } from '../model/index.ts';
import { parseConfig } from '../layout/configuration/parse.ts';
import { CONFIG_PATH } from '../model/config.ts';
import { compileLayout, type Layout } from '../layout/layout.ts';
import { makeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import { decode } from '../yaml/core/text.ts';
import { treeView } from '../snapshot/view.ts';

/** A configuration outside the repository (`--config`). */
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

/** The refs of the ledger and of the deployments must not be the branch, nor each other, nor above or below. @throws CONFIG_INVALID */
export function requireLedgerApart({ ledger, deployments }: Config, branch: string): void {
  const own = `refs/heads/${branch}`;
  if (conflicts(ledger.ref, own)) throw refConflict(`ledger.ref: ${ledger.ref}`, `the branch ${branch}`);
  if (conflicts(deployments.ref, own))
    throw refConflict(`deployments.ref: ${deployments.ref}`, `the branch ${branch}`);
  if (conflicts(deployments.ref, ledger.ref))
    throw refConflict(`deployments.ref: ${deployments.ref}`, `the ledger ${ledger.ref}`);
}

const conflicts = (one: string, other: string) =>
  one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);

function refConflict(what: string, other: string): BacktrailError {
  const name = what.startsWith('ledger') ? 'the ledger' : 'the deployments';
  return new BacktrailError('CONFIG_INVALID', `${what} conflicts with ${other}.`, {
    hint: `Give ${name} a name of ${name === 'the ledger' ? 'its' : 'their'} own.`,
  });
}

/**
 * The branch to roll back, from this repository alone: the one that the configuration names, outside or at HEAD, else HEAD's.
 * Null if neither names one; observing then reports what is missing.
 */
export async function branchMeant(git: RepositoryReader, outside: ConfigText | null): Promise<string | null> {
  const head = await git.head();
  if (outside) return parseConfig(outside.text, outside.name).branch ?? head.branch;
  const named = async () => {
    const commit = head.commit ?? (await git.tip(head.branch));
    return (await createReader(git)(commit, 'HEAD')).config.branch;
  };
  // The configuration may exist upstream only, or be fixed there.
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

/** The configuration at HEAD names the branch; if that is another branch, that branch's configuration applies. */
function lookInside(git: RepositoryReader): Look {
  const read = createReader(git);
  const observeBranch = async (branch: string) => {
    const base = await git.tip(branch);
    return { branch, base, layout: await read(base, `Branch ${branch}`) };
  };
  return async () => {
    const head = await git.head();
    if (head.branch === null) return observeBranch(await branchAt(head.commit, read));
    const first = await observeBranch(head.branch);
    const { branch } = first.layout.config;
    return branch === null || branch === first.branch ? first : observeBranch(branch);
  };
}

/** CI checks out a commit, not a branch: HEAD is detached, and only the configuration can name the branch. */
async function branchAt(commit: ObjectId, read: Read): Promise<string> {
  const { config } = await read(commit, `HEAD is detached at ${commit.slice(0, 10)}, which`);
  if (config.branch !== null) return config.branch;
  throw new BacktrailError('BRANCH_UNKNOWN', `HEAD is detached, and its ${CONFIG_PATH} names no branch.`, {
    hint: `Check a branch out, or name one: \`branch\` in ${CONFIG_PATH}.`,
  });
}

/** `subject` starts the message when there is no configuration. */
type Read = (commit: ObjectId, subject: string) => Promise<Layout>;

/** Caches the last configuration by its object id: it rarely changes between two reads. */
function createReader(git: RepositoryReader): Read {
  let last: { readonly id: ObjectId; readonly layout: Layout } | null = null;
  return async (commit, subject) => {
    const { tree } = await git.objects.commit(commit);
    const view = treeView(git.objects, tree);
    const entry = await view.entry(CONFIG_PATH);
    if (entry && last?.id === entry.id) return last.layout;
    const bytes = await view.read(CONFIG_PATH);
    if (!entry || !bytes) throw new BacktrailError('CONFIG_MISSING', `${subject} has no ${CONFIG_PATH}.`);
    const layout = compileLayout(parseConfig(textOf(bytes), CONFIG_PATH));
    last = { id: entry.id, layout };
    return layout;
  };
}

/** By the configuration at an older commit; that of `now` itself where it is the same. @throws CONFIG_MISSING, CONFIG_INVALID */
export async function layoutAt(
  git: RepositoryReader,
  commit: ObjectId,
  now: Pick<Snapshot, 'base' | 'layout'>,
): Promise<Layout> {
  const entryAt = async (at: ObjectId) =>
    treeView(git.objects, (await git.objects.commit(at)).tree).entry(CONFIG_PATH);
  const [there, here] = await Promise.all([entryAt(commit), entryAt(now.base)]);
  if (there !== null && there.id === here?.id) return now.layout;
  return createReader(git)(commit, `Commit ${commit.slice(0, 10)}`);
}

/** The configuration committed at a commit, ignoring one from outside; null if there is none. */
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
