/** What becomes of a request that a server executes. */
import {
  BacktrailError,
  type Finding,
  type RequestView,
  resultOf,
  type RollbackResult,
} from '../../engine/index.ts';
import { failureAs } from './http.ts';

/** How a server's work is waited for. */
export interface Waiting {
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds after which what nobody executes is left to a worker that is started later. */
  readonly leftMs: number;
}

export const LEFT_MS = 30_000;
export const LEFT: Finding = {
  code: 'QUEUE_UNAVAILABLE',
  severity: 'warn',
  message: 'It is approved, and no worker has begun with it: one that is started later finds it.',
  hint: 'Ask whoever runs the server whether a worker and Redis run.',
};
/** Milliseconds between two looks at what a server executes. */
const FIRST_LOOK = 200;
const LAST_LOOK = 2000;

interface Following extends Waiting {
  readonly show: (id: string) => Promise<RequestView>;
}

/** Until it is over: the server executes it, also where nobody waits any more. */
export async function follow(
  { show, sleep, leftMs }: Following,
  id: string,
  signal?: AbortSignal,
): Promise<RollbackResult> {
  const aborted = new Promise<void>((resolve) =>
    signal?.addEventListener('abort', () => resolve(), { once: true }),
  );
  let waited = 0;
  for (let wait = FIRST_LOOK; ; wait = Math.min(2 * wait, LAST_LOOK)) {
    const found = await show(id);
    const result = outcomeOf(found);
    if (result !== null) return result;
    waited = found.status === 'approved' ? waited + wait : 0;
    if (waited > leftMs) return resultOf(found, 'approved', { findings: [LEFT] });
    signal?.throwIfAborted();
    await Promise.race([sleep(wait), aborted]);
    signal?.throwIfAborted();
  }
}

export const commitOf = ({ result }: RequestView): string | null =>
  result !== null && 'commit' in result ? result.commit : null;

/** null while it is under way. @throws what it failed with, AWAITING_APPROVAL, REQUEST_CLOSED */
function outcomeOf(request: RequestView): RollbackResult | null {
  const { id, status, result, proposed, pullRequest } = request;
  if (result !== null && result.status !== 'failed') return resultOf(request, result.status, result);
  if (result?.status === 'failed' && status === 'failed') throw failureAs(result);
  if (status === 'pending')
    throw new BacktrailError('AWAITING_APPROVAL', `Request ${id} waits for approval.`);
  if (status !== 'approved' && status !== 'executing')
    throw new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${status}.`);
  if (proposed === null) return null;
  const { via, branch, commit, deliveryCommit } = proposed;
  return resultOf(request, 'proposed', {
    commit,
    deliveryCommit,
    proposed: { via, branch, into: request.place?.branch ?? '' },
    ...(pullRequest && { pullRequest }),
  });
}
