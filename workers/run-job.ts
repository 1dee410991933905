import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import type { Job } from 'bullmq';
import { BacktrailError } from '../engine/model/index.ts';
import type { RequestId, RollbackResult, Step } from '../engine/model/index.ts';
import { mayPass } from './failure-policy.ts';
import { encodeFailure, toFailure } from './failure-wire.ts';
import type { Logger } from './log.ts';
import { addProgress, parseJob } from './payload.ts';
import type { RollbackJob } from './payload.ts';
import { within } from './redis.ts';
import type { RepositoryLease } from './redis/repository-lease.ts';

/**
 * Executes a request of the ledger. Safe to call again for the same one, in any process, at any time.
 * `last`: no attempt follows a failure that may pass. `signal` aborted: the current step is finished, then it rejects with
 * the signal's reason.
 */
export type ExecuteRollback = (input: {
  readonly requestId: RequestId;
  readonly repo: string;
  readonly last: boolean;
  readonly onStep: (event: StepDone) => Promise<void>;
  readonly signal: AbortSignal;
  /** Whether this worker is about to take more jobs that wait. */
  readonly more?: () => Promise<boolean>;
  /** Which worker works on the repository now; nobody else does where absent. */
  readonly lease?: RepositoryLease;
  /** Whether it may be left to that worker: then it rejects with `HeldElsewhere`. */
  readonly mayLeave?: boolean;
}) => Promise<RollbackResult>;

/** Another worker works on the repository, and takes more: together, they need fewer pushes. */
export class HeldElsewhere extends Error {}

export interface StepDone {
  readonly step: Step;
  readonly commit?: string;
  readonly deliveryCommit?: string | null;
  readonly digest?: string;
}

/** Telling the queue must not hold a rollback up. */
const PROGRESS_MS = 1000;
const GIVE_BACK_MS = 2000;
/** Delay and number of attempts for another worker to take a rollback that this one does not serve: about a minute in total. */
const LEAVE_MS = 1000;
const LEAVE_LIMIT = 60;
/** So often it is left to the worker that works on its repository, before it is executed by whoever takes it. */
const HELD_LIMIT = 20;

interface Run {
  job: Job<RollbackJob, RollbackResult>;
  token: string | undefined;
  setup: { execute: ExecuteRollback; logger: Logger; allowedRepos?: readonly string[] };
  /** Told of each repository that is served here. */
  onRepo: (repo: string) => void;
  signal: AbortSignal;
  more: () => Promise<boolean>;
  lease: RepositoryLease;
  /** Takes no job for a moment, so that another worker does. */
  stepBack: () => void;
}

/**
 * One attempt at one job. What it throws tells BullMQ what to do with the job: fail it, retry it, or return it.
 */
export async function runJob(run: Run): Promise<RollbackResult> {
  const { job, token, setup, onRepo, signal, more, lease, stepBack } = run;
  const started = performance.now();
  const log = setup.logger.child({ requestId: job.id });
  const durationMs = () => Math.round(performance.now() - started);
  try {
    const { requestId, repo } = read(job);
    if (!serves(setup, repo)) return await leave({ job, token, log, repo });
    onRepo(repo);
    const attempt = job.attemptsMade + 1;
    const last = attempt >= (job.opts.attempts ?? 1);
    log.info({ repo, attempt }, 'rollback started');
    const onStep = async (event: StepDone) => {
      log.info({ ...event, durationMs: durationMs() }, `step ${event.step} done`);
      await tell(job, event, log);
    };
    signal.throwIfAborted();
    const mayLeave = takenInVain(job) <= HELD_LIMIT;
    const result = await setup.execute({ requestId, repo, last, onStep, signal, more, lease, mayLeave });
    const { status, scope, commit, pullRequest } = result;
    const done = { status, scope, commit, ...(pullRequest && { pullRequest: pullRequest.url }) };
    log.info(
      { ...done, durationMs: durationMs() },
      status === 'proposed' ? 'rollback proposed' : 'rollback done',
    );
    return result;
  } catch (error) {
    if (error instanceof DelayedError) throw error;
    if (error instanceof HeldElsewhere) {
      stepBack();
      await giveBack({ job, token, log });
      throw new WaitingError();
    }
    if (signal.aborted && isAbort(error, signal)) {
      await giveBack({ job, token, log });
      throw new WaitingError();
    }
    log.info({ code: toFailure(error).code, durationMs: durationMs() }, 'attempt ended without result');
    throw queueError(error);
  }
}

function read(job: Job<RollbackJob>): RollbackJob {
  const payload = parseJob(job.data);
  if (payload.requestId !== job.id)
    throw new BacktrailError('INVALID_REQUEST', `Job ${job.id ?? ''} names the id of another request.`);
  return payload;
}

const serves = ({ allowedRepos }: Run['setup'], repo: string) => allowedRepos?.includes(repo) ?? true;

/**
 * Workers of several repositories share one queue: the rollback waits a moment, for one that serves it, and that does
 * not count as an attempt. How often it was taken without an attempt says how long no one did; its age would not, as it
 * may have waited behind others. FORBIDDEN after about a minute.
 */
async function leave({ job, token, log, repo }: Leaving): Promise<never> {
  const taken = takenInVain(job);
  if (taken > LEAVE_LIMIT + HELD_LIMIT)
    throw new BacktrailError('FORBIDDEN', `No worker that serves the repository ${repo} took the rollback.`);
  if (taken === 1) log.info({ repo }, 'not served here; left to another worker');
  await within(GIVE_BACK_MS, job.moveToDelayed(Date.now() + LEAVE_MS, token)).catch((error: unknown) =>
    log.warn({ err: error }, 'rollback could not be left to another worker before its lock ends'),
  );
  throw new DelayedError();
}

/** How often it was taken without an attempt, this time included. */
const takenInVain = ({ attemptsStarted, attemptsMade }: Job) => attemptsStarted - attemptsMade;

type Leaving = Pick<Run, 'job' | 'token'> & { readonly log: Logger; readonly repo: string };

/** The queue's view of progress is a courtesy: a flushed or unreachable queue does not stop a rollback. */
async function tell(job: Job<RollbackJob>, event: StepDone, log: Logger): Promise<void> {
  const { step, commit, deliveryCommit } = event;
  const progress = addProgress(job.progress, {
    step,
    ...(commit !== undefined && { commit }),
    ...(deliveryCommit !== undefined && { deliveryCommit }),
    at: new Date().toISOString(),
  });
  await within(PROGRESS_MS, job.updateProgress({ ...progress })).catch((error: unknown) => {
    if (unheard.has(job)) return;
    unheard.add(job);
    log.warn({ err: error, step }, 'progress could not be reported to the queue');
  });
}

/** Once of each is enough: a flushed queue has forgotten all that a worker has in hand, and every step of it. */
const unheard = new WeakSet<Job>();

const isAbort = (error: unknown, signal: AbortSignal) =>
  error === signal.reason || (error instanceof Error && error.name === 'AbortError');

/** Back to the head of the queue, for another worker at once; it does not count as an attempt. */
async function giveBack({ job, token, log }: Pick<Run, 'job' | 'token'> & { log: Logger }): Promise<void> {
  try {
    await within(GIVE_BACK_MS, job.moveToWait(token));
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
