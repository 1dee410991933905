/** The votes that one person gives at once, on many requests: one signed commit of the ledger and one push. */
import { BacktrailError, isFailure, type LedgerRequest, type RequestId } from '../../model/index.ts';
import { requireRequest, unknownRequest } from '../ledger/require-request.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isWaiting } from '../../record/transitions.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { readRules, type RequestContext, type Rules, stamp } from '../context.ts';
import { knownOwners, ownersOf, rememberOwners } from '../gate/owners.ts';
import { append } from '../ledger/append.ts';
import { type Entry, onRequest } from '../ledger/entries.ts';
import { readSignaturesOf } from '../ledger/proof.ts';
import type { LedgerSnapshot } from '../ledger/snapshot.ts';
import { type TakenBack, takingBack } from '../pull-requests/standing/taking-back.ts';
import { replan } from '../replan.ts';
import { decideApproval, decideRejection, type Deciding, uncounted } from '../review.ts';

import type { Requests, RequestView } from '../types.ts';
import { viewsOf } from '../view.ts';
import { pinned, settleAll } from './look-once.ts';
import { filesOf } from './plan-many.ts';

type ReviewMany = Parameters<Requests['reviewMany']>[0];

const DECISIONS: ReadonlySet<string> = new Set(['approved', 'rejected']);

export async function reviewMany(
  context: RequestContext,
  input: ReviewMany,
): ReturnType<Requests['reviewMany']> {
  // A caller without types that misspells a rejection has not approved.
  if (!DECISIONS.has(input.decision))
    throw new BacktrailError('INVALID_REQUEST', 'A decision is `approved` or `rejected`.');
  const ids = input.votes.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    throw new BacktrailError('INVALID_REQUEST', `The request ${twice} is named twice.`);
  const at = await pinned(context);
  const rules = await readRules(at);
  const plans = new Map<string, PromiseSettledResult<Planned>>();
  const refused = new Map<RequestId, BacktrailError>();
  const decide = (taken: TakenBack) => async (ledgerSnapshot: LedgerSnapshot) => {
    refused.clear();
    return taken.checked(
      await decideAll({ context: at, rules, ledgerSnapshot, plans, refused, taken }, input),
    );
  };
  // What was merged meanwhile is no reason not to decide on the others.
  const { ledgerSnapshot } = await takingBack(context, (taken) => append(at, rules, decide(taken)), {
    goesOn: true,
  });
  const written = ids.filter((id) => !refused.has(id));
  const views = await withdrawUncounted(
    at,
    rules,
    await viewsNow({ context: at, rules, ledgerSnapshot }, written),
  );
  return ids.map((id) => {
    const [view, reason] = [views.get(id), refused.get(id)];
    if (reason === undefined && view !== undefined) return { status: 'fulfilled', value: view };
    return { status: 'rejected', reason: reason ?? unknownRequest(id) };
  });
}

interface Deciders {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
}

interface DecidingMany extends Deciders {
  /** On the branch as it was looked at, by request and digest: the ledger may be read again meanwhile. */
  readonly plans: Map<string, PromiseSettledResult<Planned>>;
  /** Why a vote is not written. */
  readonly refused: Map<RequestId, BacktrailError>;
  readonly taken: TakenBack;
}

/** The votes first, so that they are one commit; then what asks reviewers again. */
async function decideAll(deciding: DecidingMany, input: ReviewMany): Promise<readonly Entry[]> {
  const { context, ledgerSnapshot, plans, refused } = deciding;
  const files = await filesOf(
    ledgerSnapshot,
    input.votes.map(({ id }) => id),
  );
  const pending = [...files.values()].filter(({ state }) => state.status === 'pending');
  await readSignaturesOf(context, ledgerSnapshot, pending);
  const open = pending.filter(({ state }) => !plans.has(keyOf(state)));
  const planned = await settleAll(open, ({ state }) => replan(context, state));
  for (const [index, { state }] of open.entries()) {
    const plan = planned[index];
    if (plan) plans.set(keyOf(state), plan);
    if (plan?.status === 'fulfilled') rememberOwners(context, state, plan.value.plan);
  }
  const votes: Entry[] = [];
  const asked: Entry[] = [];
  for (const vote of input.votes)
    try {
      const decided = await decideOne(deciding, { file: files.get(vote.id), input, vote });
      (decided.changed === null ? votes : asked).push(onRequest(vote.id, decided.event));
      if (decided.changed !== null) refused.set(vote.id, decided.changed);
    } catch (error) {
      if (!isFailure(error)) throw error;
      refused.set(vote.id, error);
    }
  return [...votes, ...asked];
}

const keyOf = ({ id, digest }: LedgerRequest) => `${id} ${digest}`;

async function decideOne(
  { context, rules, ledgerSnapshot, plans, taken }: DecidingMany,
  {
    file: found,
    input: { actor, comment, decision },
    vote,
  }: { file: RequestFile | undefined; input: ReviewMany; vote: ReviewMany['votes'][number] },
): Promise<Awaited<ReturnType<typeof decideApproval>>> {
  // Read again, for what is wrong with it.
  const file = found ?? (await requireRequest(ledgerSnapshot, vote.id));
  const { state } = file;
  const owners = state.status === 'pending' ? await ownersOf(context, state) : knownOwners(context, state);
  const deciding: Deciding = { context, rules, ledgerSnapshot, file, state, owners };
  const { digest, rendered } = vote;
  if (decision === 'rejected')
    return { event: await decideRejection(deciding, { actor, comment, digest }, taken), changed: null };
  return decideApproval(deciding, { actor, comment, digest, rendered }, async () => {
    const plan = plans.get(keyOf(state));
    if (plan?.status === 'rejected') throw plan.reason;
    return plan?.value ?? replan(context, state);
  });
}

async function viewsNow(
  { context, rules, ledgerSnapshot }: Deciders,
  ids: readonly RequestId[],
): Promise<ReadonlyMap<RequestId, RequestView>> {
  const files = [...(await filesOf(ledgerSnapshot, ids)).values()];
  const views = await viewsOf(context, { ledgerSnapshot, rules, files });
  return new Map(views.map((view) => [view.id, view]));
}

/** As for a single vote: those whose key turns out not to be their voter's let nothing go ahead. */
async function withdrawUncounted(
  context: RequestContext,
  rules: Rules,
  views: ReadonlyMap<RequestId, RequestView>,
): Promise<ReadonlyMap<RequestId, RequestView>> {
  const wrong = new Map<RequestId, string>();
  for (const view of views.values()) {
    const reason = uncounted(context, view);
    if (reason !== null) wrong.set(view.id, reason);
  }
  if (wrong.size === 0) return views;
  const { ledgerSnapshot } = await append(context, rules, async (ledgerSnapshot) => {
    const files = await filesOf(ledgerSnapshot, [...wrong.keys()]);
    return [...files.values()].flatMap(({ state: { id, status } }) => {
      const reason = wrong.get(id);
      if (reason === undefined || !isWaiting(status)) return [];
      return [onRequest(id, { ...stamp(context, context.committer), type: 'reopened', reason })];
    });
  });
  return viewsNow({ context, rules, ledgerSnapshot }, [...views.keys()]);
}
