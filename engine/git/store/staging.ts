import { randomUUID } from 'node:crypto';
import { BacktrailError, isRequestId } from '../../model/index.ts';
import type { RequestId } from '../../model/index.ts';
import { updateRefs } from './refs.ts';
import type { RefEdit } from './refs.ts';
import type { Runner } from '../process/runner.ts';

/**
 * What attempts at a request have written is below `refs/backtrail/staging/REQUEST/` until it is published or given up;
 * events below `refs/backtrail/staging/ledger-MILLISECONDS-UUID/`. What several rollbacks
 * have written together is below the folder of the first.
 */

const STAGING = 'refs/backtrail/staging';

/** Seconds. Refs that killed processes staged are deleted by the next rollback after that. */
const ABANDONED_AFTER = 86_400;

/** What is a day old may be an hour older: each event would list the refs once more. */
const SWEEP_EVERY_MS = 3_600_000;
const swept = new WeakMap<Runner, number>();

/** The id becomes part of a ref name. @throws INVALID_REQUEST */
export function stagingFolder(requestId: RequestId): string {
  if (isRequestId(requestId)) return `${STAGING}/${requestId}/`;
  throw new BacktrailError('INVALID_REQUEST', `${JSON.stringify(requestId)} is not a valid request id.`);
}

/** For events that are about to be written. */
export function ledgerStaging(): string {
  return `${STAGING}/ledger-${Date.now()}-${randomUUID()}`;
}

/** The edits that delete whatever any attempt at this request has staged so far. Also deletes abandoned staging refs of others. */
export async function listStaging(runner: Runner, requestIds: readonly RequestId[]): Promise<RefEdit[]> {
  return sweepStaging(runner, requestIds.map(stagingFolder));
}

/**
 * Deletes abandoned staging refs of events, and of nothing else: a rollback that was asked for long ago may be about to be published together
 * with these events.
 */
export async function sweepEvents(runner: Runner): Promise<void> {
  const last = swept.get(runner);
  if (last !== undefined && performance.now() - last < SWEEP_EVERY_MS) return;
  swept.set(runner, performance.now());
  await sweepStaging(runner, [], `${STAGING}/ledger-*/**`);
}

/** Deletes abandoned staging refs; gives the edits that delete all refs below the folders `own`. */
async function sweepStaging(runner: Runner, own: readonly string[], all = `${STAGING}/`): Promise<RefEdit[]> {
  const format = '--format=%(objectname) %(refname)';
  const edits = (await runner.text(['for-each-ref', format, all]))
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [expected = '', ref = ''] = line.split(' ');
      return { ref, expected, next: null };
    });
  const isOwn = ({ ref }: RefEdit) => own.some((folder) => ref.startsWith(folder));
  const others = edits.filter((edit) => !isOwn(edit));
  // Best effort: the next rollback tries again.
  if (others.length > 0) await deleteAbandoned(runner, others).catch(() => undefined);
  return edits.filter(isOwn);
}

/**
 * The committer's time is when the rollback was asked for. One that waited in a queue for longer may be under way:
 * it finds its ref gone when it publishes, and stages once more.
 */
async function deleteAbandoned(runner: Runner, others: readonly RefEdit[]): Promise<void> {
  const format = '--format=%(committerdate:unix) %(refname)';
  const before = Date.now() / 1000 - ABANDONED_AFTER;
  const dated = await runner.text(['for-each-ref', format, `${STAGING}/`]);
  const abandoned = new Set<string>();
  for (const line of dated.split('\n')) {
    const [, seconds, ref = ''] = /^(\d+) (.+)$/.exec(line) ?? [];
    if (seconds === undefined) continue;
    // The time of an event is its author's; only the name says when it was staged.
    const staged = /^ledger-(\d+)-/.exec(ref.slice(STAGING.length + 1))?.[1];
    if ((staged === undefined ? Number(seconds) : Number(staged) / 1000) < before) abandoned.add(ref);
  }
  await updateRefs(
    runner,
    others.filter(({ ref }) => abandoned.has(ref)),
  );
}

/** Deletes whatever any attempt at these requests staged. Idempotent. */
export async function deleteStaging(runner: Runner, requestIds: readonly RequestId[]): Promise<void> {
  const edits = await listStaging(runner, requestIds);
  // Another worker on the same request may delete them concurrently.
  await updateRefs(runner, edits).catch(async (error: unknown) => {
    if ((await listStaging(runner, requestIds)).length > 0) throw error;
  });
}
