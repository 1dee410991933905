/** The record of rollbacks that came to the branch some other way than by a push of ours. */
import {
  type Arrived,
  isFailure,
  type LedgerRequest,
  type PullRequestDetails,
  type RequestEvent,
  type RequestId,
  type RollbackResult,
  resultOf,
} from '../../model/index.ts';
import { requireRequest } from '../ledger/require-request.ts';
import { isWaiting } from '../../record/transitions.ts';
import { type RequestContext, type Rules, stamp } from '../context.ts';
import { append } from '../ledger/append.ts';
import { onRequest } from '../ledger/entries.ts';

import { recordDeployed } from '../arrivals/deployed.ts';
import type { Landed } from './arrival.ts';

export interface Completing {
  readonly state: LedgerRequest;
  readonly landed: Landed;
  /** What the host says of it, where it was asked. */
  readonly details?: PullRequestDetails | null | undefined;
}

/** Their events, their deployments, and no branch of ours left behind. */
export async function completeLanded(
  context: RequestContext,
  rules: Rules,
  completing: readonly Completing[],
): Promise<readonly RollbackResult[]> {
  if (completing.length === 0) return [];
  await append(context, rules, async (ledgerSnapshot) => {
    const entries = [];
    for (const each of completing) {
      const { state } = await requireRequest(ledgerSnapshot, each.state.id);
      if (state.status === 'completed') continue;
      const { proposed } = each.landed;
      if (proposed && isWaiting(state.status))
        entries.push(
          onRequest(state.id, { ...stamp(context, context.committer), type: 'proposed', proposed }),
        );
      entries.push(onRequest(state.id, completedEvent(context, each)));
    }
    return entries;
  });
  const results = completing.map(({ state, landed: { commit, deliveryCommit } }) =>
    resultOf(state, 'completed', { commit, deliveryCommit }),
  );
  const deployed = results.filter((_, index) => completing[index]?.state.resume !== true);
  await recordDeployed(context, deployed);
  await removeBranches(
    context,
    completing.map(({ state }) => state),
  );
  return results;
}

function completedEvent(
  context: RequestContext,
  { state: { link }, landed: { commit, deliveryCommit, how }, details }: Completing,
): RequestEvent {
  const arrived: Arrived = {
    how,
    link,
    by: details?.mergedBy?.slice(0, MOST_CHARACTERS) ?? null,
    reviews: (details?.reviews ?? []).slice(0, MOST_REVIEWS),
  };
  const stamped = stamp(context, context.committer);
  return { ...stamped, type: 'completed', outcome: 'completed', commit, deliveryCommit, arrived };
}

const MOST_CHARACTERS = 200;
const MOST_REVIEWS = 100;

/**
 * Best effort: what somebody else has pushed there since stays, and a branch that is gone is none.
 */
async function removeBranches({ git }: RequestContext, states: readonly LedgerRequest[]): Promise<void> {
  const tips = new Map(states.flatMap(({ proposed }) => (proposed ? [[proposed.branch, proposed.tip]] : [])));
  for (const [branch, expected] of tips)
    await git.propose({ moves: [{ branch, expected, next: null }] }).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
    });
}

/** Requests by the branch that brings them, oldest first. */
export function byBranch<Each extends { readonly state: LedgerRequest }>(
  files: readonly Each[],
): readonly (readonly Each[])[] {
  const groups = new Map<string, Each[]>();
  for (const file of files) {
    const branch = file.state.proposed?.branch ?? '';
    groups.set(branch, [...(groups.get(branch) ?? []), file]);
  }
  return [...groups.values()].map((group) =>
    group.toSorted((one, other) => compareIds(one.state.id, other.state.id)),
  );
}

const compareIds = (one: RequestId, other: RequestId) => (one < other ? -1 : one > other ? 1 : 0);
