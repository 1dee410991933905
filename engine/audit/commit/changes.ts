/** What a commit changes against its first parent, from the trees alone: only folders whose ids differ are read. */
import {
  MODE,
  type ObjectId,
  type ObjectReader,
  type PathChange,
  type TreeEntry,
} from '../../model/index.ts';

export interface Changes {
  readonly changes: readonly PathChange[];
  /** A folder that holds a name twice, which git itself never writes; null: none. */
  readonly malformed: string | null;
}

/** Changes of one commit; more are none that Backtrail makes. */
const MOST = 200_000;
const DEEPEST = 2048;

type Trees = Pick<ObjectReader, 'tree'>;

/** `before` null: a commit without a parent. */
export async function changesBetween(
  reader: Trees,
  before: ObjectId | null,
  after: ObjectId,
): Promise<Changes> {
  const changes: PathChange[] = [];
  let malformed: string | null = null;
  const entriesOf = async (id: ObjectId | null, folder: string) => {
    const found = new Map<string, TreeEntry>();
    for (const entry of id === null ? [] : await reader.tree(id)) {
      if (found.has(entry.name)) malformed ??= folder;
      found.set(entry.name, { ...entry, mode: canonical(entry.mode) });
    }
    return found;
  };
  const walk = async (left: ObjectId | null, right: ObjectId | null, folder: string, depth: number) => {
    if (left === right || depth > DEEPEST) return;
    const [old, now] = await Promise.all([entriesOf(left, folder), entriesOf(right, folder)]);
    const below: Promise<void>[] = [];
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      const [one, other] = [old.get(name), now.get(name)];
      if (one?.id === other?.id && one?.mode === other?.mode) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      const [tree, file] = [treeIn(one), fileIn(one)];
      const [nextTree, nextFile] = [treeIn(other), fileIn(other)];
      if (tree !== null || nextTree !== null) below.push(walk(tree, nextTree, path, depth + 1));
      if ((file !== null || nextFile !== null) && changes.length < MOST)
        changes.push({ path, before: file, after: nextFile });
    }
    await Promise.all(below);
  };
  await walk(before, after, '', 0);
  return { changes, malformed };
}

const treeIn = (entry: TreeEntry | undefined) => (entry?.mode === MODE.tree ? entry.id : null);
const fileIn = (entry: TreeEntry | undefined) =>
  entry === undefined || entry.mode === MODE.tree ? null : { mode: entry.mode, id: entry.id };

/** Old commits hold modes such as 100664: for git a file is executable by its owner, or not. */
export function canonical(mode: string): string {
  const bits = Number.parseInt(mode, 8);
  const kind = bits & 0o170000;
  if (kind === 0o100000) return (bits & 0o100) === 0 ? MODE.file : MODE.executable;
  if (kind === 0o120000) return MODE.symlink;
  return kind === 0o040000 ? MODE.tree : MODE.submodule;
}
