import { Queue } from 'bullmq';
import { BacktrailError, isFailure } from '../engine/model/index.ts';
import type { RequestId, RollbackResult } from '../engine/model/index.ts';
import { MAX_ATTEMPTS } from './failure-policy.ts';
import { parseJob } from './payload.ts';
import type { RollbackJob } from './payload.ts';
import { addressOf, connectToAsk, PREFIX, QUEUE, queueUnavailable, within } from './redis.ts';
import type { RedisClient } from './redis.ts';

/** An open connection to the queue `rollbacks`, for adding and following; a worker has its own. */
export interface RollbackQueue {
  readonly redisUrl: string;
  /** `host:port`, for people. */
  readonly address: string;
  readonly jobs: Queue<RollbackJob, RollbackResult, 'rollback'>;
  readonly redis: RedisClient;
  close(): Promise<void>;
}

/** What `enqueueRollback` found or did. Follow it with `since`, so that no step of it is missed. */
export interface Enqueued {
  readonly id: RequestId;
  readonly state: 'added' | 'following';
  /** Position in the queue's stream of events before it was added. */
  readonly since: string;
}

const ANSWER_MS = 2500;
const DAY = 24 * 60 * 60;

/** How jobs are added: retries by the failure policy, results kept for a day, failures for a week, no stacks. */
export const JOB_OPTIONS = {
  attempts: MAX_ATTEMPTS,
  backoff: { type: 'failure-policy' },
  removeOnComplete: { age: DAY, count: 1000 },
  removeOnFail: { age: 7 * DAY },
  stackTraceLimit: 0,
};

/** Rejects with QUEUE_UNAVAILABLE within three seconds where Redis does not answer. */
export async function openQueue({ redisUrl }: { redisUrl: string }): Promise<RollbackQueue> {
  const address = addressOf(redisUrl);
  const redis = await connectToAsk(redisUrl, ANSWER_MS);
  const jobs = new Queue<RollbackJob, RollbackResult, 'rollback'>(QUEUE, {
    connection: redis,
    prefix: PREFIX,
  });
  // Each call reports its own failure; without a listener BullMQ would print it besides.
  jobs.on('error', () => undefined);
  const close = async () => {
    await within(1000, jobs.close()).catch(() => undefined);
    redis.disconnect();
  };
  return { redisUrl, address, jobs, redis, close };
}

/**
 * Puts a request into the queue, where it has one job at most: one that waits or runs is joined, one that has ended is
 * replaced. Adding twice does no harm at any point, because ledger and branch say what is done. Rejects with
 * INVALID_REQUEST or QUEUE_UNAVAILABLE.
 */
export async function enqueueRollback(queue: RollbackQueue, payload: RollbackJob): Promise<Enqueued> {
  const { since, states } = await enqueueMany(queue, [payload]);
  return { id: payload.requestId, state: states.get(payload.requestId) ?? 'following', since };
}

/** What became of each, and where to follow all of them from. */
export interface EnqueuedMany extends Pick<Enqueued, 'since'> {
  readonly states: ReadonlyMap<RequestId, Enqueued['state']>;
}

/** Jobs that are added in one command. */
const TOGETHER = 1000;

/** The same for many at once, in their order. */
export async function enqueueMany(
  queue: RollbackQueue,
  payloads: readonly RollbackJob[],
): Promise<EnqueuedMany> {
  const jobs = payloads.map(parseJob);
  return ask(queue, async () => {
    const since = await lastEvent(queue);
    const states = new Map<RequestId, Enqueued['state']>();
    let left = jobs;
    for (let round = 0; round < 10 && left.length > 0; round += 1) {
      const again: RollbackJob[] = [];
      for (let at = 0; at < left.length; at += TOGETHER)
        again.push(...(await joinOrAdd(queue, left.slice(at, at + TOGETHER), states)));
      left = again;
    }
    const [first] = left;
    if (first === undefined) return { since, states };
    throw new BacktrailError(
      'QUEUE_UNAVAILABLE',
      `Others keep changing the queued rollback ${first.requestId}.`,
    );
  });
}

/** Gives those that have to be looked at again. */
async function joinOrAdd(
  { jobs }: RollbackQueue,
  wanted: readonly RollbackJob[],
  states: Map<RequestId, Enqueued['state']>,
): Promise<readonly RollbackJob[]> {
  const found = await Promise.all(wanted.map(({ requestId }) => jobs.getJobState(requestId)));
  const fresh = wanted.filter((_, index) => found[index] === 'unknown');
  const ended = wanted.filter((_, index) => hasEnded(found[index] ?? ''));
  if (fresh.length > 0)
    await jobs.addBulk(
      fresh.map((data) => ({
        name: 'rollback',
        data,
        opts: { ...JOB_OPTIONS, jobId: data.requestId },
      })),
    );
  for (const [index, { requestId }] of wanted.entries())
    if (found[index] === 'unknown') states.set(requestId, 'added');
    else if (!hasEnded(found[index] ?? '')) states.set(requestId, 'following');
  // One may have been replaced and taken by a worker meanwhile, which then holds it: look again.
  await Promise.all(ended.map(({ requestId }) => jobs.remove(requestId).catch(() => undefined)));
  return ended;
}

const hasEnded = (state: string) => state === 'completed' || state === 'failed';

/** `endedAt`: milliseconds since 1970. */
export type JobState =
  | { readonly state: 'waiting' | 'active' }
  | { readonly state: 'ended'; readonly endedAt: number };

/** What the queue knows about these requests; nothing of those that have no job. Rejects with QUEUE_UNAVAILABLE. */
export async function jobStates(
  queue: RollbackQueue,
  ids: readonly RequestId[],
): Promise<ReadonlyMap<RequestId, JobState>> {
  const found = new Map<RequestId, JobState>();
  const look = async (id: RequestId) => {
    const state = await stateOf(queue, id);
    if (state !== null) found.set(id, state);
  };
  await ask(queue, () => Promise.all(ids.map(look)));
  return found;
}

async function stateOf({ jobs }: RollbackQueue, id: RequestId): Promise<JobState | null> {
  const state = await jobs.getJobState(id);
  if (state === 'unknown') return null;
  if (state === 'active') return { state };
  if (!hasEnded(state)) return { state: 'waiting' };
  const endedAt = (await jobs.getJob(id))?.finishedOn;
  return endedAt === undefined ? null : { state: 'ended', endedAt };
}

/**
 * Enqueues those of the requests that no job executes; gives their ids. `restMs`: one whose job ended so shortly ago is left
 * alone, so that what fails at once is not tried without pause. Rejects with QUEUE_UNAVAILABLE.
 */
export async function enqueueWaiting(
  queue: RollbackQueue,
  { repo, ids, restMs = 0 }: { repo: string; ids: readonly RequestId[]; restMs?: number },
): Promise<readonly RequestId[]> {
  const known = await jobStates(queue, ids);
  const wanted = ids.filter((id) => {
    const job = known.get(id);
    return job === undefined || (job.state === 'ended' && Date.now() - job.endedAt >= restMs);
  });
  const { states } = await enqueueMany(
    queue,
    wanted.map((requestId) => ({ v: 2, requestId, repo })),
  );
  return wanted.filter((id) => states.get(id) === 'added');
}

/** Where the queue's stream of events ends now. */
export async function lastEvent({ redis, jobs }: RollbackQueue): Promise<string> {
  const newest = await redis.xrevrange(jobs.toKey('events'), '+', '-', 'COUNT', 1);
  return newest[0]?.[0] ?? '0-0';
}

/** Runs commands against the queue; what fails below us is QUEUE_UNAVAILABLE. */
export async function ask<T>({ address }: RollbackQueue, commands: () => Promise<T>): Promise<T> {
  try {
    return await commands();
  } catch (error) {
    if (isFailure(error)) throw error;
    throw queueUnavailable(address, error);
  }
}
