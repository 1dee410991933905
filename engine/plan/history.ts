/** Revisions of a scope: commits of the first-parent line that changed what the scope selects. */
import type { LogCommit, ObjectId, PathChange } from '../model/index.ts';
import { readRollback } from '../record/read.ts';
import type { RollbackRecord } from '../record/trailers.ts';
import { differs, type ScopeQuery } from './content.ts';
import { rootField, type Selection } from './layout.ts';
import { toBindings } from './pattern.ts';
import type { Snapshot } from './snapshot.ts';
import { isFile } from './view.ts';

export interface Revision {
  /** 1 is the oldest. */
  readonly version: number;
  readonly commit: LogCommit;
  /** The changes that made this a revision of the scope. */
  readonly changes: readonly PathChange[];
  /** The record, where the commit is a rollback. */
  readonly rollback: RollbackRecord | null;
  /** The rollback commit that left this revision behind. */
  readonly rolledBackBy: ObjectId | null;
}

/** All revisions of a scope, newest first. */
export async function readHistory(query: ScopeQuery): Promise<Revision[]> {
  const commits = await changedCommits(query);
  const found: Pick<Revision, 'commit' | 'changes'>[] = [];
  for (const commit of commits) {
    const changes = await changesOf(query, commit);
    if (changes.length > 0) found.push({ commit, changes });
  }
  const numbered = found.map((revision, index) => ({
    ...revision,
    version: found.length - index,
    rollback: readRollback(revision.commit.trailers)?.record ?? null,
  }));
  const left = await leftBehind(query, numbered);
  return numbered.map((revision) => ({ ...revision, rolledBackBy: left.get(revision.commit.id) ?? null }));
}

/** Commits below every prefix of the selections, merged in first-parent order. One log a prefix: several paths in one lose Git's Bloom filters. */
async function changedCommits({ snapshot, selections }: ScopeQuery): Promise<LogCommit[]> {
  const prefixes = widest(selections.map(({ paths }) => paths.prefix));
  const logs = await Promise.all(prefixes.map((path) => snapshot.history.log({ tip: snapshot.base, path })));
  if (logs.length === 1) return [...(logs[0] ?? [])];
  const merged = new Map<ObjectId, LogCommit>();
  for (const commit of logs.flat()) {
    const known = merged.get(commit.id);
    merged.set(commit.id, known ? { ...known, changes: [...known.changes, ...commit.changes] } : commit);
  }
  const positions = await snapshot.positions();
  const position = ({ id }: LogCommit) => positions.get(id) ?? Number.MAX_SAFE_INTEGER;
  return [...merged.values()].sort((a, b) => position(a) - position(b));
}

function widest(prefixes: readonly string[]): string[] {
  const covers = (wide: string, path: string) => wide === '' || path === wide || path.startsWith(`${wide}/`);
  const unique = [...new Set(prefixes)];
  return unique.filter((path) => !unique.some((other) => other !== path && covers(other, path)));
}

async function changesOf(query: ScopeQuery, commit: LogCommit): Promise<PathChange[]> {
  const counting: PathChange[] = [];
  for (const change of commit.changes) if (await counts(query, change)) counting.push(change);
  return counting;
}

async function counts(query: ScopeQuery, change: PathChange): Promise<boolean> {
  const { snapshot, selections } = query;
  if (snapshot.layout.isOwn(change.path)) return false;
  for (const selection of selections) {
    const bindings = selection.paths.match(change.path);
    if (bindings === null) continue;
    if (
      selection.selector === null
        ? await differs(snapshot, change)
        : await partDiffers(query, selection, change)
    )
      return true;
  }
  return false;
}

async function partDiffers(
  { snapshot, scope }: ScopeQuery,
  { paths, selector }: Selection,
  change: PathChange,
): Promise<boolean> {
  if (selector === null || snapshot.layout.keep.path(change.path) !== null) return false;
  const bindings = { ...toBindings(scope), ...paths.match(change.path) };
  const read = async (side: PathChange['before']) =>
    side && isFile(side.mode)
      ? (await snapshot.parts(side.id, selector, bindings)).map(({ source }) => source)
      : [];
  const [before, after] = await Promise.all([read(change.before), read(change.after)]);
  return before.length !== after.length || before.some((source, index) => source !== after[index]);
}

type Numbered = Omit<Revision, 'rolledBackBy'>;

/** For each revision that a rollback of this scope, or of a part of it, went back behind: the newest such rollback. */
async function leftBehind(
  query: ScopeQuery,
  revisions: readonly Numbered[],
): Promise<Map<ObjectId, ObjectId>> {
  const left = new Map<ObjectId, ObjectId>();
  for (const [index, { commit, rollback, changes }] of revisions.entries()) {
    if (!rollback || !(await wentBack(query.snapshot, revisions, { commit, rollback }))) continue;
    const targetIndex = await indexAt(query.snapshot, revisions, rollback.target);
    const touched = new Set(changes.map(({ path }) => path));
    for (const between of revisions.slice(index + 1, targetIndex)) {
      const concerned = covers(rollback, query) || between.changes.some(({ path }) => touched.has(path));
      if (concerned && !left.has(between.commit.id)) left.set(between.commit.id, commit.id);
    }
  }
  return left;
}

/** Trailers are claims: copied from another branch, or forged, they name a target that does not lie behind their commit. */
export async function wentBack(
  snapshot: Snapshot,
  revisions: readonly Pick<Revision, 'commit'>[],
  { commit, rollback }: Pick<Revision, 'commit' | 'rollback'>,
): Promise<boolean> {
  if (!rollback) return false;
  const placeOf = (id: ObjectId) => revisions.findIndex((revision) => revision.commit.id === id);
  // As a rule the target is a revision of the same scope: then the whole line need not be read.
  if (placeOf(rollback.target) >= 0) return placeOf(rollback.target) > placeOf(commit.id);
  const positions = await snapshot.positions();
  const [own, target] = [positions.get(commit.id), positions.get(rollback.target)];
  return own !== undefined && target !== undefined && target > own;
}

/** Index of the newest revision at or before a commit of the first-parent line; the length where there is none. */
export async function indexAt(
  snapshot: Snapshot,
  revisions: readonly Pick<Revision, 'commit'>[],
  commit: ObjectId,
): Promise<number> {
  const exact = revisions.findIndex((revision) => revision.commit.id === commit);
  if (exact >= 0) return exact;
  const positions = await snapshot.positions();
  const at = positions.get(commit);
  if (at === undefined) return revisions.length;
  const index = revisions.findIndex((revision) => (positions.get(revision.commit.id) ?? -1) >= at);
  return index < 0 ? revisions.length : index;
}

/** Did a rollback restore everything that this scope selects? */
export function covers(rollback: RollbackRecord, { snapshot, scope }: ScopeQuery): boolean {
  const { tenant, environment, service } = scope;
  if (rollback.tenant !== tenant || rollback.environment !== environment) return false;
  if (rollback.mode === 'full') return true;
  if (service === undefined || rollback.service !== service) return false;
  if (rollback.mode === 'service') return true;
  const restored = new Set(rollback.fields.map((field) => rootField(snapshot.layout, scope, field)));
  return scope.mode === 'field' && (scope.fields ?? []).every((field) => restored.has(field));
}
