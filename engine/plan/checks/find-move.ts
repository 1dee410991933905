/** The former path of something that the target lacks, and the commit that moved it. */
import { type LogCommit, type ObjectId, type PathChange, quotePath } from '../../model/index.ts';
import { formatSelector } from '../../yaml/core/selector.ts';
import { type ScopeContent, keptSelectors, type SelectedPart } from '../../snapshot/scope-content.ts';
import type { CheckContext } from '../check-context.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { isFile } from '../../snapshot/view.ts';

export interface Move {
  /** For display: a file or folder, with the selector of a part. */
  readonly from: string;
  /** The path as an argument of `git show`. */
  readonly path: string;
  /** The newest commit that moved it: since then it has its present path. */
  readonly commit: ObjectId;
}

/** Maximum numbers of files, moves and candidate files examined. */
const MAX_FILES = 5;
const MAX_MOVES = 8;
const MAX_OTHERS = 200;

export async function findMove(
  context: CheckContext,
  { files, parts }: Pick<ScopeContent, 'files' | 'parts'>,
): Promise<Move | null> {
  const { snapshot } = context.query;
  const target = context.input.target.commit;
  for (const path of [...files.keys()].slice(0, MAX_FILES)) {
    const moved = await traceFile(snapshot, { path, target });
    if (moved === null) continue;
    const from = movedFolder(context, path, moved.path);
    return { ...moved, path: from, from: quotePath(from) };
  }
  for (const part of [...parts.values()].slice(0, MAX_FILES)) {
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

/** Follows one file back through renames until its path exists at the target. */
async function traceFile(
  snapshot: Snapshot,
  { path: start, target }: Trace,
): Promise<Pick<Move, 'path' | 'commit'> | null> {
  const then = await snapshot.view(target);
  let [path, tip, newest]: [string, ObjectId, ObjectId | null] = [start, snapshot.base, null];
  for (let moves = 0; moves < MAX_MOVES; moves += 1) {
    const added = (await commitsSince(snapshot, { tip, path, target })).findLast(({ changes }) =>
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
  // For a move with a rewrite, or a copy, the two ends may still be similar.
  const old = (await snapshot.history.renames(target, snapshot.base)).get(start);
  const last = (await commitsSince(snapshot, { tip: snapshot.base, path: start, target })).at(-1);
  return old === undefined || last === undefined ? null : { path: old, commit: last.id };
}

function commitsSince(
  { history }: Snapshot,
  { tip, path, target }: Trace & { tip: ObjectId },
): Promise<readonly LogCommit[]> {
  return history.log({ tip, path, after: target });
}

/** The former path of the scope's folder if the file kept its name inside it; else that of the file. */
function movedFolder({ base }: CheckContext, path: string, old: string): string {
  const folder = [...base.trees.keys()].find((owned) => path.startsWith(`${owned}/`));
  const rest = folder === undefined ? '' : path.slice(folder.length);
  return rest !== '' && old.endsWith(rest) && old.length > rest.length ? old.slice(0, -rest.length) : old;
}

/** Finds the file that lost the same part, with an equal source, in the commit that added the part. */
async function tracePart(
  snapshot: Snapshot,
  part: SelectedPart,
  target: ObjectId,
): Promise<Pick<Move, 'path' | 'commit'> | null> {
  const { path } = part;
  const commits = await commitsSince(snapshot, { tip: snapshot.base, path, target });
  const appeared = await firstWith(commits, (change) => hasPart(snapshot, part, change?.after ?? null), path);
  const parent = appeared?.parents[0];
  if (appeared === null || parent === undefined) return null;
  const own = await sourceIn(
    snapshot,
    part,
    appeared.changes.find((change) => change.path === path)?.after ?? null,
  );
  const [whole] = await snapshot.history.log({ tip: appeared.id, path: '', after: parent });
  const others = (whole?.changes ?? []).filter((change) => change.path !== path && change.before !== null);
  for (const other of others.slice(0, MAX_OTHERS)) {
    const before = await sourceIn(snapshot, part, other.before);
    if (before !== null && before === own && !(await hasPart(snapshot, part, other.after)))
      return { path: other.path, commit: appeared.id };
  }
  return null;
}

/** Binary search: the oldest commit since which `test` holds, among commits (newest first) the newest of which passes. */
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

const hasPart = async (...place: Parameters<typeof sourceIn>) => (await sourceIn(...place)) !== null;

/** The source of the part in a file; null if the file does not have it. */
async function sourceIn(
  snapshot: Snapshot,
  { path, selector }: SelectedPart,
  entry: PathChange['before'],
): Promise<string | null> {
  if (entry === null || !isFile(entry.mode)) return null;
  const wanted = { path, selector, bindings: {}, kept: keptSelectors(snapshot, path) };
  // In a file that cannot be parsed, everything counts as the part: not a sign of this one.
  const part = (await snapshot.parts(entry, wanted)).find(
    ({ range, source }) => range !== null && source !== '',
  );
  return part?.source ?? null;
}
