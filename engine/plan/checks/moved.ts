/** Where what the target lacks stood at the target, and the commits that moved it from there. */
import { type LogCommit, type ObjectId, type PathChange, quotePath } from '../../model/index.ts';
import { formatSelector } from '../../yaml/core/selector.ts';
import { type Content, keptSelectors, type SelectedPart } from '../../snapshot/content.ts';
import type { CheckContext } from '../context.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { isFile } from '../../snapshot/view.ts';

export interface Moved {
  /** For people: a file or folder, with its selector where it is a part of a file. */
  readonly from: string;
  /** The same as `git show` takes it. */
  readonly path: string;
  /** The newest of the commits that moved it: since then it stands where it is now. */
  readonly commit: ObjectId;
}

/** Files and moves that are looked at, at most; beyond that nothing is found. */
const FILES = 5;
const MOVES = 8;
const OTHERS = 200;

export async function findMove(
  context: CheckContext,
  { files, parts }: Pick<Content, 'files' | 'parts'>,
): Promise<Moved | null> {
  const { snapshot } = context.query;
  const target = context.input.target.commit;
  for (const path of [...files.keys()].slice(0, FILES)) {
    const moved = await traceFile(snapshot, { path, target });
    if (moved === null) continue;
    const from = movedFolder(context, path, moved.path);
    return { ...moved, path: from, from: quotePath(from) };
  }
  for (const part of [...parts.values()].slice(0, FILES)) {
    const selector = formatSelector(part.selector);
    const moved = await tracePart(snapshot, part, target);
    if (moved !== null) return { ...moved, from: `${quotePath(moved.path)}#${selector}` };
  }
  return null;
}

interface Trace {
  readonly path: string;
  readonly target: ObjectId;
}

/** Follows one file back through the commits that brought it to its place, until it stands where it stood at the target. */
async function traceFile(
  snapshot: Snapshot,
  { path: start, target }: Trace,
): Promise<Pick<Moved, 'path' | 'commit'> | null> {
  const then = await snapshot.view(target);
  let [path, tip, newest]: [string, ObjectId, ObjectId | null] = [start, snapshot.base, null];
  for (let moves = 0; moves < MOVES; moves += 1) {
    const added = (await since(snapshot, { tip, path, target })).findLast(({ changes }) =>
      changes.some((change) => change.path === path && change.before === null),
    );
    const parent = added?.parents[0];
    if (added === undefined || parent === undefined) break;
    const old = (await snapshot.history.renames(parent, added.id)).get(path);
    if (old === undefined) break;
    newest ??= added.id;
    if ((await then.entry(old)) !== null) return { path: old, commit: newest };
    [path, tip] = [old, parent];
  }
  // Moved and rewritten in one go, or copied first: then the two ends may still be alike.
  const old = (await snapshot.history.renames(target, snapshot.base)).get(start);
  const last = (await since(snapshot, { tip: snapshot.base, path: start, target })).at(-1);
  return old === undefined || last === undefined ? null : { path: old, commit: last.id };
}

function since(
  { history }: Snapshot,
  { tip, path, target }: Trace & { tip: ObjectId },
): Promise<readonly LogCommit[]> {
  return history.log({ tip, path, after: target });
}

/** The old place of the folder that the scope owns, where its files kept their names in it; else that of the one file. */
function movedFolder({ base }: CheckContext, path: string, old: string): string {
  const folder = [...base.trees.keys()].find((owned) => path.startsWith(`${owned}/`));
  const rest = folder === undefined ? '' : path.slice(folder.length);
  return rest !== '' && old.endsWith(rest) && old.length > rest.length ? old.slice(0, -rest.length) : old;
}

/** A part came from a file that lost the same part, word for word, in the commit in which it appeared. */
async function tracePart(
  snapshot: Snapshot,
  part: SelectedPart,
  target: ObjectId,
): Promise<Pick<Moved, 'path' | 'commit'> | null> {
  const { path } = part;
  const commits = await since(snapshot, { tip: snapshot.base, path, target });
  const appeared = await firstWith(commits, (change) => holds(snapshot, part, change?.after ?? null), path);
  const parent = appeared?.parents[0];
  if (appeared === null || parent === undefined) return null;
  const own = await sourceIn(
    snapshot,
    part,
    appeared.changes.find((change) => change.path === path)?.after ?? null,
  );
  const [whole] = await snapshot.history.log({ tip: appeared.id, path: '', after: parent });
  const others = (whole?.changes ?? []).filter((change) => change.path !== path && change.before !== null);
  for (const other of others.slice(0, OTHERS)) {
    const before = await sourceIn(snapshot, part, other.before);
    if (before !== null && before === own && !(await holds(snapshot, part, other.after)))
      return { path: other.path, commit: appeared.id };
  }
  return null;
}

/** The oldest commit from which on `test` holds, among commits (newest first) of which the newest passes: found by halves. */
async function firstWith(
  commits: readonly LogCommit[],
  test: (change: PathChange | undefined) => Promise<boolean>,
  path: string,
): Promise<LogCommit | null> {
  let [yes, no] = [0, commits.length];
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2);
    if (await test(commits[middle]?.changes.find((change) => change.path === path))) yes = middle;
    else no = middle;
  }
  return commits[yes] ?? null;
}

const holds = async (...place: Parameters<typeof sourceIn>) => (await sourceIn(...place)) !== null;

/** The part as it stands in a file; null where it does not. */
async function sourceIn(
  snapshot: Snapshot,
  { path, selector }: SelectedPart,
  entry: PathChange['before'],
): Promise<string | null> {
  if (entry === null || !isFile(entry.mode)) return null;
  const wanted = { path, selector, bindings: {}, kept: keptSelectors(snapshot, path) };
  // What cannot be read stands for any part: that is no sign of this one.
  const found = (await snapshot.parts(entry, wanted)).find(
    ({ range, source }) => range !== null && source !== '',
  );
  return found?.source ?? null;
}
