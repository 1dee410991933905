/** Where a scope is, and what was the last successful revision before, as records say it: what an automatic rollback is held against. */
import { isFailure, type ObjectId, type Scope } from '../model/index.ts';
import { resolveRevision } from '../history/find-revision.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { historyOf } from './planning/asked-scope.ts';

export interface LastSuccessful {
  /** The current revision; null: the scope has none. */
  readonly current: ObjectId | null;
  /** The one before it; null: there is none. */
  readonly previous: ObjectId | null;
  /** What records say was deployed; null: nothing that could be returned to, or nothing is recorded. */
  readonly target: ObjectId | null;
  /** Where there is one revision only, the commit before it, at which there was nothing; null: there is none, or there are more. */
  readonly nothing: ObjectId | null;
}

export async function lastSuccessful(snapshot: Snapshot, scope: Scope): Promise<LastSuccessful> {
  const { query, revisions } = await historyOf(snapshot, scope);
  const [current, previous] = revisions;
  const found = await resolveRevision(query, revisions, { kind: 'last-successful' }).catch(
    (error: unknown) => {
      if (isFailure(error)) return null;
      throw error;
    },
  );
  // Without records the revision before would be taken, whatever became of it.
  const isRecorded = found !== null && !found.findings.some(({ code }) => code === 'NO_RECORDS');
  return {
    current: current?.commit.id ?? null,
    previous: previous?.commit.id ?? null,
    target: isRecorded ? found.target.commit : null,
    nothing: revisions.length === 1 ? await beforeOf(snapshot, current?.commit.id) : null,
  };
}

async function beforeOf({ reader }: Snapshot, commit: ObjectId | undefined): Promise<ObjectId | null> {
  if (commit === undefined) return null;
  const { parents } = await reader.commit(commit);
  return parents[0] ?? null;
}
