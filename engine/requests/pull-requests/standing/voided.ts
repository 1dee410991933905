/** What voids an approval whose pull request is open, and what is written down of it then. */
import {
  type BacktrailError,
  FAILURES,
  isFailure,
  type RequestEvent,
  type RequestId,
  type RollbackResult,
} from '../../../model/index.ts';
import type { RequestFile } from '../../../record/ledger-file.ts';
import { isProposed } from '../../../record/transitions.ts';
import { prepare } from '../../../rollback/batch/plans.ts';
import { beginRound, type Round } from '../../../rollback/batch/round.ts';
import { stamp } from '../../context.ts';
import type { EligibilityInput } from '../../gate/eligibility.ts';
import { append } from '../../ledger/append.ts';
import { onRequest } from '../../ledger/entries.ts';
import { proveRequest, readSignaturesOf } from '../../ledger/proof.ts';
import { requireRequest } from '../../ledger/require-request.ts';
import { memberOf, REFUSALS } from '../../many/member.ts';
import { completeAll, isSaidBefore, recordFailure, refuse } from '../../outcome.ts';
import { isExpired } from '../../gate/expiry.ts';
import { canJudge, proven } from '../../view.ts';
import type { Following, Looking } from '../looking.ts';

/** What each of them is judged by. */
export async function eligibilityOf(
  { context, rules, ledgerSnapshot }: Following,
  group: readonly RequestFile[],
): Promise<readonly EligibilityInput[]> {
  await readSignaturesOf(context, ledgerSnapshot, group);
  return Promise.all(
    group.map(async (file) => ({
      context,
      rules,
      ledgerSnapshot,
      file,
      proofs: await proveRequest(context, ledgerSnapshot, file),
      counts: proven,
    })),
  );
}

/** Why it must not be merged any more: a reason, or that nothing is left to change. */
export type Voided =
  | { readonly reason: BacktrailError }
  | { readonly unchanged: RollbackResult }
  | { readonly expired: true };

/** Looked at again when the tip moves, and once a minute: windows open and close, and keys are revoked. */
export async function voidedIn(
  { context, rules, snapshot }: Following,
  look: Looking,
  found: readonly EligibilityInput[],
): Promise<ReadonlyMap<RequestId, Voided>> {
  const voided = new Map<RequestId, Voided>();
  for (const { file } of found)
    if (isExpired(context, rules, file.state)) voided.set(file.state.id, { expired: true });
  const judged = found.filter(({ file }) => canJudge(context, rules, file.state));
  const due = judged.filter(({ file }) => look.isDue(file.state, snapshot.base, context.clock.now()));
  if (due.length === 0) return voided;
  const members = due.map((each) => memberOf(each, undefined, { isPush: null }));
  const { recorder: _, ...rest } = context;
  const round: Round = {
    ...beginRound({ ...rest, members, snapshot, record: () => Promise.resolve(null) }),
    // A plan that is kept is not asked again whether a window has closed.
    plans: rules.policy.windows?.some(({ rollbacks }) => rollbacks === 'bound') ? new Map() : look.plans,
  };
  for (const [at, member] of members.entries()) {
    const state = due[at]?.file.state;
    if (state === undefined) continue;
    const { id } = state;
    try {
      const value = await prepare(round, snapshot, member);
      if (!('planned' in value)) voided.set(id, { unchanged: value });
      else {
        look.plans.set(id, value);
        look.checked(state, snapshot.base, context.clock.now());
      }
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (FAILURES[error.code].retry === 'never') voided.set(id, { reason: error });
      else if (error.code !== 'BRANCH_MOVED') throw error;
    }
  }
  return voided;
}

/** Whether people are asked about another plan now, and the same pull request is to bring that. */
export function asksAgain(
  [one, ...others]: readonly EligibilityInput[],
  voided: ReadonlyMap<RequestId, Voided>,
): boolean {
  if (one === undefined || others.length > 0) return false;
  const why = voided.get(one.file.state.id);
  return (
    why !== undefined &&
    'reason' in why &&
    why.reason.code === 'PLAN_CHANGED' &&
    one.file.state.gate !== 'no-policy'
  );
}

/** A sentence. */
export async function withdraw(found: EligibilityInput, why: Voided, isAskedAgain: boolean): Promise<string> {
  const { context, rules, file } = found;
  if ('unchanged' in why) {
    await completeAll(context, rules, [why.unchanged]);
    return 'The branch holds what it restores already; its pull request is closed.';
  }
  if ('expired' in why) {
    await append(context, rules, async (ledgerSnapshot) => {
      const { state } = await requireRequest(ledgerSnapshot, file.state.id);
      const event: RequestEvent = { ...stamp(context, context.committer), type: 'expired' };
      return isProposed(state) ? [onRequest(state.id, event)] : [];
    });
    return 'It expired before it was merged; its pull request is closed.';
  }
  const { reason } = why;
  // Reviewers are asked again for the same reason once: after that, it would stay approved with nothing to be merged.
  const isAsked = REFUSALS.has(reason.code) && !isSaidBefore(file, reason.message);
  const record = isAsked ? refuse(found, reason) : recordFailure(found, reason, {});
  await record.catch((error: unknown) => {
    if (!isFailure(error)) throw error;
  });
  return isAskedAgain
    ? `${reason.message} Approval is asked for again; until then its pull request cannot be merged.`
    : `${reason.message} Its pull request is closed.`;
}
