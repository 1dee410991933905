/** Revisions that rollbacks undid. Trailers are claims: only those consistent with the commit's position count. */
import { isFailure, type ObjectId, type Scope } from '../model/index.ts';
import type { RollbackRecord } from '../record/trailers.ts';
import type { ScopeQuery } from '../snapshot/scope-content.ts';
import { countingChanges } from './counted-changes.ts';
import { fieldSelection, singlePath } from '../layout/fields/field.ts';
import type { Revision } from './revision.ts';
import { recordField, rootFields, type Selection, selectionsOf } from '../layout/layout.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { UndoneRevisions } from './undone-revisions.ts';

type NumberedRevision = Omit<Revision, 'rolledBackBy' | 'undoneBy' | 'holdsLeft'>;

/**
 * `undone`: the revisions undone by a rollback of this scope or of a part of it, with the newest such rollback. `holding`: other
 * revisions that still contain what a rollback of a part undid, with that rollback.
 */
export async function rolledBackRevisions(
  query: ScopeQuery,
  revisions: readonly NumberedRevision[],
): Promise<UndoneRevisions> {
  const left = new Map<ObjectId, ObjectId>();
  const holding = new Map<ObjectId, ObjectId>();
  const all = revisions.flatMap(({ commit, rollbacks }, index) =>
    rollbacks.map((rollback) => ({ index, commit, rollback })),
  );
  for (const { index, commit, rollback } of all) {
    // A rollback that was itself undone, by going forward again, no longer counts.
    if (left.has(commit.id)) continue;
    if (!(await isBackward(query.snapshot, revisions, { commit, rollback }))) continue;
    const targetIndex = await indexAt(query.snapshot, revisions, rollback.target);
    const restored = covers(rollback, query) ? query : restoredBy(query.snapshot, rollback);
    // A revision newer than an undone change of the part still contains that change.
    const behind: ObjectId[] = [];
    for (const between of revisions.slice(index + 1, targetIndex)) {
      const isConcerned = restored === query || (await countingChanges(restored, between)).length > 0;
      if (!isConcerned) behind.push(between.commit.id);
      else {
        for (const id of behind.splice(0)) holding.set(id, holding.get(id) ?? commit.id);
        if (!left.has(between.commit.id)) left.set(between.commit.id, commit.id);
      }
    }
  }
  return { undone: left, holding };
}

/** Whether a rollback's target precedes it; not so for forged trailers, or ones copied from another branch. */
async function isBackward(
  snapshot: Snapshot,
  revisions: readonly Pick<Revision, 'commit'>[],
  { commit, rollback }: Pick<Revision, 'commit'> & { readonly rollback: RollbackRecord },
): Promise<boolean> {
  const placeOf = (id: ObjectId) => revisions.findIndex((revision) => revision.commit.id === id);
  // Usually the target is a revision of the same scope, and the whole line need not be read.
  if (placeOf(rollback.target) >= 0) return placeOf(rollback.target) > placeOf(commit.id);
  const positions = await snapshot.positions();
  const [own, target] = [positions.get(commit.id), positions.get(rollback.target)];
  return own !== undefined && target !== undefined && target > own;
}

/** Index of the newest revision at or before a commit of the first-parent line; `revisions.length` if there is none. */
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

/** Whether a rollback restored everything that this scope selects. */
function covers(rollback: RollbackRecord, { snapshot, scope }: ScopeQuery): boolean {
  const { tenant, environment, service } = scope;
  if (rollback.tenant !== tenant || rollback.environment !== environment) return false;
  if (rollback.mode === 'full') return true;
  if (rollback.mode === 'service') return service !== undefined && rollback.service === service;
  const restored = new Set(rollback.fields);
  const fields = scope.mode === 'field' ? (scope.fields ?? []) : [];
  return (
    fields.length > 0 &&
    fields.every((field) =>
      [field, field.slice(0, field.indexOf('#'))].some((name) =>
        restored.has(recordField(snapshot.layout, scope, name)),
      ),
    )
  );
}

/** The rollback of all that the scope selects that a revision is. */
export async function coveringRollback(
  query: ScopeQuery,
  revisions: readonly Pick<Revision, 'commit'>[],
  { commit, rollbacks }: Pick<Revision, 'commit' | 'rollbacks'>,
): Promise<RollbackRecord | null> {
  for (const rollback of rollbacks)
    if (covers(rollback, query) && (await isBackward(query.snapshot, revisions, { commit, rollback })))
      return rollback;
  return null;
}

/** The scope that a rollback claims to have restored, under the present layout; fields that cannot be parsed are left out. */
function restoredBy(snapshot: Snapshot, rollback: RollbackRecord): ScopeQuery {
  const { mode, tenant, environment, service, fields } = rollback;
  const scope: Scope = {
    mode,
    environment,
    ...(tenant !== undefined && { tenant }),
    ...(service !== undefined && { service }),
  };
  const { layout } = snapshot;
  const named = fields.flatMap((field) => rootFields(layout, scope, field)).flatMap(readableField);
  const selections = mode === 'field' ? named : [...selectionsOf(layout, scope), ...named];
  return { snapshot, scope, selections };
}

function readableField(field: string): Selection[] {
  try {
    return [field.includes('#') ? fieldSelection(field) : { paths: singlePath(field), selector: null }];
  } catch (error) {
    if (isFailure(error)) return [];
    throw error;
  }
}
