/** Failed requests that one person has executed again at once: one signed commit of the ledger and one push. */
import {
  BacktrailError,
  isFailure,
  type LedgerRequest,
  type Person,
  type RequestId,
} from '../../model/index.ts';
import { isWaiting } from '../../record/transitions.ts';
import { readRules, type RequestContext, type Rules, stamp } from '../context.ts';
import { append } from '../ledger/append.ts';
import { onRequest } from '../ledger/entries.ts';
import { requireRequest, unknownRequest } from '../ledger/require-request.ts';
import type { LedgerSnapshot } from '../ledger/snapshot.ts';
import { requireRetrier } from '../review.ts';
import type { Act, Requests, RequestView } from '../types.ts';
import { viewsOf } from '../view.ts';
import { groupsIn } from './group.ts';

type RetryMany = Parameters<Requests['retryMany']>[0];

export async function retry(context: RequestContext, { id, actor }: Act): Promise<RequestView> {
  const [retried] = await retryMany(context, { ids: [id], actor });
  if (retried?.status === 'fulfilled') return retried.value;
  throw retried?.reason ?? unknownRequest(id);
}

/**
 * They go on with the approvals that they have: whoever executes them judges these again. With each go those of its group that failed: they are
 * executed together, so that one that was retried with another one is retried already.
 */
export async function retryMany(
  context: RequestContext,
  { ids, actor }: RetryMany,
): ReturnType<Requests['retryMany']> {
  const twice = new Set(ids).size < ids.length && ids.find((id, index) => ids.indexOf(id) !== index);
  if (typeof twice === 'string')
    throw new BacktrailError('INVALID_REQUEST', `The request ${twice} is named twice.`);
  const rules = await readRules(context);
  const refused = new Map<RequestId, BacktrailError>();
  const { ledgerSnapshot } = await append(context, rules, async (ledgerSnapshot) => {
    refused.clear();
    const retried = await retriedBy({ rules, ledgerSnapshot, actor, refused }, ids);
    return retried.map((id) => onRequest(id, { ...stamp(context, actor), type: 'retried' }));
  });
  const files = [];
  for (const id of ids) if (!refused.has(id)) files.push(await requireRequest(ledgerSnapshot, id));
  const views = await viewsOf(context, { ledgerSnapshot, rules, files });
  const known = new Map(views.map((view) => [view.id, view]));
  return ids.map((id) => {
    const view = known.get(id);
    if (view !== undefined) return { status: 'fulfilled', value: view };
    return { status: 'rejected', reason: refused.get(id) ?? unknownRequest(id) };
  });
}

interface Retrying {
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly actor: Person;
  /** Why one is not retried. */
  readonly refused: Map<RequestId, BacktrailError>;
}

/** All that there is an event for, each once: a group that several of them name, too. */
async function retriedBy(retrying: Retrying, ids: readonly RequestId[]): Promise<readonly RequestId[]> {
  const { ledgerSnapshot, refused } = retrying;
  const failedWith = failedIn(retrying);
  const retried = new Set<RequestId>();
  for (const id of ids)
    try {
      const { state } = await requireRequest(ledgerSnapshot, id);
      for (const one of await failedWith(state)) retried.add(one);
    } catch (error) {
      if (!isFailure(error)) throw error;
      refused.set(id, error);
    }
  return [...retried];
}

/** What is retried with one; a group is looked at once, however many of it are named. */
function failedIn({ rules, ledgerSnapshot, actor }: Retrying) {
  const groupOf = groupsIn(ledgerSnapshot);
  const verdicts = new Map<unknown, readonly RequestId[] | BacktrailError>();
  return async (state: LedgerRequest): Promise<readonly RequestId[]> => {
    const { id, status, atomic } = state;
    requireRetrier({ rules, state }, actor);
    if (atomic !== undefined && isWaiting(status)) return [];
    if (status !== 'failed')
      throw new BacktrailError('REQUEST_NOT_FAILED', `Request ${id} is ${status}, not failed.`);
    const group = await groupOf(state);
    if (group === null) return [id];
    const failed = group.flatMap((one) => (one.state.status === 'failed' ? [one.state] : []));
    const verdict = verdicts.get(group) ?? verdictOn(failed, rules, actor);
    verdicts.set(group, verdict);
    if (verdict instanceof BacktrailError) throw verdict;
    return verdict;
  };
}

/** All of them, or why this person may not retry one of them. */
function verdictOn(
  failed: readonly LedgerRequest[],
  rules: Rules,
  actor: Person,
): readonly RequestId[] | BacktrailError {
  try {
    for (const state of failed) requireRetrier({ rules, state }, actor);
    return failed.map(({ id }) => id);
  } catch (error) {
    if (error instanceof BacktrailError) return error;
    throw error;
  }
}
