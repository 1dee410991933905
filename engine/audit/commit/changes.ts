/** What a commit changes against its first parent, from the trees alone: only folders whose ids differ are read. */
import { MODE, type ObjectId, type PathChange, quotePath, type TreeEntry } from '../../model/index.ts';
import { encodePath } from '../../model/path.ts';
import type { AuditReader } from '../line/reader.ts';
import { type Problem, problem } from '../problems.ts';

export interface Changes {
  readonly changes: readonly PathChange[];
  /** A folder as git itself never writes it: a name twice or with a slash, another order, other modes, nothing in it, too deep; null: none. */
  readonly malformed: string | null;
}

/** Changes of one commit; more are none that Backtrail makes. */
const MOST = 200_000;
const DEEPEST = 2048;

type Trees = Pick<AuditReader, 'objects' | 'hasher'>;

/** `before` null: a commit without a parent. */
export async function changesBetween(
  reader: Trees,
  before: ObjectId | null,
  after: ObjectId,
): Promise<Changes> {
  const changes: PathChange[] = [];
  let malformed: string | null = null;
  const read = (id: ObjectId | null) => (id === null ? [] : reader.objects.tree(id));
  const walk = async (left: ObjectId | null, right: ObjectId | null, folder: string, depth: number) => {
    if (left === right) return;
    if (depth > DEEPEST) {
      malformed ??= folder;
      return;
    }
    const [before, after] = await Promise.all([read(left), read(right)]);
    const isOdd = (folder !== '' && after.length === 0) || hasPath(before, after);
    if (right !== null && (isOdd || right !== writtenId(reader, after, before))) malformed ??= folder;
    const [old, now] = [byName(before), byName(after)];
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

/** `whose`: the subject of its sentence. */
export function malformedIn({ malformed }: Pick<Changes, 'malformed'>, whose = 'It'): Problem[] {
  if (malformed === null) return [];
  const folder = malformed === '' ? 'a top folder' : `a folder ${quotePath(malformed)}`;
  const is =
    'that is not as git writes it: a name twice or with a slash, another order, other modes, nothing in it, or too deep.';
  return [problem('TREE_MALFORMED', `${whose} has ${folder} ${is}`)];
}

/** A name that is a path would stand for the file that is there; what was so before is not this commit's. */
const hasPath = (before: readonly TreeEntry[], after: readonly TreeEntry[]) =>
  after.some(
    ({ name, id }) =>
      (name === '' || name.includes('/')) && !before.some((old) => old.name === name && old.id === id),
  );

const byName = (entries: readonly TreeEntry[]) =>
  new Map(entries.map((entry) => [entry.name, { ...entry, mode: canonical(entry.mode) }]));

/**
 * The id that a folder would have as git writes it: what it has otherwise would be in no list of changed paths. Modes that old commits had stay
 * as they were.
 */
function writtenId(
  { hasher }: Pick<Trees, 'hasher'>,
  entries: readonly TreeEntry[],
  before: readonly TreeEntry[],
): ObjectId {
  const modes = new Map(before.map(({ name, mode }) => [name, mode]));
  // Of a name that is there twice, once.
  const all = new Map(entries.map((entry) => [entry.name, entry]));
  const lines = [...all.values()].map(({ name, mode: own, id }) => {
    const plain = canonical(own);
    const mode = modes.get(name) === own ? own : plain;
    // A folder is sorted as if its name ended with a slash.
    const key = encodePath(plain === MODE.tree ? `${name}/` : name);
    const bytes = [Buffer.from(`${mode.replace(/^0+/, '')} `), encodePath(name), NUL, Buffer.from(id, 'hex')];
    return { key, bytes: Buffer.concat(bytes) };
  });
  lines.sort((one, other) => Buffer.compare(one.key, other.key));
  return hasher.treeId(Buffer.concat(lines.map(({ bytes }) => bytes)));
}

const NUL = Buffer.alloc(1);

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
