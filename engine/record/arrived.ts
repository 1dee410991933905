/** What the commits of a line record, where pull requests brought some of it: by their own messages, and by what arrived with them. */
import type { ArrivedChange, Arrivals, Coordinates, LogCommit, RequestId } from '../model/index.ts';
import { readResume, readRollback } from './read.ts';
import { parseTrailerLines, type RollbackRecord } from './trailers.ts';

/** One record of a commit. */
export interface Recorded {
  readonly trailers: readonly string[];
  /** null: the commit's own message says so. */
  readonly arrived: ArrivedChange | null;
}

/**
 * The records of a commit: what arrived with it, and its own. A message that repeats the trailers of what arrived with this commit, or that of a merge
 * which repeats those of another, is no second record.
 */
export function recordsAt(
  { at, of }: Arrivals,
  { id, parents, trailers }: Pick<LogCommit, 'id' | 'parents' | 'trailers'>,
): readonly Recorded[] {
  const arrived = at.get(id)?.map((change) => ({ trailers: change.trailers, arrived: change })) ?? [];
  if (trailers.length === 0) return arrived;
  const own = of.size === 0 ? null : requestIn(trailers);
  const original = own === null ? undefined : of.get(own);
  const isRepeated = original !== undefined && (original.commit.id === id || parents.length > 1);
  return isRepeated ? arrived : [...arrived, { trailers, arrived: null }];
}

export function rollbacksIn(records: readonly Recorded[]): readonly RollbackRecord[] {
  return records.flatMap(({ trailers }) => readRollback(trailers)?.record ?? []);
}

/** Whether what a commit does to a scope is to lift holds of it: there is a resume among its records, and no rollback that concerns the scope. */
export function isResumeOf(scope: Coordinates, records: readonly Recorded[]): boolean {
  return (
    records.some(({ trailers }) => parseTrailerLines(trailers).has('resume-request-id')) &&
    !(records.length > 1 && rollbacksIn(records).some((rollback) => concerns(rollback, scope)))
  );
}

/** A rollback of the environment concerns each of its services; one of a service concerns the environment. */
export function concerns(
  record: Pick<RollbackRecord, 'tenant' | 'environment' | 'service'>,
  { tenant, environment, service }: Coordinates,
): boolean {
  if (record.tenant !== tenant || record.environment !== environment) return false;
  return service === undefined || record.service === undefined || record.service === service;
}

/** The one request that trailers say was executed. */
function requestIn(trailers: readonly string[]): RequestId | null {
  return (readRollback(trailers) ?? readResume(trailers))?.record.requestId ?? null;
}
