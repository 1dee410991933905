import { randomUUID } from 'node:crypto';
import { Worker } from 'bullmq';
import type { RequestId, RollbackResult } from '../engine/model/index.ts';
import { clientName } from './client-name.ts';
import { waitBefore, withJitter } from './failure-policy.ts';
import { decodeFailure, toFailure } from './failure-wire.ts';
import type { Logger } from './log.ts';
import type { Observing } from './observing/observer.ts';
import { observerOf } from './observing/of-worker.ts';
import { watchOutages } from './outage.ts';
import type { Outage } from './outage.ts';
import type { RollbackJob } from './payload.ts';
import { startReconciler } from './reconciler.ts';
import type { Reconciling } from './reconciler.ts';
import { addressOf, connectToStay, PREFIX, QUEUE, within } from './redis.ts';
import { createRepositoryLease } from './redis/repository-lease.ts';
import { runJob } from './run-job.ts';
import type { ExecuteRollback } from './run-job.ts';

export interface WorkerSetup {
  readonly redisUrl: string;
  readonly execute: ExecuteRollback;
  /** Where absent, ledgers are left to others. */
  readonly reconciling?: Reconciling;
  /** Where absent, no cluster is asked. */
  readonly observing?: Observing | undefined;
  readonly logger: Logger;
  /** Rollbacks at the same time; 500 unless said otherwise, as `executeInBatches` publishes those of a repository together. */
  readonly concurrency?: number;
  /** The only repositories that it serves, spelled as in the requests; all where absent. Others are left to other workers. */
  readonly allowedRepos?: readonly string[];
  /** Shown in logs and in the queue. */
  readonly name?: string;
  /** [0, 1), for the waits between attempts and between looks at a ledger. */
  readonly random?: () => number;
}

export interface RunningWorker {
  /** Takes no more jobs, lets each one finish its step, gives it back to the queue, and closes every connection. */
  close(): Promise<void>;
  /**
   * For whoever publishes a rollback of this repository in this process and without a job: null where this worker, or another one, has rollbacks in hand that
   * would rather go in one push. What it gives is called in the end, and may be called again. Nothing depends on it but how often somebody plans in vain.
   */
  claim(repo: string): Promise<(() => void) | null>;
}

/**
 * A killed worker's job runs again after lock and check, at most seven seconds. A worker that could not renew a lock for
 * so long (blocked, or cut off from Redis) shares its job with another; the branch keeps that harmless.
 */
const LOCK_MS = 5000;
const STALLED_CHECK_MS = 1000;
/** How many workers may die with the same rollback in hand before it is given up. */
const MAX_DEATHS = 20;
const CLOSE_MS = 2000;
const LOOK_MS = 250;
/** So long it takes no job, where another worker is to take one that came back: longer than that needs, shorter than anyone notices. */
const STEP_BACK_MS = 300;

type RollbackWorker = Worker<RollbackJob, RollbackResult, 'rollback'>;

/** Starts at once and keeps trying while Redis is away. Throws INVALID_REQUEST for an address that is none. */
export function startWorker(setup: WorkerSetup): RunningWorker {
  const { redisUrl, logger, concurrency = 500, name = 'worker', random = Math.random } = setup;
  const { reconciling, allowedRepos } = setup;
  const address = addressOf(redisUrl);
  const redis = connectToStay(redisUrl);
  const outage = watchOutages(redis, { address, logger });
  const stopping = new AbortController();
  const inHand = new Map<Promise<unknown>, RequestId | undefined>();
  const holds = (id: RequestId) => [...inHand.values()].includes(id);
  const reconciler =
    reconciling && startReconciler({ ...reconciling, redisUrl, logger, allowedRepos, inHand: holds, random });
  const observer = observerOf({ ...setup, redis, random });
  const onRepo = (repo: string) => {
    reconciler?.add(repo);
    observer.add(repo);
  };
  /** A queue that does not answer holds nothing up. */
  const more = async () =>
    inHand.size < concurrency && (await within(LOOK_MS, redis.llen(worker.toKey('wait'))).catch(() => 0)) > 0;
  const lease = createRepositoryLease({
    redis,
    id: randomUUID(),
    hasRoom: () => inHand.size < concurrency,
  });
  let resuming: NodeJS.Timeout | undefined;
  const stepBack = () => {
    if (closing !== undefined || worker.isPaused()) return;
    void worker.pause(true);
    resuming = setTimeout(() => void worker.resume(), STEP_BACK_MS);
  };
  const worker: RollbackWorker = new Worker<RollbackJob, RollbackResult, 'rollback'>(
    QUEUE,
    (job, token) => {
      const running = runJob({
        job,
        token,
        setup,
        onRepo,
        signal: stopping.signal,
        more,
        lease,
        stepBack,
      });
      inHand.set(running, job.id);
      return running.finally(() => inHand.delete(running));
    },
    {
      connection: redis,
      prefix: PREFIX,
      concurrency,
      name: clientName(name, allowedRepos),
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_DEATHS,
      runRetryDelay: 1000,
      // Seconds: only one of the workers that wait is told of a rollback that comes back, so each looks by itself.
      drainDelay: 1,
      settings: { backoffStrategy: (failures: number) => withJitter(waitBefore(failures), random) },
    },
  );
  logWorker(worker, { logger, outage });
  worker.on('completed', ({ data }) => observer.published(data.repo));
  logger.info({ redis: address, concurrency }, 'worker started');
  let closing: Promise<void> | undefined;
  const close = async () => {
    clearTimeout(resuming);
    // In this order: a worker that is closing takes no job in place of the one that it gives back.
    const closed = worker.close();
    stopping.abort(new DOMException('The worker stops.', 'AbortError'));
    outage.expected();
    await Promise.allSettled([...inHand.keys(), lease.close(), reconciler?.close(), observer.close()]);
    await within(CLOSE_MS, closed).catch(() =>
      worker
        .getBackend()
        .close(true)
        .catch(() => undefined),
    );
    redis.disconnect();
    logger.info('worker stopped');
  };
  const claimed = new Set<string>();
  const claim = async (repo: string) => {
    const isBusy = () => closing !== undefined || inHand.size > 0 || claimed.has(repo);
    if (isBusy() || (await lease.claim(repo)) !== 'here' || isBusy()) return null;
    claimed.add(repo);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      claimed.delete(repo);
      if (inHand.size === 0) void lease.release(repo);
    };
  };
  return { close: () => (closing ??= close()), claim };
}

function logWorker(worker: RollbackWorker, { logger, outage }: { logger: Logger; outage: Outage }): void {
  worker.on('error', (error) => {
    if (!outage.covers(error) && !isLostLock(error)) logger.warn({ err: error }, 'queue error');
  });
  // BullMQ says it of every rollback, at every turn, for as long as it takes.
  const lost = new Set<string>();
  worker.on('active', ({ id = '' }) => lost.delete(id));
  worker.on('lockRenewalFailed', (ids) => {
    const fresh = ids.filter((id) => !lost.has(id));
    for (const id of fresh) lost.add(id);
    if (fresh.length > 0)
      logger.warn(
        { rollbacks: fresh.length },
        'the queue lost rollbacks in hand; they are finished all the same',
      );
  });
  worker.on('stalled', (requestId) =>
    logger.warn({ requestId }, 'its worker went away; the rollback runs again'),
  );
  worker.on('failed', (job, error) => {
    const failure = error.cause === undefined ? decodeFailure(error.message) : toFailure(error.cause);
    const { code, message, cause } = failure;
    const err = code === 'INTERNAL' ? cause : undefined;
    const retryInMs = job?.finishedOn === undefined ? job?.delay : undefined;
    const text = retryInMs === undefined ? 'rollback failed' : 'attempt failed; it will be tried again';
    logger.error({ requestId: job?.id, code, message, attempt: job?.attemptsMade, retryInMs, err }, text);
  });
}

const isLostLock = ({ message }: Error) => message.startsWith('could not renew lock for job ');
