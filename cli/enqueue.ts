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
  /** Follow it to its end? */
  readonly wait: boolean;
  readonly say: (line: string) => void;
}

export type ApprovedRequest = Pick<RequestView, 'id' | 'scope' | 'base' | 'target' | 'digest'>;

/** Ctrl-C ends the following only: the rollback goes on. */
export async function enqueue(request: ApprovedRequest, to: Enqueuing): Promise<RollbackResult> {
  return interruptible(
    (signal) => enqueueAndFollow(request, to, signal),
    (signal, error) => Promise.reject(error instanceof Interrupted ? goesOn(signal, request) : error),
  );
}

/** A queue that was flushed has lost nothing that the ledger holds: so often it is given the request again. */
const ROUNDS = 3;

async function enqueueAndFollow(
  request: ApprovedRequest,
  to: Enqueuing,
  signal: AbortSignal,
): Promise<RollbackResult> {
  const { engine, queue, wait, say } = to;
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
      const done = await lookOnBranch(error, request, engine);
      if (done !== null) {
        say(`  ${error.message} The branch holds the rollback.`);
        return done;
      }
      if (error.details['lost'] !== true || round === ROUNDS) throw inLedger(error, request);
      say(`  ${error.message} It is queued again.`);
    }
  }
}

/** A queue that was lost says nothing about the rollback: the branch does. */
async function lookOnBranch(
  error: BacktrailError,
  request: ApprovedRequest,
  engine: Engine,
): Promise<RollbackResult | null> {
  try {
    return (await engine.findRequest(request.id)) === null
      ? null
      : await engine.rollbacks.execute(request.id);
  } catch {
    throw inLedger(error, request);
  }
}

function inLedger(error: BacktrailError, { id }: ApprovedRequest): BacktrailError {
  return new BacktrailError('QUEUE_UNAVAILABLE', error.message, {
    hint: `The request is in the ledger, and a worker takes it up when the queue is back; \`backtrail request show ${id}\` says what became of it.`,
    details: error.details,
    cause: error,
  });
}

function goesOn(signal: Interrupted['signal'], { id }: ApprovedRequest): Interrupted {
  return new Interrupted(
    signal,
    `Rollback ${id} is no longer followed; it goes on in the queue.`,
    `\`backtrail request show ${id}\` says what became of it.`,
  );
}

async function follow(
  { queue, say }: Enqueuing,
  request: ApprovedRequest,
  { since, signal }: { since: string; signal: AbortSignal },
): Promise<RollbackResult> {
  const { followRollback } = await import('../workers/index.ts');
  say(`  queued ${request.id} at ${queue.address}`);
  return followRollback(queue, request.id, {
    since,
    signal,
    onStep: ({ step }) => say(`  ✓ ${step}`),
    onRetry: ({ attempt, waitMs, failure }) =>
      say(
        `  attempt ${attempt} failed (${failure.code}: ${failure.message}); the next one in ${Math.ceil(waitMs / 1000)} s`,
      ),
    onIdle: () => say('  no worker is connected; start one with `backtrail worker`'),
  });
}

/** A worker stands in another folder: paths become absolute, without links; URLs and git's `host:path` stay. */
export function address(repo: string): string {
  if (/^[A-Za-z][\w+.-]*:\/\/|^[^/.][^/]*:/.test(repo)) return repo;
  try {
    return realpathSync(repo);
  } catch {
    return resolve(repo);
  }
}

/** A worker brings a credentials of its own: none goes through the queue. The name of a user of ssh is no secret. */
export function withoutLogin(location: string): string {
  return location.replace(/^(https?:\/\/)[^/?#]*@/i, '$1');
}
