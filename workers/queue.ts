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
  const job = parseJob(payload);
  const id = job.requestId;
  return ask(queue, async () => {
    const since = await lastEvent(queue);
    for (let round = 0; round < 10; round += 1) {
      const state = await joinOrAdd(queue, job);
      if (state !== 'again') return { id, state, since };
    }
    throw new BacktrailError('QUEUE_UNAVAILABLE', `Others keep changing the queued rollback ${id}.`);
  });
}

async function joinOrAdd({ jobs }: RollbackQueue, job: RollbackJob): Promise<Enqueued['state'] | 'again'> {
  const id = job.requestId;
  const state = await jobs.getJobState(id);
  if (state === 'unknown') {
    await jobs.add('rollback', job, { ...JOB_OPTIONS, jobId: id });
    return 'added';
  }
  if (!hasEnded(state)) return 'following';
  // It may have been replaced and taken by a worker meanwhile, which then holds it: look again.
  await jobs.remove(id).catch(() => undefined);
  return 'again';
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
  const states = await jobStates(queue, ids);
  const enqueued: RequestId[] = [];
  for (const requestId of ids) {
    const known = states.get(requestId);
    if (known && (known.state !== 'ended' || Date.now() - known.endedAt < restMs)) continue;
    const { state } = await enqueueRollback(queue, { v: 2, requestId, repo });
    if (state === 'added') enqueued.push(requestId);
  }
  return enqueued;
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
