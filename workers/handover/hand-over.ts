/** Hands a request of the ledger to a worker, and follows it. */
import {
  BacktrailError,
  isFailure,
  type RequestId,
  resultOf,
  type RollbackResult,
} from '../../engine/model/index.ts';
import { followRollback } from '../follow.ts';
import { enqueueRollback, type RollbackQueue } from '../queue.ts';
import { type ApprovedRequest, type HandoverEngine, withoutLogin } from './engine.ts';
import { provenResult } from './proven-result.ts';

export interface Handover {
  readonly engine: HandoverEngine;
  readonly queue: RollbackQueue;
  /** Wait for the result, which is then what the branch has. */
  readonly wait: boolean;
  /** Progress, a line at a time. */
  readonly print: (line: string) => void;
  /** Aborted: following ends with the signal's reason; the rollback continues. */
  readonly signal?: AbortSignal;
}

/** The ledger survives a flushed queue: the request is enqueued up to this many times. */
const ROUNDS = 3;

/** @throws QUEUE_UNAVAILABLE where it cannot be handed over, and what the rollback fails with */
export async function handOver(request: ApprovedRequest, to: Handover): Promise<RollbackResult> {
  const work = () => enqueueAndFollow(request, to);
  return to.wait ? provenResult(to.engine, request.id, work, to.signal) : work();
}

async function enqueueAndFollow(request: ApprovedRequest, to: Handover): Promise<RollbackResult> {
  const { engine, queue, wait, print } = to;
  for (let round = 1; ; round += 1) {
    try {
      const { since } = await enqueueRollback(queue, {
        v: 2,
        requestId: request.id,
        repo: withoutLogin(engine.location()),
      });
      return wait ? await follow(to, request, since) : resultOf(request, 'executing');
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
  { id }: { readonly id: RequestId },
  engine: HandoverEngine,
): Promise<RollbackResult | null> {
  try {
    return (await engine.findRequest(id)) === null ? null : await engine.rollbacks.execute(id);
  } catch {
    throw leftInLedger(error, { id });
  }
}

function leftInLedger(error: BacktrailError, { id }: { readonly id: RequestId }): BacktrailError {
  return new BacktrailError('QUEUE_UNAVAILABLE', error.message, {
    hint: `The request is in the ledger, and a worker executes it when the queue is back; \`backtrail request show ${id}\` shows the result.`,
    details: error.details,
    cause: error,
  });
}

function follow(
  { queue, print, signal }: Handover,
  { id }: ApprovedRequest,
  since: string,
): Promise<RollbackResult> {
  print(`  queued ${id} at ${queue.address}`);
  return followRollback(queue, id, {
    since,
    ...(signal && { signal }),
    onStep: ({ step }) => print(`  ✓ ${step}`),
    onRetry: ({ attempt, waitMs, failure }) =>
      print(
        `  attempt ${attempt} failed (${failure.code}: ${failure.message}); the next one in ${Math.ceil(waitMs / 1000)} s`,
      ),
    onIdle: () => print('  no worker is connected; start one with `backtrail worker`'),
  });
}
