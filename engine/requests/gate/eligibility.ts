/** What lets a request go ahead: approvals, a break-glass session, or a policy that asks for neither. */
import {
  BacktrailError,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  isFailure,
  type Provenance,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isFor } from '../../record/place.ts';
import { hasPermission, needsSignedRequest, sessionCovers } from '../../policy/policy.ts';
import type { LedgerSnapshot } from '../ledger/snapshot.ts';
import { exemptionProblem, exempts } from './exemption.ts';
import { ownersOf, rulesFor, scopesOf, stated } from './owners.ts';
import { type RequestContext, type Rules, timeOf } from '../context.ts';
import { elsewhere, requireAskedHere, votedElsewhere } from './home.ts';
import { requireOverrider } from './permissions.ts';
import { type Proof, type Proofs, proveSession } from '../ledger/proof.ts';
import { FAST_MS, SKEW_MS } from '../ledger/times.ts';
import { type Counts, countsForAll, type JointJudgement, judgeRequest } from '../view.ts';

/** One request with all that it is judged by. */
export interface EligibilityInput {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly file: RequestFile;
  readonly proofs: Proofs;
  readonly counts: Counts;
}

/**
 * What lets it go ahead. `status` is a claim; this is what is judged. Every owner's rule has to be satisfied.
 *
 * @throws AWAITING_APPROVAL, PERMISSION_DENIED, IDENTITY_UNVERIFIED, PLACE_DIFFERS
 */
export async function requireEligible(found: EligibilityInput): Promise<Provenance> {
  const { context, rules, file, proofs } = found;
  const { policy } = rules;
  const { state, events } = file;
  requireAskedHere(rules, state);
  const owners = rulesFor(rules, state, await ownersOf(context, state));
  const ruled = stated(owners);
  const opened = proofs.get(events[0]?.id ?? '');
  const counts = countsForAll(ruled, found.counts);
  for (const { environment } of owners) {
    const { overrides = [] } = state;
    requireOverrider(policy, state.author, { overrides, environment });
  }
  const barred = owners.find((owner) => !hasPermission(policy, state.author, 'propose', owner.environment));
  if (barred !== undefined)
    throw forbidden(
      `${state.author.email} may not ask for a rollback of ${formatCoordinates(barred.environment)}.`,
    );
  if (ruled.some(({ rule }) => needsSignedRequest(rule)) && !counts(opened))
    throw unverified(`No trusted key vouches for ${state.author.email}, who asks for it.`);
  if (state.overrides && policy.permissions.length > 0 && context.allowedSigners !== null && !counts(opened))
    throw unverified(
      `No trusted key vouches for ${state.author.email}, who overrides ${state.overrides.join(', ')}.`,
    );
  if (ruled.length > 0 && state.gate === 'break-glass') {
    const problem = await sessionProblem(found, ruled);
    if (problem !== null) throw awaiting(problem);
    const { session, ticket } = state.breakGlass ?? { session: '', ticket: null };
    const breakGlass = ticket === null ? session : `${session} (${ticket})`;
    return { approvals: [], ledger: opened?.commit ?? '', breakGlass, at: state.createdAt };
  }
  const environments = owners.map((owner) => owner.environment);
  const judgement = judgeRequest({ rules, owners: environments, file, proofs, counts: found.counts });
  const unexempt = judgement?.rejected ? 'It was rejected.' : await exemptionOf(found, ruled, counts(opened));
  if (unexempt === null)
    return { approvals: [], ledger: opened?.commit ?? '', breakGlass: null, at: state.createdAt };
  if (judgement === null || judgement.each.every(({ need }) => need === 0)) {
    // Where keys are known, a permission is its holder's, not that of whoever uses the name.
    if (policy.permissions.length > 0 && context.allowedSigners !== null && !counts(opened))
      throw unverified(`No trusted key vouches for ${state.author.email}, who has the permission.`);
    const other = environments.find((owner) => !hasPermission(policy, state.author, 'deploy', owner));
    if (other !== undefined)
      throw forbidden(`${state.author.email} may not execute a rollback of ${formatCoordinates(other)}.`);
    return { approvals: [], ledger: opened?.commit ?? '', breakGlass: null, at: state.createdAt };
  }
  if (judgement.rejected) throw awaiting('It was rejected.');
  if (!judgement.satisfied)
    throw awaiting(
      `${missing(judgement)}${votedAway(votedElsewhere(rules, state).length)}${state.automatic && unexempt ? ` ${unexempt}` : ''}`,
    );
  return approvedBy(file, proofs, judgement);
}

/** Why it is not exempt from approval; null where it is: the records of now bear out what it says of itself. */
async function exemptionOf(
  { context, ledgerSnapshot, file: { state } }: EligibilityInput,
  ruled: ReturnType<typeof stated>,
  isVouched: boolean,
): Promise<string | null> {
  const { automatic, id, createdAt } = state;
  if (automatic === undefined || !exempts(ruled)) return 'The policy does not exempt it from approval.';
  if (!isVouched) return `No trusted key vouches for ${state.author.email}, who asks for it.`;
  const snapshot = await context.observe();
  const claim = { ...state, automatic, before: { at: Date.parse(createdAt), id } };
  return exemptionProblem({ snapshot, ledgerSnapshot }, claim);
}

/**
 * Why it may not go ahead here, and may elsewhere: with keys that are in no list here, if they are those of the people who used them; or by a clock
 * that has come to what is dated minutes later than this one. That is for others to judge; null: nobody would judge otherwise.
 */
export async function judgedElsewhere(found: EligibilityInput): Promise<'keys' | 'clock' | null> {
  if (await isEligible(found)) return null;
  const counts: Counts = (proof) => found.counts(proof) || (proof?.unlisted ?? false);
  if (await isEligible({ ...found, counts })) return 'keys';
  const soon = found.context.clock.now() + FAST_MS;
  const isSoon = ({ later, time }: Proof) => later !== undefined && time <= soon;
  if (![...found.proofs.values()].some(isSoon)) return null;
  const inTime = (proof: Proof) => (isSoon(proof) ? { ...proof, ...proof.later, future: false } : proof);
  const proofs = new Map([...found.proofs].map(([id, proof]) => [id, inTime(proof)]));
  return (await isEligible({ ...found, proofs, counts })) ? 'clock' : null;
}

/** The same for what a refusal would write: who asks with a key that is in no list is refused. */
export async function leftToOthers(
  found: EligibilityInput,
  { code }: Pick<BacktrailError, 'code'>,
): Promise<'keys' | 'clock' | null> {
  if (code !== 'AWAITING_APPROVAL' && code !== 'IDENTITY_UNVERIFIED') return null;
  const elsewhere = await judgedElsewhere(found);
  return elsewhere === 'keys' && code !== 'AWAITING_APPROVAL' ? null : elsewhere;
}

export async function isEligible(found: EligibilityInput): Promise<boolean> {
  try {
    await requireEligible(found);
    return true;
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

function missing({ have, need, each }: JointJudgement): string {
  const own = each.find(({ satisfied }) => !satisfied);
  const where = each.length > 1 && own !== undefined ? ` for ${formatCoordinates(own.environment)}` : '';
  return `${have} of ${need} approvals count${where}.`;
}

/** Why a vote that is there does not count. */
const votedAway = (count: number) =>
  count === 0 ? '' : ` ${count === 1 ? 'One was' : `${count} were`} given for another place.`;

const forbidden = (message: string) => new BacktrailError('PERMISSION_DENIED', message);
const unverified = (message: string) => new BacktrailError('IDENTITY_UNVERIFIED', message);
const awaiting = (message: string) => new BacktrailError('AWAITING_APPROVAL', message);

/** Why the session that the request names does not let it go ahead now; null where it does. */
async function sessionProblem(
  { context, rules, ledgerSnapshot, file, proofs, counts }: EligibilityInput,
  owners: readonly { readonly environment: EnvironmentName; readonly rule: EnvironmentPolicy }[],
): Promise<string | null> {
  const { state, events } = file;
  const id = state.breakGlass?.session ?? '';
  const session = await ledgerSnapshot.session(id);
  if (owners.some(({ rule }) => rule.breakGlass === null))
    return 'The policy does not allow break-glass here.';
  if (session === null) return `There is no break-glass session ${id}.`;
  if (!isFor(rules.home, session.state.place))
    return elsewhere('The break-glass session', session.state.place, rules);
  const { openedAt, expiresAt, holder } = session.state;
  const lasts = Date.parse(expiresAt) - Date.parse(openedAt);
  const now = timeOf(context.clock.now());
  const longest = Math.min(...owners.map(({ rule }) => rule.breakGlass?.longestMs ?? 0));
  if (lasts > longest) return 'The break-glass session is longer than the policy allows.';
  if (owners.some((owner) => !hasPermission(rules.policy, holder, 'break-glass', owner.environment)))
    return `${holder.email} may not break the glass here.`;
  // The worker's own clock: a session that has ended vouches for nothing any more.
  const covers = scopesOf(
    state.scope,
    owners.map((owner) => owner.environment),
  ).every((scope) =>
    sessionCovers(rules.policy, session.state, { scope, person: state.author.email, at: now }),
  );
  if (!covers || Date.parse(openedAt) > context.clock.now() + SKEW_MS)
    return 'The break-glass session has ended, or is for something else.';
  if (owners.every(({ rule }) => rule.unsignedApprovals)) return null;
  const sessionProofs = await proveSession(context, ledgerSnapshot, session);
  const vouches = countsForAll(owners, counts);
  const vouched =
    vouches(proofs.get(events[0]?.id ?? '')) && vouches(sessionProofs.get(session.events[0]?.id ?? ''));
  return vouched ? null : `No trusted key vouches for ${holder.email}, who broke the glass.`;
}

export function approvedBy(
  { state, events }: RequestFile,
  proofs: Proofs,
  { counted, have, need }: { counted: readonly string[]; have: number; need: number },
): Provenance {
  const approvals = state.reviews
    .filter(({ id, decision }) => decision === 'approved' && counted.includes(id))
    .map(({ id, actor }) => {
      const doubt = proofs.get(id)?.verified ? '' : ' (identity unverified)';
      return `Approved by ${actor.email} (quorum: ${have}/${need})${doubt}`;
    });
  const settling = events.findLast(({ id }) => counted.includes(id));
  return {
    approvals,
    ledger: proofs.get(settling?.id ?? '')?.commit ?? '',
    breakGlass: null,
    at: settling?.at ?? state.createdAt,
  };
}
