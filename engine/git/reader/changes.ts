import { BacktrailError, decodePath, encodePath, MODE } from '../../model/index.ts';
import type { Entry, ObjectId, PathChange } from '../../model/index.ts';
import { treeEntries } from '../store/objects.ts';
import { needsGit } from './files.ts';

/** The bytes of the name as latin1, so that comparing strings compares bytes. */
interface RawEntry extends Entry {
  readonly name: string;
}

export type ReadTree = (id: ObjectId) => Promise<Buffer>;

/** Steps of one comparison; trees within trees can hold more paths than there are atoms. */
const STEP_LIMIT = 1_000_000;
const DEPTH_LIMIT = 2048;

/** What a path holds in a tree; null where it is not there. '' is the tree itself. */
export async function entryAt(readTree: ReadTree, tree: ObjectId, path: string): Promise<Entry | null> {
  let entry: Entry = { mode: MODE.tree, id: tree };
  if (path === '') return entry;
  for (const name of latin1(path).split('/')) {
    if (entry.mode !== MODE.tree) return null;
    const found = parseRaw(await readTree(entry.id)).find((other) => other.name === name);
    if (found === undefined) return null;
    entry = found;
  }
  return entry;
}

/** Every path that differs below `path`, given its entry before and after, in the order of `git diff-tree -r`. */
export async function compareEntries(
  readTree: ReadTree,
  path: string,
  [before, after]: readonly [Entry | null, Entry | null],
): Promise<PathChange[]> {
  const changes: PathChange[] = [];
  let steps = 0;
  const walk = async (sides: readonly [Entry | null, Entry | null], prefix: string, depth: number) => {
    if (depth > DEPTH_LIMIT) throw new BacktrailError('GIT_FAILED', 'Folders are nested too deeply.');
    const [left, right] = await Promise.all(
      sides.map(async (side) => (side === null ? [] : parseRaw(await readTree(side.id)))),
    );
    await merge(left ?? [], right ?? [], { prefix, depth });
  };
  const merge = async (
    left: readonly RawEntry[],
    right: readonly RawEntry[],
    { prefix, depth }: { prefix: string; depth: number },
  ) => {
    for (const [before, after] of pairs(left, right)) {
      const name = before?.name ?? after?.name ?? '';
      if (before?.id === after?.id && before?.mode === after?.mode) continue;
      steps += 1;
      if (steps > STEP_LIMIT) throw needsGit('The history is too large to be read without git.');
      const path = `${prefix}${name}`;
      if ((before ?? after)?.mode === MODE.tree) await walk([before, after], path && `${path}/`, depth + 1);
      else changes.push(change(path, before, after));
    }
  };
  const named = (entry: Entry | null) => (entry === null ? [] : [{ ...entry, name: latin1(path) }]);
  await merge(named(before), named(after), { prefix: '', depth: 0 });
  return changes;
}

/** Merges two sorted lists. A file and a folder of the same name are two entries. */
function* pairs(
  left: readonly RawEntry[],
  right: readonly RawEntry[],
): Generator<readonly [RawEntry | null, RawEntry | null]> {
  const key = ({ name, mode }: RawEntry) => (mode === MODE.tree ? `${name}/` : name);
  for (let i = 0, j = 0; i < left.length || j < right.length; ) {
    const [a = null, b = null] = [left[i], right[j]];
    const order = a === null ? 1 : b === null ? -1 : compare(key(a), key(b));
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
    yield [order <= 0 ? a : null, order >= 0 ? b : null];
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function change(path: string, before: RawEntry | null, after: RawEntry | null): PathChange {
  const bytes = Buffer.from(path, 'latin1');
  const side = (entry: RawEntry | null) => entry && { mode: entry.mode, id: entry.id };
  return { path: decodePath(bytes), before: side(before), after: side(after) };
}

/** Names as latin1, a character a byte, and the modes as git compares them. */
function parseRaw(bytes: Buffer): RawEntry[] {
  return [...treeEntries(bytes, 20)].map(({ mode, name, id }) => ({
    mode: canonical(Number.parseInt(mode, 8)),
    name: name.toString('latin1'),
    id,
  }));
}

/** Old commits hold modes such as 100664: for `git diff` a file is executable by its owner, or not. */
function canonical(mode: number): string {
  const kind = mode & 0o170000;
  if (kind === 0o100000) return (mode & 0o100) === 0 ? MODE.file : MODE.executable;
  if (kind === 0o120000) return MODE.symlink;
  return kind === 0o040000 ? MODE.tree : MODE.submodule;
}

const latin1 = (path: string) => Buffer.from(encodePath(path)).toString('latin1');
