import { Queue } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { BacktrailError, isFailure } from '../engine/model/index.ts';
import type { RequestId, RollbackResult } from '../engine/model/index.ts';
import { MAX_ATTEMPTS } from './failure-policy.ts';
import { parseJob } from './payload.ts';
import type { RollbackJob } from './payload.ts';
import { addressOf, connectToAsk, PREFIX, QUEUE, queueUnavailable, within } from './redis.ts';

/** An open connection to the queue `rollbacks`, for adding and following; a worker has its own. */
export interface RollbackQueue {
  readonly redisUrl: string;
  /** `host:port`, for people. */
  readonly address: string;
  readonly jobs: Queue<RollbackJob, RollbackResult, 'rollback'>;
  readonly redis: Redis;
  close(): Promise<void>;
}

/** What `enqueueRollback` found or did. Follow it with `since`, so that no step of it is missed. */
export interface Enqueued {
  readonly id: RequestId;
  /** `completed`: it had been done before, and following returns the same result. */
  readonly state: 'added' | 'following' | 'completed';
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
 * Puts a rollback into the queue, once per request id: a waiting or running one of the same plan is joined, a completed
 * one is not repeated, a failed one is tried again. Adding twice does no harm at any point, because the branch says what
 * is done. Rejects with INVALID_REQUEST, QUEUE_UNAVAILABLE, or PLAN_CHANGED where the id is being executed for another plan.
 */
export async function enqueueRollback(queue: RollbackQueue, payload: RollbackJob): Promise<Enqueued> {
  const job = parseJob(payload);
  return ask(queue, async () => {
    const since = await lastEvent(queue);
    for (let round = 0; round < 10; round += 1) {
      const state = await joinOrAdd(queue, job);
      if (state !== 'again') return { id: job.request.id, state, since };
    }
    throw new BacktrailError(
      'QUEUE_UNAVAILABLE',
      `Others keep changing the queued rollback ${job.request.id}.`,
    );
  });
}

async function joinOrAdd(queue: RollbackQueue, job: RollbackJob): Promise<Enqueued['state'] | 'again'> {
  const { id } = job.request;
  const state = await queue.jobs.getJobState(id);
  if (state === 'unknown') {
    await queue.jobs.add('rollback', job, { ...JOB_OPTIONS, jobId: id });
    return 'added';
  }
  const present = await queue.jobs.getJob(id);
  if (present === undefined) return 'again';
  const same = isSamePlan(present, job);
  // `unchanged` said only how things stood then.
  if (state === 'completed' && same && present.returnvalue?.status !== 'unchanged') return 'completed';
  if (state === 'active' && !same) throw otherPlan(id);
  if (state === 'active' || (state !== 'failed' && state !== 'completed' && same)) return 'following';
  // Failed, or of a plan that is no longer the confirmed one. It may have been taken or removed meanwhile: look again.
  await present.remove().catch(() => undefined);
  return 'again';
}

/** A completed rollback to the same target is the same whatever the branch looked like when it was planned again. */
function isSamePlan(present: Job<RollbackJob, RollbackResult>, { repo, request }: RollbackJob): boolean {
  try {
    const queued = parseJob(present.data);
    if (queued.repo !== repo || queued.request.target !== request.target) return false;
    return present.finishedOn !== undefined || queued.request.digest === request.digest;
  } catch {
    return false;
  }
}

function otherPlan(id: RequestId): BacktrailError {
  return new BacktrailError('PLAN_CHANGED', `Rollback ${id} is being executed for another plan.`, {
    hint: 'Wait until it is done, then plan again.',
  });
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
