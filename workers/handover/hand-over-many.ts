/** Hands many requests of the ledger to the workers at once, and follows them through one connection. */
import { isFailure, type RequestId, resultOf, type RollbackResult } from '../../engine/model/index.ts';
import { type Followed, followMany } from '../follow.ts';
import { enqueueMany } from '../queue.ts';
import { type ApprovedRequest, withoutLogin } from './engine.ts';
import type { Handover } from './hand-over.ts';
import { provenResults } from './proven-result.ts';

/** Those of which each step is shown; of more, how many have ended. */
const SHOWN = 20;

/** The ledger survives a flushed queue: what was lost there is enqueued up to this many times. */
const ROUNDS = 3;

/** What came of each, as the branch has it. @throws QUEUE_UNAVAILABLE where they cannot be handed over */
export async function handOverMany(
  requests: readonly (ApprovedRequest & { readonly scopeName: string })[],
  { engine, queue, wait, print: printAll, signal }: Handover,
): Promise<Followed> {
  const names = new Map(requests.map(({ id, scopeName }) => [id, scopeName]));
  const repo = withoutLogin(engine.location());
  const print = (id: RequestId, line: string) => printAll(`${names.get(id) ?? id}: ${line}`);
  const isFew = requests.length <= SHOWN;
  const onEnd = isFew ? () => undefined : countEnded(requests.length, printAll);
  const followed = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  let left = requests.map(({ id }) => id);
  for (let round = 1; left.length > 0 && round <= ROUNDS; round += 1) {
    if (round > 1) printAll(`The queue lost ${left.length} of them, which are queued again.`);
    const { since } = await enqueueMany(
      queue,
      left.map((requestId) => ({ v: 2 as const, requestId, repo })),
    );
    if (!wait) break;
    const ended = await followMany(queue, left, {
      since,
      ...(isFew && { onStep: (id, { step }) => print(id, step) }),
      onRetry: (id, { failure, waitMs }) =>
        print(id, `${failure.code}, again in ${Math.ceil(waitMs / 1000)} s`),
      onIdle: () => printAll('no worker is connected; start one with `backtrail worker`'),
      onEnd,
      ...(signal && { signal }),
    });
    for (const [id, settled] of ended) followed.set(id, settled);
    left = left.filter((id) => isLost(ended.get(id)));
  }
  if (wait) return provenResults(engine, requests, followed);
  return new Map(
    requests.map((request) => [
      request.id,
      { status: 'fulfilled', value: resultOf(request, 'executing') } as const,
    ]),
  );
}

const isLost = (settled: PromiseSettledResult<RollbackResult> | undefined) =>
  settled?.status === 'rejected' && isFailure(settled.reason) && settled.reason.details['lost'] === true;

/** How often a line is written, in milliseconds. */
const LINE_MS = 1000;

/** `312 of 500 have ended` */
function countEnded(all: number, print: (line: string) => void): (id: RequestId) => void {
  const ended = new Set<RequestId>();
  let printed = 0;
  return (id) => {
    ended.add(id);
    const now = performance.now();
    if (ended.size < all && now - printed < LINE_MS) return;
    printed = now;
    print(`${ended.size} of ${all} have ended`);
  };
}
