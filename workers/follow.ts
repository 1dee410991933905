import { QueueEvents } from 'bullmq';
import type { Job } from 'bullmq';
import { BacktrailError, STEPS } from '../engine/model/index.ts';
import type { RequestId, RollbackResult } from '../engine/model/index.ts';
import { createWakeableTimer } from './wakeable-timer.ts';
import { decodeFailure } from './failure-wire.ts';
import { parseProgress, parseResult } from './payload.ts';
import type { RollbackJob, RollbackProgress } from './payload.ts';
import { ask, lastEvent } from './queue.ts';
import type { RollbackQueue } from './queue.ts';
import { connectToStay, PREFIX, QUEUE, queueUnavailable } from './redis.ts';
import { stopListening } from './redis/steps.ts';

export interface FollowOptions {
  /** From `enqueueRollback`: where in the stream of events to begin. */
  readonly since?: string;
  /** Each step once, in order; a takeover by another worker does not report steps again. */
  readonly onStep?: (progress: RollbackProgress) => void;
  /** An attempt failed and another one follows after about `waitMs`. */
  readonly onRetry?: (retry: { attempt: number; waitMs: number; failure: BacktrailError }) => void;
  /** Called once when the rollback has waited five seconds and no worker is connected. */
  readonly onIdle?: () => void;
  readonly timeoutMs?: number;
  /** Aborted: following ends with the signal's reason; the rollback continues. */
  readonly signal?: AbortSignal;
}

/** The same of many: each is told of with its id. */
export interface FollowManyOptions extends Pick<FollowOptions, 'since' | 'onIdle' | 'timeoutMs' | 'signal'> {
  readonly onStep?: (id: RequestId, progress: RollbackProgress) => void;
  readonly onRetry?: (id: RequestId, retry: Parameters<NonNullable<FollowOptions['onRetry']>>[0]) => void;
  /** One has ended, well or not. */
  readonly onEnd?: (id: RequestId) => void;
}

export type Followed = ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>;

const POLL_MS = 500;
/** How often where there are many: events say which of them to look at. */
const POLL_MANY_MS = 2000;
const MANY = 20;
const IDLE_MS = 5000;
/** How long Redis may be unreachable, as in a restart, before following gives up. */
const OUTAGE_MS = 10_000;

/**
 * Waits for a queued rollback and returns its result. Events make it prompt; polling every half second makes it reliable.
 * Rejects with the rollback's own failure, or with QUEUE_UNAVAILABLE where the queue lost it, cannot be reached, or took
 * longer than `timeoutMs`; the rollback itself may still be executed in these cases.
 */
export async function followRollback(
  queue: RollbackQueue,
  id: RequestId,
  options: FollowOptions = {},
): Promise<RollbackResult> {
  const { onStep, onRetry, ...rest } = options;
  const followed = await followMany(queue, [id], {
    ...rest,
    ...(onStep && { onStep: (_, progress) => onStep(progress) }),
    ...(onRetry && { onRetry: (_, retry) => onRetry(retry) }),
  });
  const settled = followed.get(id);
  if (settled?.status === 'fulfilled') return settled.value;
  throw settled?.reason;
}

/** The same for many, through one connection. Rejects with the signal's reason alone: what each ends with is said of each. */
export async function followMany(
  queue: RollbackQueue,
  ids: readonly RequestId[],
  options: FollowManyOptions = {},
): Promise<Followed> {
  const { timeoutMs, signal, onIdle, onEnd } = options;
  const timer = createWakeableTimer();
  const open = new Map(ids.map((id) => [id, reporter(id, options)]));
  const results = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  const end = (id: RequestId, settled: PromiseSettledResult<RollbackResult>) => {
    open.delete(id);
    results.set(id, settled);
    onEnd?.(id);
  };
  const named = new Set<RequestId>();
  const events = listen(queue, options.since ?? (await ask(queue, () => lastEvent(queue))));
  events.on('progress', ({ jobId, data }) => open.get(jobId)?.progress(data));
  for (const event of ['completed', 'failed', 'delayed', 'removed'] as const)
    events.on(event, ({ jobId }: { jobId: string }) => {
      if (!open.has(jobId)) return;
      named.add(jobId);
      timer.wake();
    });
  signal?.addEventListener('abort', timer.wake);
  const deadline = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
  const idle = idleWatch(queue, onIdle);
  let [lastAnswer, lastLook] = [Date.now(), 0];
  try {
    while (open.size > 0) {
      signal?.throwIfAborted();
      const pollMs = open.size > MANY ? POLL_MANY_MS : POLL_MS;
      const isPoll = Date.now() - lastLook >= pollMs;
      const wanted = isPoll ? [...open.keys()] : [...named].filter((id) => open.has(id));
      named.clear();
      if (isPoll) lastLook = Date.now();
      const seen = await lookAll(queue, wanted).catch((error: unknown) => {
        if (Date.now() - lastAnswer > OUTAGE_MS) throw queueUnavailable(queue.address, error);
        return null;
      });
      if (seen !== null) {
        if (wanted.length > 0) lastAnswer = Date.now();
        for (const [id, each] of seen) {
          const settled = open.get(id)?.state(each, { queue, isPoll }) ?? null;
          if (settled !== null) end(id, settled);
        }
        const isWaiting = [...seen.values()].some((each) => each?.state === 'waiting');
        await idle(isPoll && isWaiting);
      }
      if (Date.now() >= deadline) for (const id of open.keys()) end(id, rejected(tooLong(queue, id)));
      const untilPoll = lastLook + pollMs - Date.now();
      const waitMs = Math.min(seen === null ? POLL_MS : untilPoll, deadline - Date.now());
      if (open.size > 0 && named.size === 0) await timer.wait(Math.max(waitMs, 1));
    }
  } catch (error) {
    signal?.throwIfAborted();
    for (const id of open.keys()) end(id, rejected(error));
  } finally {
    signal?.removeEventListener('abort', timer.wake);
    await stopListening(events);
  }
  return results;
}

const rejected = (reason: unknown) => ({ status: 'rejected', reason }) as const;

async function lookAll(
  queue: RollbackQueue,
  ids: readonly RequestId[],
): Promise<Map<RequestId, Seen | null>> {
  return new Map(await Promise.all(ids.map(async (id) => [id, await look(queue, id)] as const)));
}

/** Tells once that they wait and no worker is there. */
function idleWatch({ jobs }: RollbackQueue, onIdle: (() => void) | undefined) {
  let since: number | null = Date.now();
  return async (isWaiting: boolean) => {
    if (!isWaiting || since === null || Date.now() - since < IDLE_MS) return;
    since = null;
    const workers = await jobs.getWorkersCount().catch(() => 1);
    if (workers === 0) onIdle?.();
  };
}

interface Seen {
  state: string;
  job: Job<RollbackJob, RollbackResult>;
}

/** Reads the state first: a job read after its state is `completed` has its result. */
async function look({ jobs }: RollbackQueue, id: RequestId): Promise<Seen | null> {
  const state = await jobs.getJobState(id);
  const job = state === 'unknown' ? undefined : await jobs.getJob(id);
  return job === undefined ? null : { state, job };
}

interface Reporter {
  progress(data: unknown): void;
  /** What it has ended with; null where it has not. */
  state(seen: Seen | null, at: Polling): PromiseSettledResult<RollbackResult> | null;
}

interface Polling {
  readonly queue: RollbackQueue;
  /** Not because of an event. */
  readonly isPoll: boolean;
}

function reporter(id: RequestId, { onStep, onRetry }: FollowManyOptions): Reporter {
  let reached = -1;
  let attempts = 0;
  let missing = 0;
  const progress = (data: unknown) => {
    for (const done of parseProgress(data)) {
      if (STEPS.indexOf(done.step) <= reached) continue;
      reached = STEPS.indexOf(done.step);
      onStep?.(id, done);
    }
  };
  const retry = ({ attemptsMade, delay, failedReason }: Seen['job']) => {
    // A job that was left to another worker counts for a moment as tried, and has no reason.
    if (attemptsMade <= attempts || !failedReason) return;
    attempts = attemptsMade;
    onRetry?.(id, { attempt: attemptsMade, waitMs: delay, failure: decodeFailure(failedReason) });
  };
  const state = (seen: Seen | null, { queue, isPoll }: Polling) => {
    if (isPoll || seen !== null) missing = seen === null ? missing + 1 : 0;
    // A retry removes the failed job and adds it again: only absence from two polls in a row counts.
    if (seen === null) return missing > 1 ? rejected(lost(queue, id)) : null;
    const { state, job } = seen;
    progress(job.progress);
    if (state === 'failed') return rejected(decodeFailure(job.failedReason));
    if (state === 'delayed') retry(job);
    if (state !== 'completed') return null;
    try {
      return { status: 'fulfilled', value: parseResult(job.returnvalue) } as const;
    } catch (error) {
      return rejected(error);
    }
  };
  return { progress, state };
}

function listen({ redisUrl }: RollbackQueue, since: string): QueueEvents {
  const events = new QueueEvents(QUEUE, {
    // BullMQ connects a copy of it.
    connection: connectToStay(redisUrl, { lazyConnect: true }),
    prefix: PREFIX,
    lastEventId: since,
  });
  // Polling decides; events only make it faster.
  events.on('error', () => undefined);
  return events;
}

function lost({ address }: RollbackQueue, id: RequestId): BacktrailError {
  return new BacktrailError(
    'QUEUE_UNAVAILABLE',
    `The queue at ${address} lost rollback ${id}: Redis was flushed, or restarted without its data.`,
    {
      hint: 'Its request is in the ledger: `backtrail request show ID` shows the result.',
      details: { requestId: id, lost: true },
    },
  );
}

function tooLong({ address }: RollbackQueue, id: RequestId): BacktrailError {
  return new BacktrailError('QUEUE_UNAVAILABLE', `Rollback ${id} is still in the queue at ${address}.`, {
    hint: 'It continues without being followed; is a worker running? `backtrail request show ID` shows the result.',
    details: { requestId: id },
  });
}
