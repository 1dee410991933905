import { QueueEvents } from 'bullmq';
import type { Job } from 'bullmq';
import { BacktrailError, STEPS } from '../engine/model/index.ts';
import type { RequestId, RollbackResult } from '../engine/model/index.ts';
import { createWakeableTimer, type WakeableTimer } from './wakeable-timer.ts';
import { decodeFailure } from './failure-wire.ts';
import { parseProgress, parseResult } from './payload.ts';
import type { RollbackJob, RollbackProgress } from './payload.ts';
import { ask, lastEvent } from './queue.ts';
import type { RollbackQueue } from './queue.ts';
import { connectToStay, PREFIX, QUEUE, queueUnavailable, within } from './redis.ts';

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

const POLL_MS = 500;
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
  const { timeoutMs, signal } = options;
  const report = reporter(options);
  const timer = createWakeableTimer();
  const events = listen(queue, options.since ?? (await ask(queue, () => lastEvent(queue))));
  events.on('progress', ({ jobId, data }) => {
    if (jobId === id) report.progress(data);
  });
  for (const event of ['completed', 'failed', 'delayed', 'removed'] as const)
    events.on(event, ({ jobId }: { jobId: string }) => {
      if (jobId === id) timer.wake();
    });
  signal?.addEventListener('abort', timer.wake);
  const deadline = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
  try {
    return await watch({ queue, id, report, timer, deadline, ...(signal && { signal }) });
  } finally {
    signal?.removeEventListener('abort', timer.wake);
    await stopListening(events);
  }
}

interface Watch {
  queue: RollbackQueue;
  id: RequestId;
  report: Reporter;
  timer: WakeableTimer;
  deadline: number;
  signal?: AbortSignal;
}

async function watch({ queue, id, report, timer, deadline, signal }: Watch): Promise<RollbackResult> {
  let lastAnswer = Date.now();
  let missing = 0;
  for (;;) {
    signal?.throwIfAborted();
    const seen = await look(queue, id).catch((error: unknown) => {
      if (Date.now() - lastAnswer > OUTAGE_MS) throw queueUnavailable(queue.address, error);
      return 'no answer' as const;
    });
    if (seen !== 'no answer') {
      lastAnswer = Date.now();
      missing = seen === null ? missing + 1 : 0;
      // A retry removes the failed job and adds it again: only two absences in a row count.
      if (missing > 1) throw lost(queue, id);
      const result = seen === null ? null : await report.state(seen, queue);
      if (result !== null) return result;
    }
    if (Date.now() >= deadline) throw tooLong(queue, id);
    await timer.wait(Math.min(POLL_MS, Math.max(deadline - Date.now(), 1)));
  }
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
  /** The result, where the rollback has ended well; throws its failure. */
  state(seen: Seen, queue: RollbackQueue): Promise<RollbackResult | null>;
}

function reporter({ onStep, onRetry, onIdle }: FollowOptions): Reporter {
  let reached = -1;
  let attempts = 0;
  let idleSince: number | null = Date.now();
  const progress = (data: unknown) => {
    for (const done of parseProgress(data)) {
      if (STEPS.indexOf(done.step) <= reached) continue;
      reached = STEPS.indexOf(done.step);
      onStep?.(done);
    }
  };
  const idle = async (queue: RollbackQueue) => {
    if (idleSince === null || Date.now() - idleSince < IDLE_MS) return;
    idleSince = null;
    const workers = await queue.jobs.getWorkersCount().catch(() => 1);
    if (workers === 0) onIdle?.();
  };
  const retry = ({ attemptsMade, delay, failedReason }: Seen['job']) => {
    // A job that was left to another worker counts for a moment as tried, and has no reason.
    if (attemptsMade <= attempts || !failedReason) return;
    attempts = attemptsMade;
    onRetry?.({ attempt: attemptsMade, waitMs: delay, failure: decodeFailure(failedReason) });
  };
  const state = async ({ state, job }: Seen, queue: RollbackQueue) => {
    progress(job.progress);
    if (state === 'completed') return parseResult(job.returnvalue);
    if (state === 'failed') throw decodeFailure(job.failedReason);
    if (state === 'delayed') retry(job);
    if (state === 'waiting') await idle(queue);
    return null;
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

/** Closing in order waits for a Redis that may be away: then the connection is cut. */
async function stopListening(events: QueueEvents): Promise<void> {
  const closing = events.close().catch(() => undefined);
  try {
    await within(1000, closing);
  } catch {
    await events
      .getBackend()
      .close(true)
      .catch(() => undefined);
  }
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
