/** `guard`: which commits are compared, by which configuration. The comparison itself is engine/holds/guard.ts. */
import { type Guarded, guardLine } from '../holds/guard.ts';
import { isOver } from '../holds/list.ts';
import { readAllHolds } from '../holds/read.ts';
import { parseConfig } from '../layout/configuration/parse.ts';
import { compileLayout, type Layout } from '../layout/layout.ts';
import { CONFIG_PATH } from '../model/config.ts';
import {
  BacktrailError,
  isFailure,
  isObjectId,
  type ObjectId,
  type RepositoryReader,
} from '../model/index.ts';
import { treeView } from '../snapshot/view.ts';
import { decode } from '../yaml/core/text.ts';

export interface GuardAsk {
  readonly base?: string;
  readonly head?: string;
}

export async function guard(git: RepositoryReader, ask: GuardAsk, now: number): Promise<Guarded> {
  const head = await commitOf(git, ask.head ?? 'HEAD');
  const base = ask.base === undefined ? null : await commitOf(git, ask.base);
  const own = base === null ? null : await layoutAt(git, base);
  const layout = own ?? (await layoutAt(git, head));
  if (layout === null)
    throw new BacktrailError('CONFIG_MISSING', `${head.slice(0, 10)} has no ${CONFIG_PATH}.`);
  const from = base ?? (await beforeHolds(git, layout, head, now));
  return compare(git, { layout, base: from, head, now });
}

/** @throws REVISION_UNKNOWN */
async function commitOf(git: RepositoryReader, name: string): Promise<ObjectId> {
  const found = await (git.resolve?.(name) ?? commitNamed(git, name));
  if (found !== null) return found;
  throw new BacktrailError('REVISION_UNKNOWN', `There is no commit ${JSON.stringify(name.slice(0, 100))}.`, {
    hint: 'Name a commit, a branch or a tag of this repository; in CI, fetch enough of its history.',
  });
}

async function commitNamed(git: RepositoryReader, name: string): Promise<ObjectId | null> {
  if (name === 'HEAD') {
    const { branch, commit } = await git.head();
    return commit ?? git.tip(branch);
  }
  const { branch, tag } = await git.history.named(name);
  return branch ?? tag ?? (/^[0-9a-f]{4,64}$/i.test(name) ? git.history.findCommit(name) : null);
}

/** null where the commit has no configuration. */
async function layoutAt(git: RepositoryReader, commit: ObjectId): Promise<Layout | null> {
  const { tree } = await git.objects.commit(commit);
  const bytes = await treeView(git.objects, tree).read(CONFIG_PATH);
  return bytes && compileLayout(parseConfig(decode(bytes) ?? '', CONFIG_PATH));
}

/** The commit before the first hold of those in force; the head itself where there is none. */
async function beforeHolds(
  git: RepositoryReader,
  layout: Layout,
  head: ObjectId,
  now: number,
): Promise<ObjectId> {
  const { tree } = await git.objects.commit(head);
  const view = treeView(git.objects, tree);
  const { holds } = await readAllHolds({ view, layout, reader: git.objects });
  const line = await git.history.firstParents(head);
  let last = 0;
  for (const { hold } of holds.filter((one) => !isOver(one.hold, now))) {
    const placed = (await git.history.log({ tip: head, path: hold.path })).at(-1)?.id;
    last = Math.max(last, placed === undefined ? 0 : line.indexOf(placed) + 1);
  }
  return line[Math.min(last, line.length - 1)] ?? head;
}

interface Compared {
  readonly layout: Layout;
  readonly base: ObjectId;
  readonly head: ObjectId;
  readonly now: number;
}

async function compare(git: RepositoryReader, compared: Compared): Promise<Guarded> {
  const { base, head } = compared;
  const line = await git.history.firstParents(head);
  const known = line.indexOf(base);
  const commits = known >= 0 ? line.slice(0, known) : await notIn(git, line, base);
  const inspected = commits.length === 0 ? [] : await git.inspect(commits.toReversed());
  return guardLine({ ...compared, reader: git.objects, commits: inspected });
}

/** The newest commits of a line that another one does not have: those of a pull request. */
async function notIn(
  git: RepositoryReader,
  line: readonly ObjectId[],
  base: ObjectId,
): Promise<readonly ObjectId[]> {
  let [low, high] = [0, line.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const commit = line[middle];
    if (commit !== undefined && (await git.isAncestor(commit, base))) high = middle;
    else low = middle + 1;
  }
  return line.slice(0, low);
}

const LINE = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (refs\/\S.*)$/;
const isZero = (id: string) => /^0+$/.test(id);

export async function guardPush(git: RepositoryReader, lines: string, now: number): Promise<Guarded> {
  const all: Guarded[] = [];
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const [, old = '', next = '', ref = ''] = LINE.exec(line) ?? [];
    if (!isObjectId(old) || !isObjectId(next))
      throw new BacktrailError('INVALID_REQUEST', 'A pre-receive hook reads lines of OLD NEW REF.', {
        hint: 'Run it as the hook pre-receive, or by it with its standard input.',
      });
    // What comes new holds nothing, and what goes is no change of a field.
    if (!ref.startsWith('refs/heads/') || isZero(old) || isZero(next)) continue;
    const layout = await layoutOfPush(git, old, next);
    if (layout === null) continue;
    const branch = layout.config.branch ?? (await git.head()).branch;
    if (ref === `refs/heads/${branch}`) all.push(await compare(git, { layout, base: old, head: next, now }));
  }
  return {
    violations: all.flatMap(({ violations }) => violations),
    findings: all.flatMap(({ findings }) => findings),
  };
}

/** Of the old value. One that cannot be read must not keep out what mends it: that of the new value then. */
async function layoutOfPush(git: RepositoryReader, old: ObjectId, next: ObjectId): Promise<Layout | null> {
  try {
    return await layoutAt(git, old);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'CONFIG_INVALID') throw error;
    return layoutAt(git, next);
  }
}
