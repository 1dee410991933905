import { UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import { BacktrailError } from '../engine/model/index.ts';
import type { RollbackRequest, RollbackResult, Step } from '../engine/model/index.ts';
import { mayPass, waitBefore, withJitter } from './failure-policy.ts';
import { decodeFailure, encodeFailure, toFailure } from './failure-wire.ts';
import type { Logger } from './log.ts';
import { addProgress, parseJob } from './payload.ts';
import type { RollbackJob } from './payload.ts';
import { addressOf, PREFIX, QUEUE, stayingOptions, within } from './redis.ts';

/**
 * Carries a confirmed rollback out. Safe to call again for the same request, in any process, at any time.
 * `signal` aborted: the step in hand is finished, then it rejects with the signal's reason.
 */
export type ExecuteRollback = (input: {
  readonly request: RollbackRequest;
  readonly repo: string;
  readonly config?: { readonly name: string; readonly text: string };
  readonly onStep: (event: StepDone) => Promise<void>;
  readonly signal: AbortSignal;
}) => Promise<RollbackResult>;

export interface StepDone {
  readonly step: Step;
  readonly commit?: string;
  readonly deliveryCommit?: string | null;
  readonly digest?: string;
}

export interface WorkerSetup {
  readonly redisUrl: string;
  readonly execute: ExecuteRollback;
  readonly logger: Logger;
  /** Rollbacks at the same time; 2 unless said otherwise. */
  readonly concurrency?: number;
  /** The only repositories that it serves, spelled as in the requests; all where absent. */
  readonly allowedRepos?: readonly string[];
  /** Shown in logs and in the queue. */
  readonly name?: string;
  /** [0, 1), for the waits between attempts. */
  readonly random?: () => number;
}

export interface RunningWorker {
  /** Takes no more jobs, lets each one finish its step, gives it back to the queue, and closes every connection. */
  close(): Promise<void>;
}

/**
 * A killed worker's job runs again after lock and check, at most seven seconds. A worker that could not renew a lock for
 * so long (blocked, or cut off from Redis) shares its job with another; the branch keeps that harmless.
 */
const LOCK_MS = 5000;
const STALLED_CHECK_MS = 1000;
/** How many workers may die with the same rollback in hand before it is given up. */
const MAX_DEATHS = 20;
/** Telling the queue must not hold a rollback up. */
const PROGRESS_MS = 1000;
const CLOSE_MS = 2000;

type RollbackWorker = Worker<RollbackJob, RollbackResult, 'rollback'>;

/** Starts at once and keeps trying while Redis is away. Throws INVALID_REQUEST for an address that is none. */
export function startWorker(setup: WorkerSetup): RunningWorker {
  const { redisUrl, logger, concurrency = 2, name = 'worker', random = Math.random } = setup;
  const redis = new Redis(redisUrl, stayingOptions);
  const outage = watchOutages(redis, { address: addressOf(redisUrl), logger });
  const stopping = new AbortController();
  const inHand = new Set<Promise<unknown>>();
  const worker: RollbackWorker = new Worker<RollbackJob, RollbackResult, 'rollback'>(
    QUEUE,
    (job, token) => {
      const running = runJob({ job, token, setup, signal: stopping.signal });
      inHand.add(running);
      return running.finally(() => inHand.delete(running));
    },
    {
      connection: redis,
      prefix: PREFIX,
      concurrency,
      name,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_DEATHS,
      runRetryDelay: 1000,
      settings: { backoffStrategy: (failures: number) => withJitter(waitBefore(failures), random) },
    },
  );
  logWorker(worker, { logger, outage });
  logger.info({ name, redis: addressOf(redisUrl), concurrency }, 'worker started');
  let closing: Promise<void> | undefined;
  const close = async () => {
    // In this order: a worker that is closing takes no job in place of the one that it gives back.
    const closed = worker.close();
    stopping.abort(new DOMException('The worker stops.', 'AbortError'));
    outage.expected();
    await Promise.allSettled(inHand);
    await within(CLOSE_MS, closed).catch(() =>
      worker
        .getBackend()
        .close(true)
        .catch(() => undefined),
    );
    redis.disconnect();
    logger.info({ name }, 'worker stopped');
  };
  return { close: () => (closing ??= close()) };
}

interface Run {
  job: Job<RollbackJob, RollbackResult>;
  token: string | undefined;
  setup: WorkerSetup;
  signal: AbortSignal;
}

async function runJob({ job, token, setup, signal }: Run): Promise<RollbackResult> {
  const started = performance.now();
  const log = setup.logger.child({ requestId: job.id });
  const durationMs = () => Math.round(performance.now() - started);
  try {
    const { request, repo, config } = admit(job, setup.allowedRepos);
    log.info({ scope: request.scope, repo, attempt: job.attemptsMade + 1 }, 'rollback started');
    const onStep = async (event: StepDone) => {
      log.info({ ...event, durationMs: durationMs() }, `step ${event.step} done`);
      await tell(job, event, log);
    };
    const result = await setup.execute({ request, repo, ...(config && { config }), onStep, signal });
    log.info({ status: result.status, commit: result.commit, durationMs: durationMs() }, 'rollback done');
    return result;
  } catch (error) {
    if (signal.aborted && isAbort(error, signal)) {
      await giveBack({ job, token, log });
      throw new WaitingError();
    }
    log.debug({ err: error, durationMs: durationMs() }, 'attempt failed');
    throw queueError(error);
  }
}

function admit(job: Job<RollbackJob>, allowedRepos: readonly string[] | undefined): RollbackJob {
  const payload = parseJob(job.data);
  if (payload.request.id !== job.id)
    throw new BacktrailError('INVALID_REQUEST', `Job ${job.id ?? ''} carries another request's id.`);
  if (allowedRepos !== undefined && !allowedRepos.includes(payload.repo))
    throw new BacktrailError('FORBIDDEN', `This worker does not serve the repository ${payload.repo}.`);
  return payload;
}

/** The queue's view of progress is a courtesy: a flushed or unreachable queue does not stop a rollback. */
async function tell(job: Job<RollbackJob>, event: StepDone, log: Logger): Promise<void> {
  const { step, commit, deliveryCommit } = event;
  const progress = addProgress(job.progress, {
    step,
    ...(commit !== undefined && { commit }),
    ...(deliveryCommit !== undefined && { deliveryCommit }),
    at: new Date().toISOString(),
  });
  await within(PROGRESS_MS, job.updateProgress({ ...progress })).catch((error: unknown) =>
    log.warn({ err: error, step }, 'progress could not be told to the queue'),
  );
}

const isAbort = (error: unknown, signal: AbortSignal) =>
  error === signal.reason || (error instanceof Error && error.name === 'AbortError');

/** Back to the head of the queue, for another worker at once; it does not count as an attempt. */
async function giveBack({
  job,
  token,
  log,
}: {
  job: Job;
  token: string | undefined;
  log: Logger;
}): Promise<void> {
  try {
    await within(CLOSE_MS, job.moveToWait(token));
    log.info('rollback given back to the queue');
  } catch (error) {
    log.warn({ err: error }, 'rollback could not be given back; another worker takes it when its lock ends');
  }
}

/** The failure table decides about another attempt; the failure travels as text, without a stack. */
function queueError(error: unknown): Error {
  const failure = toFailure(error);
  const text = encodeFailure(failure);
  const outcome = mayPass(failure.code) ? new Error(text) : new UnrecoverableError(text);
  outcome.stack = '';
  outcome.cause = failure;
  return outcome;
}

interface Outage {
  /** Is this error of the connection, and thereby told already? */
  covers(error: Error): boolean;
  /** From here on a lost connection is what was asked for. */
  expected(): void;
}

/** One line when Redis goes away and one when it is back, however many commands and connections notice. */
function watchOutages(redis: Redis, { address, logger }: { address: string; logger: Logger }): Outage {
  let away = false;
  let quiet = false;
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason = error;
    leave();
  });
  redis.on('close', () => leave());
  redis.on('ready', () => {
    if (away) logger.info({ redis: address }, 'Redis is back');
    away = false;
    reason = undefined;
  });
  function leave() {
    if (away || quiet) return;
    away = true;
    logger.error({ redis: address, reason: reason?.message }, 'Redis is away; trying again until it is back');
  }
  return {
    covers: (error) => away || quiet || isConnectionError(error),
    expected: () => (quiet = true),
  };
}

function isConnectionError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code) ||
    /connection is closed/i.test(error.message)
  );
}

function logWorker(worker: RollbackWorker, { logger, outage }: { logger: Logger; outage: Outage }): void {
  worker.on('error', (error) => {
    if (!outage.covers(error)) logger.warn({ err: error }, 'queue error');
  });
  worker.on('stalled', (requestId) =>
    logger.warn({ requestId }, 'its worker went away; the rollback runs again'),
  );
  worker.on('failed', (job, error) => {
    const { code, message } =
      error.cause === undefined ? decodeFailure(error.message) : toFailure(error.cause);
    const retryInMs = job?.finishedOn === undefined ? job?.delay : undefined;
    const text = retryInMs === undefined ? 'rollback failed' : 'attempt failed; it will be tried again';
    logger.error({ requestId: job?.id, code, message, attempt: job?.attemptsMade, retryInMs }, text);
  });
}
