/** Hands a confirmed rollback to a worker, and follows it. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  BacktrailError,
  type Engine,
  formatCoordinates,
  isFailure,
  type RollbackRequest,
  type RollbackResult,
} from '../engine/index.ts';
import { enqueueRollback, followRollback, type RollbackQueue } from '../workers/index.ts';
import { Interrupted, interruptible } from './interrupt.ts';
import { publishedResult } from './published.ts';
import type { Session } from './session.ts';

export interface Enqueuing {
  readonly session: Session;
  readonly engine: Engine;
  readonly queue: RollbackQueue;
  readonly wait: boolean;
  readonly say: (line: string) => void;
}

/** Ctrl-C ends the following only: the rollback goes on. */
export async function enqueue(request: RollbackRequest, to: Enqueuing): Promise<RollbackResult> {
  const { queue, wait, say } = to;
  const { config } = to.session;
  const job = { v: 1, request, repo: to.engine.location(), ...(config && { config }) } as const;
  const carryOut = async (signal: AbortSignal) => {
    const { since } = await enqueueRollback(queue, job);
    return wait ? follow(queue, request, { since, say, signal }) : detached(request);
  };
  return interruptible(
    (signal) => carryOut(signal).catch((error: unknown) => lookOnBranch(error, request, to)),
    (signal, error) => Promise.reject(error instanceof Interrupted ? goesOn(signal, request) : error),
  );
}

function goesOn(signal: Interrupted['signal'], { id }: RollbackRequest): Interrupted {
  return new Interrupted(
    signal,
    `Rollback ${id} is no longer followed; it goes on in the queue.`,
    '`backtrail log` shows it when it is published.',
  );
}

/**
 * A queue that was lost says nothing about the rollback: the branch does. Where it does not hold it, a second run must
 * name the target: `previous` would go one revision further back if the first one were published after all.
 */
async function lookOnBranch(
  error: unknown,
  request: RollbackRequest,
  { engine, say }: Enqueuing,
): Promise<RollbackResult> {
  if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE') throw error;
  const { message, details } = error;
  const failWith = (hint: string) =>
    new BacktrailError('QUEUE_UNAVAILABLE', message, { hint, details, cause: error });
  const again = `run it again with --to ${request.target}: that is never done twice.`;
  const done = await publishedResult(engine, request).catch(() => {
    throw failWith(`The branch cannot be asked whether it was published; ${again}`);
  });
  if (done === null) throw failWith(`The branch does not hold the rollback yet; ${again}`);
  say(`  ${message} The branch holds the rollback.`);
  return done;
}

async function follow(
  queue: RollbackQueue,
  request: RollbackRequest,
  { since, say, signal }: { since: string; say: (line: string) => void; signal: AbortSignal },
): Promise<RollbackResult> {
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

function detached(request: RollbackRequest): RollbackResult {
  return {
    requestId: request.id,
    status: 'executing',
    mode: request.scope.mode,
    scope: formatCoordinates(request.scope),
    base: request.base,
    target: request.target,
    commit: null,
    deliveryCommit: null,
    digest: request.digest,
    findings: [],
  };
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
