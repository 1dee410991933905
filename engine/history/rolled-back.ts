/** What a rollback went back behind, as far as its trailers can be true: they are claims. */
import { isFailure, type ObjectId, type Scope } from '../model/index.ts';
import type { RollbackRecord } from '../record/trailers.ts';
import type { ScopeQuery } from '../snapshot/content.ts';
import { countingChanges } from './counted-changes.ts';
import { fieldSelection, onePath } from '../layout/fields/field.ts';
import type { Revision } from './revision.ts';
import { recordField, rootFields, type Selection, selectionsOf } from '../layout/layout.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

type Numbered = Omit<Revision, 'rolledBackBy' | 'undoneBy' | 'holdsLeft'>;

export interface LeftBehind {
  /** For each revision that a rollback of this scope, or of a part of it, went back behind: the newest such rollback. */
  readonly left: ReadonlyMap<ObjectId, ObjectId>;
  /** For each other revision that still holds what a rollback of a part left behind: that rollback. */
  readonly holding: ReadonlyMap<ObjectId, ObjectId>;
}

export async function leftBehind(query: ScopeQuery, revisions: readonly Numbered[]): Promise<LeftBehind> {
  const left = new Map<ObjectId, ObjectId>();
  const holding = new Map<ObjectId, ObjectId>();
  for (const [index, { commit, rollback }] of revisions.entries()) {
    // A rollback that was itself left behind, by going forward again, leaves nothing behind any more.
    if (left.has(commit.id)) continue;
    if (!rollback || !(await wentBack(query.snapshot, revisions, { commit, rollback }))) continue;
    const targetIndex = await indexAt(query.snapshot, revisions, rollback.target);
    const restored = covers(rollback, query) ? query : restoredBy(query.snapshot, rollback);
    // What comes behind a change of the part, newer than it, holds that change.
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
  return { left, holding };
}

/** Copied from another branch, or forged, trailers name a target that does not lie behind their commit. */
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

/** What a rollback says that it restored, read with the layout of today; nothing where it cannot be read. */
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
    return [field.includes('#') ? fieldSelection(field) : { paths: onePath(field), selector: null }];
  } catch (error) {
    if (isFailure(error)) return [];
    throw error;
  }
}
