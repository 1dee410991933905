/** What lets a request go ahead: approvals, a break-glass session, or a policy that asks for neither. */
import { BacktrailError, formatCoordinates, type Provenance } from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { may, policyFor, sessionCovers } from '../../request/policy.ts';
import type { Book } from './book.ts';
import { type Place, type Rules, timeOf } from './place.ts';
import { type Proofs, proveSession } from './proof.ts';
import { SKEW_MS } from './times.ts';
import { type Counts, judgeRequest, placeOf } from './view.ts';

/** One request with all that it is judged by. */
export interface Case {
  readonly place: Place;
  readonly rules: Rules;
  readonly book: Book;
  readonly file: RequestFile;
  readonly proofs: Proofs;
  readonly counts: Counts;
}

/** What lets it go ahead, or why it may not. `status` is a claim; this is what is judged. */
export async function groundsOf(found: Case): Promise<Provenance | BacktrailError> {
  const { place, rules, file, proofs, counts } = found;
  const { policy } = rules;
  const { state, events } = file;
  const at = placeOf(state);
  const rule = policyFor(policy, at);
  const opened = proofs.get(events[0]?.id ?? '');
  if (!may(policy, state.author, 'propose', at))
    return forbidden(`${state.author.email} may not ask for a rollback of ${formatCoordinates(at)}.`);
  if (rule !== null && !rule.unsignedRequests && !counts(opened))
    return unverified(`No trusted key vouches for ${state.author.email}, who asks for it.`);
  if (rule !== null && state.gate === 'break-glass') {
    const problem = await sessionProblem(found);
    if (problem !== null) return awaiting(problem);
    const { session, ticket } = state.breakGlass ?? { session: '', ticket: null };
    const breakGlass = ticket === null ? session : `${session} (${ticket})`;
    return { approvals: [], ledger: opened?.commit ?? '', breakGlass, at: state.createdAt };
  }
  const judgement = judgeRequest({ policy, file, proofs, counts });
  if (judgement === null || judgement.need === 0) {
    // Where keys are known, a permission is its holder's, not that of whoever uses the name.
    if (policy.permissions.length > 0 && place.allowedSigners !== null && !counts(opened))
      return unverified(`No trusted key vouches for ${state.author.email}, who has the permission.`);
    if (!may(policy, state.author, 'deploy', at))
      return forbidden(`${state.author.email} may not carry out a rollback of ${formatCoordinates(at)}.`);
    return { approvals: [], ledger: opened?.commit ?? '', breakGlass: null, at: state.createdAt };
  }
  if (judgement.rejected) return awaiting('It was rejected.');
  if (!judgement.satisfied) return awaiting(`${judgement.have} of ${judgement.need} approvals count.`);
  return approvedBy(file, proofs, judgement);
}

const forbidden = (message: string) => new BacktrailError('PERMISSION_DENIED', message);
const unverified = (message: string) => new BacktrailError('IDENTITY_UNVERIFIED', message);
const awaiting = (message: string) => new BacktrailError('AWAITING_APPROVAL', message);

/** Why the session that the request names does not let it go ahead now; null where it does. */
async function sessionProblem({ place, rules, book, file, proofs, counts }: Case): Promise<string | null> {
  const { state, events } = file;
  const rule = policyFor(rules.policy, placeOf(state));
  const id = state.breakGlass?.session ?? '';
  const session = await book.session(id);
  if (rule === null || rule.breakGlass === null) return 'The policy does not allow break-glass here.';
  if (session === null) return `There is no break-glass session ${id}.`;
  const { openedAt, expiresAt, holder } = session.state;
  const lasts = Date.parse(expiresAt) - Date.parse(openedAt);
  const now = timeOf(place.clock.now());
  const asked = { scope: formatCoordinates(state.scope), person: state.author.email, at: now };
  if (lasts > rule.breakGlass.longestMs) return 'The break-glass session is longer than the policy allows.';
  if (!may(rules.policy, holder, 'break-glass', placeOf(state)))
    return `${holder.email} may not break the glass here.`;
  // The worker's own clock: a session that has ended vouches for nothing any more.
  if (!sessionCovers(session.state, asked) || Date.parse(openedAt) > place.clock.now() + SKEW_MS)
    return 'The break-glass session has ended, or is for something else.';
  if (rule.unsignedApprovals) return null;
  const sessionProofs = await proveSession(place, book, session);
  const vouched =
    counts(proofs.get(events[0]?.id ?? '')) && counts(sessionProofs.get(session.events[0]?.id ?? ''));
  return vouched ? null : `No trusted key vouches for ${holder.email}, who broke the glass.`;
}

function approvedBy(
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
