/** The pull request of a request, as people see it. */
import { setTimeout as after } from 'node:timers/promises';
import { BacktrailError, isFailure, type LedgerRequest, type PullRequestView } from '../../model/index.ts';
import { isProposed } from '../../record/transitions.ts';
import type { RequestContext, Rules } from '../context.ts';
import type { RequestView } from '../types.ts';
import { hostOf } from './host.ts';

/** As the ledger has it; null where it names none. */
export function recordedPullRequest(state: LedgerRequest): PullRequestView | null {
  const { result, link } = state;
  const arrived = result?.status === 'completed' ? result.arrived?.link : null;
  if (arrived) return { ...arrived, state: 'merged', statusChecks: null };
  return link && { ...link, state: isProposed(state) ? 'open' : 'closed', statusChecks: null };
}

/** With what its host says of one that waits to be merged: where that may be asked, and answers soon. */
export async function withHostState(
  context: RequestContext,
  rules: Rules,
  view: RequestView,
): Promise<RequestView> {
  if (view.pullRequest?.state !== 'open') return view;
  const { number, url } = view.pullRequest;
  try {
    const { branch } = await context.observe();
    const { state, checks } = await answeredSoon(
      hostOf(context, rules, branch).then(({ host }) => host.read(number)),
    );
    return { ...view, pullRequest: { number, url, state, statusChecks: checks } };
  } catch (error) {
    if (isFailure(error)) return view;
    throw error;
  }
}

/** A person waits for it. */
const PATIENCE_MS = 10_000;

/** @throws HOST_UNAVAILABLE where a host takes longer than a person waits */
export async function answeredSoon<Value>(answer: Promise<Value>): Promise<Value> {
  const ended = new AbortController();
  const tooLate = after(PATIENCE_MS, null, { ref: false, signal: ended.signal }).then(() => {
    throw new BacktrailError('HOST_UNAVAILABLE', `It gave no answer in ${PATIENCE_MS / 1000} seconds.`);
  });
  // Whichever is later is of no interest.
  answer.catch(() => undefined);
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    ended.abort();
  }
}
