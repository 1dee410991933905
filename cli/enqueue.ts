/** Hands a request of the ledger to a worker, and follows it. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  BacktrailError,
  type Engine,
  isFailure,
  type RequestView,
  resultOf,
  type RollbackResult,
} from '../engine/index.ts';
import type { RollbackQueue } from '../workers/index.ts';
import { Interrupted, interruptible } from './terminal/interrupt.ts';

export interface Enqueuing {
  readonly engine: Engine;
  readonly queue: RollbackQueue;
  /** Wait for the result. */
  readonly wait: boolean;
  readonly print: (line: string) => void;
}

export type ApprovedRequest = Pick<RequestView, 'id' | 'scope' | 'base' | 'target' | 'digest'>;

/** Ctrl-C stops the waiting only: the rollback continues in the queue. */
export async function enqueue(request: ApprovedRequest, to: Enqueuing): Promise<RollbackResult> {
  return interruptible(
    (signal) => enqueueAndFollow(request, to, signal),
    (signal, error) =>
      Promise.reject(error instanceof Interrupted ? noLongerFollowed(signal, request) : error),
  );
}

/** The ledger survives a flushed queue: the request is enqueued up to this many times. */
const ROUNDS = 3;

/** The same within a signal of the caller's. */
async function enqueueAndFollow(
  request: ApprovedRequest,
  to: Enqueuing,
  signal: AbortSignal,
): Promise<RollbackResult> {
  const { engine, queue, wait, print } = to;
  for (let round = 1; ; round += 1) {
    try {
      const { enqueueRollback } = await import('../workers/index.ts');
      const { since } = await enqueueRollback(queue, {
        v: 2,
        requestId: request.id,
        repo: withoutLogin(engine.location()),
      });
      return wait ? await follow(to, request, { since, signal }) : resultOf(request, 'executing');
    } catch (error) {
      if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE') throw error;
      const done = await resultOnBranch(error, request, engine);
      if (done !== null) {
        print(`  ${error.message} The rollback is on the branch.`);
        return done;
      }
      if (error.details['lost'] !== true || round === ROUNDS) throw leftInLedger(error, request);
      print(`  ${error.message} It is queued again.`);
    }
  }
}

/** When the queue is lost, the branch shows whether the rollback was published. */
async function resultOnBranch(
  error: BacktrailError,
  request: ApprovedRequest,
  engine: Engine,
): Promise<RollbackResult | null> {
  try {
    return (await engine.findRequest(request.id)) === null
      ? null
      : await engine.rollbacks.execute(request.id);
  } catch {
    throw leftInLedger(error, request);
  }
}

function leftInLedger(error: BacktrailError, { id }: ApprovedRequest): BacktrailError {
  return new BacktrailError('QUEUE_UNAVAILABLE', error.message, {
    hint: `The request is in the ledger, and a worker executes it when the queue is back; \`backtrail request show ${id}\` shows the result.`,
    details: error.details,
    cause: error,
  });
}

function noLongerFollowed(signal: Interrupted['signal'], { id }: ApprovedRequest): Interrupted {
  return new Interrupted(
    signal,
    `Rollback ${id} is no longer followed; it continues in the queue.`,
    `\`backtrail request show ${id}\` shows the result.`,
  );
}

async function follow(
  { queue, print }: Enqueuing,
  request: ApprovedRequest,
  { since, signal }: { since: string; signal: AbortSignal },
): Promise<RollbackResult> {
  const { followRollback } = await import('../workers/index.ts');
  print(`  queued ${request.id} at ${queue.address}`);
  return followRollback(queue, request.id, {
    since,
    signal,
    onStep: ({ step }) => print(`  ✓ ${step}`),
    onRetry: ({ attempt, waitMs, failure }) =>
      print(
        `  attempt ${attempt} failed (${failure.code}: ${failure.message}); the next one in ${Math.ceil(waitMs / 1000)} s`,
      ),
    onIdle: () => print('  no worker is connected; start one with `backtrail worker`'),
  });
}

/** A worker runs in another folder: paths become absolute, without links; URLs and git's `host:path` stay. */
export function address(repo: string): string {
  if (/^[A-Za-z][\w+.-]*:\/\/|^[^/.][^/]*:/.test(repo)) return repo;
  try {
    return realpathSync(repo);
  } catch {
    return resolve(repo);
  }
}

/** Workers use their own credentials: none are put into the queue. An ssh user name is not a secret. */
export function withoutLogin(location: string): string {
  return location.replace(/^(https?:\/\/)[^/?#]*@/i, '$1');
}
