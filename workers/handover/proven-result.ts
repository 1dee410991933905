/** What came of a request that was handed to the queue, as the branch and the ledger have it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BacktrailError,
  isFailure,
  type RequestId,
  resultOf,
  type RollbackResult,
} from '../../engine/model/index.ts';
import type { Followed } from '../follow.ts';
import type { ApprovedRequest, HandoverEngine, KnownRequest } from './engine.ts';

/**
 * Whoever can write into the queue can write a result or a failure there: the branch and the ledger know what came of the request, so
 * that only findings are taken from it, and a failure only where the branch does not hold the rollback. VERIFY_FAILED.
 */
export async function provenResult(
  engine: HandoverEngine,
  id: RequestId,
  work: () => Promise<RollbackResult>,
  signal?: AbortSignal,
): Promise<RollbackResult> {
  const onBranch = async () => (await engine.findRequest(id)) !== null;
  // What is on the branch is only reported.
  const reported = () => engine.rollbacks.execute(id);
  const claimed = await work().catch(async (error: unknown) => {
    const failed = isFailure(error) && signal?.aborted !== true;
    if (failed && (await onBranch().catch(() => false))) return reported();
    throw error;
  });
  const { status: said, findings } = claimed;
  if (await onBranch()) return { ...(await reported()), findings };
  const known = await engine.requests.show({ id });
  const { result, status } = known;
  if (said === 'proposed' && known.proposed !== null && (status === 'approved' || status === 'executing'))
    return { ...(await proposedResult(engine, await linked(engine, known, signal))), findings };
  if (said === 'unchanged' && status === 'completed' && result?.status === 'unchanged')
    return { ...(await reported()), findings };
  throw new BacktrailError(
    'VERIFY_FAILED',
    `The queue says that ${id} is ${said}, but the branch does not contain it.`,
  );
}

/** Milliseconds. The worker says which pull request it opened after it has said that it did: so often, and for so long, it is looked for. */
const LINK_POLL_MS = 200;
const LINK_LIMIT_MS = 5_000;

/** The request with its pull request, where that comes soon; else as it is, for what is known is that it was proposed. */
async function linked(
  engine: HandoverEngine,
  request: KnownRequest,
  signal: AbortSignal | undefined,
): Promise<KnownRequest> {
  let known = request;
  for (let waited = 0; waited < LINK_LIMIT_MS && lacksLink(known); waited += LINK_POLL_MS) {
    if (signal?.aborted === true) break;
    await sleep(LINK_POLL_MS);
    known = await engine.requests.show({ id: known.id });
  }
  // It may be over by now: whoever asks again hears that.
  return known.proposed === null ? request : known;
}

const lacksLink = ({ proposed, pullRequest }: KnownRequest) =>
  proposed?.via === 'pull-request' && pullRequest === undefined;

/** What waits to be merged, as the ledger has it. */
async function proposedResult(engine: HandoverEngine, request: KnownRequest): Promise<RollbackResult> {
  const { proposed, pullRequest } = request;
  if (proposed === null) return resultOf(request, 'approved');
  const { via, branch, commit, deliveryCommit } = proposed;
  return resultOf(request, 'proposed', {
    commit,
    deliveryCommit,
    proposed: { via, branch, into: (await engine.destination()).branch },
    ...(pullRequest && { pullRequest }),
  });
}

/** The same for many that were followed together: one look at the branch says which of them it holds. */
export async function provenResults(
  engine: HandoverEngine,
  requests: readonly Pick<ApprovedRequest, 'id'>[],
  followed: Followed,
): Promise<Followed> {
  const published = await engine.findRequests(requests.map(({ id }) => id));
  const asks = [...published.keys()].map((id) => ({ id }));
  const reported = asks.length === 0 ? new Map() : await engine.rollbacks.executeMany(asks);
  const results = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  for (const { id } of requests) {
    const claimed = followed.get(id);
    const found = reported.get(id);
    if (found?.status === 'fulfilled' && claimed?.status === 'fulfilled')
      results.set(id, { status: 'fulfilled', value: { ...found.value, findings: claimed.value.findings } });
    else if (found) results.set(id, found);
    else {
      const [settled] = await Promise.allSettled([provenResult(engine, id, () => resultIn(claimed))]);
      results.set(id, settled);
    }
  }
  return results;
}

const resultIn = (claimed: PromiseSettledResult<RollbackResult> | undefined): Promise<RollbackResult> =>
  claimed?.status === 'fulfilled' ? Promise.resolve(claimed.value) : Promise.reject(claimed?.reason);
