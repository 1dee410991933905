/** Revisions of a scope: the commits of the first-parent line that changed its selections. */
import {
  type Entry,
  type HistoryReader,
  type LogCommit,
  NO_ARRIVALS,
  type ObjectId,
  type PathChange,
} from '../model/index.ts';
import { isResumeOf, recordsAt, rollbacksIn } from '../record/arrived.ts';
import type { ScopeQuery } from '../snapshot/scope-content.ts';
import { isFile } from '../snapshot/view.ts';
import { countingChanges } from './counted-changes.ts';
import type { Revision } from './revision.ts';
import { rolledBackRevisions } from './rolled-back.ts';
import { undoneRevisions } from './undone-revisions.ts';

/** All revisions of a scope, newest first. */
export async function readHistory(query: ScopeQuery): Promise<Revision[]> {
  const commits = await changedCommits(query);
  const found = await countedCommits(query, commits);
  const { scope, snapshot } = query;
  const arrivals = (await snapshot.arrivals?.on(snapshot.base)) ?? NO_ARRIVALS;
  // Filled in below: a long line has too many revisions to make each of them several times.
  const revisions: Unfinished[] = found.map(({ commit, changes }, index) => {
    const records = recordsAt(arrivals, commit);
    return {
      version: found.length - index,
      commit,
      changes,
      rollbacks: rollbacksIn(records),
      isResume: isResumeOf(scope, records),
      rolledBackBy: null,
      undoneBy: null,
      holdsLeft: null,
    };
  });
  const { undone: left, holding } = await rolledBackRevisions(query, revisions);
  const reverted = await undoneRevisions(query, revisions, await mergedReverts(query, revisions));
  for (const revision of revisions) {
    const { id } = revision.commit;
    revision.rolledBackBy = left.get(id) ?? null;
    revision.undoneBy = revision.rolledBackBy ?? reverted.undone.get(id) ?? null;
    revision.holdsLeft = holding.get(id) ?? reverted.holding.get(id) ?? null;
  }
  return revisions;
}

type Unfinished = { -readonly [Key in keyof Revision]: Revision[Key] };

/**
 * The commits that changed something that counts, with those changes. Files of which nothing is kept are told from others by a look at all of
 * them at once: a change of one counts, and needs no question of its own.
 */
async function countedCommits(
  query: ScopeQuery,
  commits: readonly LogCommit[],
): Promise<Pick<Revision, 'commit' | 'changes'>[]> {
  const { snapshot, selections } = query;
  const { keep } = snapshot.layout;
  const kindOf = remembering((path): 'none' | 'whole' | 'other' => {
    const selected = selections.filter(({ paths }) => paths.match(path) !== null);
    if (selected.length === 0 || snapshot.layout.isExcluded(path)) return 'none';
    const isWhole = selected.some(({ selector }) => selector === null);
    return isWhole && keep.path(path) === null && keep.parts(path, []).length === 0 ? 'whole' : 'other';
  });
  const relevant: Pick<Revision, 'commit' | 'changes'>[] = [];
  const ids = new Set<ObjectId>();
  for (const commit of commits) {
    const isRelevant = ({ path }: PathChange) => kindOf(path) !== 'none';
    const changes = commit.changes.every(isRelevant) ? commit.changes : commit.changes.filter(isRelevant);
    if (changes.length > 0) relevant.push({ commit, changes });
    if (keep.looksInside)
      for (const { path, before, after } of changes) {
        if (kindOf(path) !== 'whole') continue;
        if (before !== null && isFile(before.mode)) ids.add(before.id);
        if (after !== null && isFile(after.mode)) ids.add(after.id);
      }
  }
  const plain = ids.size > 0 ? await snapshot.plain([...ids]) : ids;
  const isPlain = (side: Entry | null) =>
    side === null || !keep.looksInside || !isFile(side.mode) || plain.has(side.id);
  const isSure = ({ path, before, after }: PathChange) =>
    kindOf(path) === 'whole' && isPlain(before) && isPlain(after);
  const found: Pick<Revision, 'commit' | 'changes'>[] = [];
  for (const each of relevant) {
    if (each.changes.every(isSure)) {
      found.push(each);
      continue;
    }
    const changes = await countingChanges(query, each);
    if (changes.length > 0) found.push({ commit: each.commit, changes });
  }
  return found;
}

/** Maximum number of merges examined, and how many at once. */
const MAX_MERGES = 20;
const CONCURRENCY = 4;

/** Commits are immutable, and each lookup costs a process. */
const knownReverts = new WeakMap<HistoryReader, Map<ObjectId, readonly ObjectId[]>>();

/** The reverts inside of merges: `git revert` is often executed on the branch of a pull request. */
async function mergedReverts(
  { snapshot: { history } }: ScopeQuery,
  revisions: readonly Pick<Revision, 'commit'>[],
): Promise<ReadonlyMap<ObjectId, readonly ObjectId[]>> {
  const merges: LogCommit[] = [];
  for (const { commit } of revisions) {
    if (merges.length === MAX_MERGES) break;
    if (commit.parents.length === 2) merges.push(commit);
  }
  const reverts = knownReverts.get(history) ?? new Map<ObjectId, readonly ObjectId[]>();
  knownReverts.set(history, reverts);
  const look = async ({ id, parents }: LogCommit) => {
    const [after, tip] = parents;
    if (after === undefined || tip === undefined || reverts.has(id)) return;
    const merged = await history.log({ tip, path: '', after });
    reverts.set(id, [...new Set(merged.flatMap((commit) => commit.reverts))]);
  };
  for (let at = 0; at < merges.length; at += CONCURRENCY)
    await Promise.all(merges.slice(at, at + CONCURRENCY).map(look));
  return reverts;
}

/** Commits that changed a prefix of the selections, in first-parent order. */
function changedCommits({ snapshot, selections }: ScopeQuery): Promise<readonly LogCommit[]> {
  const paths = outermost(selections.map(({ paths }) => paths.prefix));
  return snapshot.history.changed({ tip: snapshot.base, paths });
}

function outermost(prefixes: readonly string[]): string[] {
  const unique = [...new Set(prefixes)];
  return unique.filter((path) => !unique.some((other) => other !== path && isBelow(path, other)));
}

const isBelow = (path: string, wide: string) => wide === '' || path.startsWith(`${wide}/`);

function remembering<Value>(judge: (path: string) => Value): (path: string) => Value {
  const known = new Map<string, Value>();
  return (path) => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const judged = judge(path);
    known.set(path, judged);
    return judged;
  };
}
