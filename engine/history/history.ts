/** Revisions of a scope: the commits of the first-parent line that changed its selections. */
import type { HistoryReader, LogCommit, ObjectId } from '../model/index.ts';
import { readRollback } from '../record/read.ts';
import type { ScopeQuery } from '../snapshot/scope-content.ts';
import { isFile } from '../snapshot/view.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { countingChanges } from './counted-changes.ts';
import type { Revision } from './revision.ts';
import { rolledBackRevisions } from './rolled-back.ts';
import { undoneRevisions } from './undone-revisions.ts';

/** All revisions of a scope, newest first. */
export async function readHistory(query: ScopeQuery): Promise<Revision[]> {
  const commits = await changedCommits(query);
  const found: Pick<Revision, 'commit' | 'changes'>[] = [];
  const counting = await knowingPlainFiles(query, commits);
  for (const commit of commits) {
    const changes = await countingChanges(counting, commit);
    if (changes.length > 0) found.push({ commit, changes });
  }
  const numbered = found.map((revision, index) => ({
    ...revision,
    version: found.length - index,
    rollback: readRollback(revision.commit.trailers)?.record ?? null,
  }));
  const { rolledBack: left, holding } = await rolledBackRevisions(query, numbered);
  const reverted = await undoneRevisions(query, await withMergedReverts(query, numbered));
  return numbered.map((revision) => {
    const rolledBackBy = left.get(revision.commit.id) ?? null;
    const undoneBy = rolledBackBy ?? reverted.undone.get(revision.commit.id) ?? null;
    const holdsLeft = holding.get(revision.commit.id) ?? reverted.holding.get(revision.commit.id) ?? null;
    return { ...revision, rolledBackBy, undoneBy, holdsLeft };
  });
}

/** The query with all files of which nothing is kept looked up at once: one by one, each would take a question of its own. */
async function knowingPlainFiles(query: ScopeQuery, commits: readonly LogCommit[]): Promise<ScopeQuery> {
  const { snapshot, selections } = query;
  if (!snapshot.layout.keep.looksInside) return query;
  const isSelected = remembering(
    (path) =>
      !snapshot.layout.isExcluded(path) &&
      snapshot.layout.keep.path(path) === null &&
      selections.some(({ paths, selector }) => selector === null && paths.match(path) !== null),
  );
  const ids = new Set<ObjectId>();
  for (const { changes } of commits)
    for (const { path, before, after } of changes)
      if (isSelected(path))
        for (const side of [before, after]) if (side !== null && isFile(side.mode)) ids.add(side.id);
  const plain = await snapshot.plain([...ids]);
  const kept: Snapshot['kept'] = (path, entry, like) =>
    entry !== null && plain.has(entry.id) ? NOTHING_KEPT : snapshot.kept(path, entry, like);
  return { ...query, snapshot: { ...snapshot, kept } };
}

const NOTHING_KEPT = Promise.resolve({ whole: null, parts: [] });

/** Maximum number of merges examined, and how many at once. */
const MAX_MERGES = 20;
const CONCURRENCY = 4;

/** Commits are immutable, and each lookup costs a process. */
const mergedReverts = new WeakMap<HistoryReader, Map<ObjectId, readonly ObjectId[]>>();

/** Adds the reverts inside a merge to the merge: `git revert` is often executed on the branch of a pull request. */
async function withMergedReverts<Numbered extends Pick<Revision, 'commit' | 'changes'>>(
  { snapshot: { history } }: ScopeQuery,
  revisions: readonly Numbered[],
): Promise<Numbered[]> {
  const merges = revisions.filter(({ commit }) => commit.parents.length === 2).slice(0, MAX_MERGES);
  const reverts = mergedReverts.get(history) ?? new Map<ObjectId, readonly ObjectId[]>();
  mergedReverts.set(history, reverts);
  const look = async ({ commit: { id, parents } }: Numbered) => {
    const [after, tip] = parents;
    if (after === undefined || tip === undefined || reverts.has(id)) return;
    const merged = await history.log({ tip, path: '', after });
    reverts.set(id, [...new Set(merged.flatMap((commit) => commit.reverts))]);
  };
  for (let at = 0; at < merges.length; at += CONCURRENCY)
    await Promise.all(merges.slice(at, at + CONCURRENCY).map(look));
  return revisions.map((revision) => {
    const { commit } = revision;
    const more = reverts.get(commit.id) ?? [];
    return more.length === 0
      ? revision
      : { ...revision, commit: { ...commit, reverts: [...commit.reverts, ...more] } };
  });
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
    const found = known.get(path) ?? judge(path);
    known.set(path, found);
    return found;
  };
}
