/** What people do with a request that is there: approve, reject, cancel, note, look at it afterwards. */
import {
  type Actor,
  BacktrailError,
  formatCoordinates,
  type EnvironmentName,
  type LedgerRequest,
  type Person,
  type RequestEvent,
  type RequestId,
  type Review,
  type Terms,
} from '../model/index.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { hasPermission, mayApprove, samePerson } from '../policy/policy.ts';
import { isOpen, isProposed, isWaiting } from '../record/transitions.ts';
import { isBlocked } from '../rollback/blocked.ts';
import type { Planned } from '../rollback/planning/planned.ts';
import type { Act, Requests, RequestView } from './types.ts';
import { append } from './ledger/append.ts';
import { onRequest } from './ledger/entries.ts';
import { requireRequest } from './ledger/require-request.ts';
import { requestOfEvent } from './ledger/commits.ts';
import type { LedgerSnapshot } from './ledger/snapshot.ts';
import { executeRequest } from './execute.ts';
import { isPublished } from './many/member.ts';
import { type TakenBack, takingBack } from './pull-requests/standing/taking-back.ts';
import { isExpired } from './gate/expiry.ts';
import { bindOf, knownOwners, ownersOf, rulesAt, rulesFor, stated } from './gate/owners.ts';
import { termsOf } from './terms.ts';
import { readRules, type RequestContext, type Rules, stamp } from './context.ts';
import { placeIn, requireAskedHere } from './gate/home.ts';
import { type Proofs, proveRequest } from './ledger/proof.ts';
import { isChanged, replan, replannedEvent } from './replan.ts';
import { requireOwnKey, requirePermission, requireVoter } from './gate/permissions.ts';
import { claimed, inspectionOf, judgeRequest, type Judging, placeOf, viewOf } from './view.ts';

export interface Deciding {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly file: RequestFile;
  readonly state: LedgerRequest;
  /** The environments that own what it changes. */
  readonly owners: readonly EnvironmentName[];
}

/** One event on one request, decided on what stands in the ledger at that moment; null writes nothing. */
async function act(
  context: RequestContext,
  id: RequestId,
  decide: (deciding: Deciding) => Promise<RequestEvent | null> | RequestEvent | null,
): Promise<RequestView> {
  const rules = await readRules(context);
  const { ledgerSnapshot } = await append(context, rules, async (ledgerSnapshot) => {
    const file = await requireRequest(ledgerSnapshot, id);
    const owners = isOpen(file.state.status)
      ? await ownersOf(context, file.state)
      : knownOwners(context, file.state);
    const event = await decide({ context, rules, ledgerSnapshot, file, state: file.state, owners });
    return event === null ? [] : [onRequest(id, event)];
  });
  return viewOf(context, { ledgerSnapshot, rules, file: await requireRequest(ledgerSnapshot, id) });
}

type ReviewInput = Act & { readonly comment?: string };

/** What the ledger's present state allows; who decides on a request that expired has not seen that yet. */
function requireReviewable(deciding: Deciding, actor: Person): void {
  const { state, rules, context } = deciding;
  requireSight(deciding, actor);
  if (state.status !== 'pending' || isExpired(context, rules, state)) throw notPending(state);
  requireAskedHere(rules, state);
  requireVoter(rules.policy, rulesFor(rules, state, deciding.owners), { author: state.author, actor });
}

/** Before anything is said of it: that this person may see it, or what else it changes. @throws PERMISSION_DENIED */
function requireSight({ rules: { policy }, state, owners }: Deciding, actor: Person): void {
  if (!owners.some((owner) => hasPermission(policy, actor, 'read', owner)))
    requirePermission(policy, actor, 'read', placeOf(state));
}

/** That an approval would count for one environment at least. @throws IDENTITY_UNVERIFIED */
function requireCountingVote({ rules, state, owners }: Deciding, actor: Actor): void {
  const signed = stated(rulesFor(rules, state, owners)).filter(({ rule }) => !rule.unsignedApprovals);
  const strict = signed.filter(({ rule }) => rule.signedBy === 'person');
  const [first] = strict;
  if (first !== undefined && strict.length === signed.length)
    requireOwnKey(first.rule, actor, first.environment);
}

function notPending({ id, status }: LedgerRequest): BacktrailError {
  return new BacktrailError('REQUEST_NOT_PENDING', 'rollback request is not pending approval', {
    details: { requestId: id, status },
  });
}

/** The judgement as it stands, or as it would be with one more vote. */
function judged({ context, rules, owners, file }: Deciding, proofs: Proofs, next?: Judging['next']) {
  return judgeRequest({ rules, owners, file, proofs, counts: claimed(context), ...(next && { next }) });
}

/**
 * That this person could vote on it now, before they are asked to.
 *
 * @throws REQUEST_NOT_PENDING, PLACE_DIFFERS, OWN_REQUEST, PERMISSION_DENIED, ALREADY_REVIEWED
 */
export async function requireReviewer(deciding: Deciding, actor: Person): Promise<void> {
  requireReviewable(deciding, actor);
  await votesSoFar(deciding, actor);
}

/** That they could approve it, too. @throws as `requireReviewer`, and IDENTITY_UNVERIFIED */
export async function requireApproving(deciding: Deciding, actor: Actor): Promise<void> {
  await requireReviewer(deciding, actor);
  requireCountingVote(deciding, actor);
}

/** One vote a person. One that does not count, because no one vouches for it, takes no one's vote away. */
async function votesSoFar(deciding: Deciding, actor: Person): Promise<Proofs> {
  const { context, ledgerSnapshot, file, rules } = deciding;
  const proofs = await proveRequest(context, ledgerSnapshot, file);
  const counted = new Set(judged(deciding, proofs)?.counted);
  const own = file.state.reviews.some(
    ({ id, actor: by }) => counted.has(id) && samePerson(by.email, actor.email, rules.policy),
  );
  if (own) throw new BacktrailError('ALREADY_REVIEWED', 'you have already reviewed this rollback request');
  return proofs;
}

/** Where the plan is another one by now, reviewers are asked again, and this approval is not written. PLAN_CHANGED. */
export async function approve(
  context: RequestContext,
  { id, actor, ...vote }: ReviewInput & Pick<Vote, 'digest' | 'rendered'>,
): Promise<RequestView> {
  let changed: BacktrailError | null = null;
  const view = await act(context, id, async (deciding) => {
    const decided = await decideApproval(deciding, { actor, ...vote });
    changed = decided.changed;
    return decided.event;
  });
  if (changed !== null) throw changed;
  return withdrawUncounted(context, view);
}

interface Vote {
  readonly actor: Person;
  readonly comment?: string | undefined;
  /** Of the plan that was looked at. */
  readonly digest?: string | undefined;
  /** Of its manifests, where approvals bind to them. */
  readonly rendered?: string | undefined;
}

/**
 * The event of an approval; `changed`: why it is none, but asks reviewers again. `plan`: how to plan it again.
 *
 * @throws REQUEST_NOT_PENDING, OWN_REQUEST, PERMISSION_DENIED, ALREADY_REVIEWED, PLAN_CHANGED where what was looked at is neither what reviewers are
 * asked about, nor what they would be asked about now
 */
export async function decideApproval(
  deciding: Deciding,
  { actor, comment, ...seen }: Vote,
  plan: () => Promise<Planned> = () => replan(deciding.context, deciding.state),
): Promise<{ readonly event: RequestEvent; readonly changed: BacktrailError | null }> {
  const { context, rules, state, owners } = deciding;
  requireReviewable(deciding, actor);
  requireCountingVote(deciding, actor);
  const proofs = await votesSoFar(deciding, actor);
  const planned = await plan();
  // What is blocked now, or done already, is said when it is executed.
  const differs = !isBlocked(planned.plan) && planned.plan.files.length > 0;
  const isOther = differs && isChanged(state, planned, bindOf(rules, owners));
  if (!isSeen(state, seen) && !(isOther && isSeen(termsOf(planned), seen)))
    throw notWhatWasSeen(state, seen.digest);
  if (isOther)
    return {
      event: await replannedEvent(context, state, planned),
      changed: planChanged(state, planned.plan.digest),
    };
  const stamped = stamp(context, actor);
  const vote = voteOf(stamped, 'approved', state, rules);
  const next = { ...vote, verified: await context.git.ledger.signs() };
  const counting = judged(deciding, proofs, next);
  const event: RequestEvent = {
    ...stamped,
    type: 'approved',
    digest: state.digest,
    comment: filled(comment),
    quorum: { have: counting?.have ?? 0, need: counting?.need ?? 0 },
    settles: counting?.satisfied ?? true,
    ...placeIn(rules),
  };
  return { event, changed: null };
}

/** What was looked at is this; nobody who says nothing of it is held to it. */
const isSeen = (of: Pick<Terms, 'digest' | 'rendered'>, { digest, rendered }: Omit<Vote, 'actor'>): boolean =>
  (digest ?? of.digest) === of.digest && (rendered ?? of.rendered) === of.rendered;

function planChanged({ id, scope, digest: confirmed }: LedgerRequest, now: string): BacktrailError {
  return new BacktrailError(
    'PLAN_CHANGED',
    `What the rollback of ${formatCoordinates(scope)} would change is no longer what was asked for; reviewers are asked again.`,
    {
      details: { confirmed, now },
      hint: `Look at it with \`backtrail request plan ${id}\`, then approve that.`,
    },
  );
}

/** A vote is counted before it is signed: one whose key turns out not to be its voter's lets nothing go ahead. */
async function withdrawUncounted(context: RequestContext, view: RequestView): Promise<RequestView> {
  const reason = uncounted(context, view);
  if (reason === null) return view;
  return act(context, view.id, ({ state }) =>
    isWaiting(state.status) ? { ...stamp(context, context.committer), type: 'reopened', reason } : null,
  );
}

/** Why it is to be withdrawn; null where it is not. */
export function uncounted(context: RequestContext, { approval, status }: RequestView): string | null {
  const { have, need } = approval;
  if (context.allowedSigners === null || status !== 'approved' || have >= need) return null;
  return `${have} of ${need} approvals count.`;
}

function notWhatWasSeen({ id, digest }: LedgerRequest, seen: string | undefined): BacktrailError {
  return new BacktrailError('PLAN_CHANGED', `Reviewers of ${id} are asked about another plan by now.`, {
    details: { ...(seen !== undefined && { confirmed: seen }), now: digest },
    hint: `Look at it with \`backtrail request plan ${id}\`, then approve that.`,
  });
}

export function reject(context: RequestContext, { id, ...vote }: ReviewInput): Promise<RequestView> {
  return takingBack(context, (taken) =>
    act(context, id, async (deciding) => taken.checked(await decideRejection(deciding, vote, taken))),
  );
}

/** `taken`: the draft that people are asked about is closed first. @throws REQUEST_NOT_PENDING, OWN_REQUEST, PERMISSION_DENIED, ALREADY_REVIEWED, PLAN_CHANGED */
export async function decideRejection(
  deciding: Deciding,
  { actor, comment, digest: seen }: Vote,
  taken: TakenBack,
): Promise<RequestEvent> {
  const { context, rules, state, file } = deciding;
  const { digest } = state;
  requireReviewable(deciding, actor);
  if (seen !== undefined && seen !== digest) throw notWhatWasSeen(state, seen);
  const proofs = await votesSoFar(deciding, actor);
  const stamped = stamp(context, actor);
  const next = { ...voteOf(stamped, 'rejected', state, rules), verified: true };
  const settles = judged(deciding, proofs, next)?.rejected ?? true;
  if (settles) taken.require(file);
  return { ...stamped, type: 'rejected', digest, comment: filled(comment), settles, ...placeIn(rules) };
}

function voteOf(
  { id, at, actor }: ReturnType<typeof stamp>,
  decision: Review['decision'],
  { digest }: LedgerRequest,
  rules: Rules,
): Review {
  return { id, decision, actor, at, comment: null, digest, ...placeIn(rules) };
}

const filled = (text: string | undefined) =>
  text === undefined || text.trim() === '' ? null : text.slice(0, TEXT);

/**
 * One that waits to be merged is closed first. One that is approved is withdrawn for as long as the branch does not hold it: whoever executes it at
 * the same moment is stopped, or was faster.
 *
 * @throws REQUEST_CLOSED where it was merged, or executed, meanwhile
 */
export async function cancel(
  context: RequestContext,
  { id, actor, reason }: Parameters<Requests['cancel']>[0],
): Promise<RequestView> {
  let isWithdrawn = false;
  const isOnBranch = (state: LedgerRequest) => isWithdrawn && isPublished(context, state, null);
  const view = await takingBack(context, (taken) =>
    act(context, id, async (deciding) => {
      const { state, file } = deciding;
      requireCancellable(deciding, actor);
      isWithdrawn = state.status === 'approved' && !isProposed(state);
      if (await isOnBranch(state)) return null;
      taken.require(file);
      const approved = isWithdrawn ? ({ approved: true } as const) : {};
      const event = { type: 'cancelled', reason: filled(reason), ...approved } as const;
      return taken.checked({ ...stamp(context, actor), ...event });
    }),
  );
  if (view.status === 'cancelled' && isWithdrawn) await context.git.refresh();
  if (await isOnBranch(view)) throw await executedMeanwhile(context, view);
  return view;
}

/** That this person may withdraw it, and that it can be as the ledger has it. @throws PERMISSION_DENIED, REQUEST_NOT_PENDING */
export function requireCancellable(deciding: Deciding, actor: Person): void {
  const { state } = deciding;
  requireCanceller(deciding, actor);
  if (state.status !== 'pending' && state.status !== 'approved' && !isProposed(state))
    throw notPending(state);
}

/** Its author and, of what is approved, whoever could approve it; who has `admin` may cancel any. @throws PERMISSION_DENIED */
function requireCanceller({ rules, state, owners }: Deciding, actor: Person): void {
  const { policy } = rules;
  const { id, author } = state;
  const isOwn = samePerson(author.email, actor.email, policy);
  const isApprover = stated(rulesFor(rules, state, owners)).some(({ rule, environment }) =>
    mayApprove(policy, rule, actor, environment),
  );
  if (!isOwn && isApprover && state.status !== 'pending') return;
  requirePermission(policy, actor, isOwn ? 'propose' : 'admin', placeOf(state));
  if (isOwn || policy.permissions.length > 0) return;
  throw new BacktrailError(
    'PERMISSION_DENIED',
    `Request ${id} is ${author.email}'s; only they${isWaiting(state.status) ? ', and whoever could approve it,' : ''} may cancel it.`,
    { hint: 'Reject it with `backtrail request reject`, or have `admin` granted in `policy.permissions`.' },
  );
}

/** What the branch holds is done, and recorded so. */
async function executedMeanwhile(
  context: RequestContext,
  { id }: Pick<LedgerRequest, 'id'>,
): Promise<BacktrailError> {
  const { commit } = await executeRequest(context, id, {}, { isFresh: true });
  return new BacktrailError(
    'REQUEST_CLOSED',
    `Request ${id} was executed meanwhile, in ${commit?.slice(0, 10) ?? 'a commit of the branch'}.`,
    { details: { requestId: id, commit } },
  );
}

export async function note(
  context: RequestContext,
  { id, actor, text, kind = 'note', event, onRepeated }: Parameters<Requests['note']>[0],
): Promise<RequestView> {
  let repeats = false;
  const view = await act(context, id, async ({ rules, state, ledgerSnapshot }) => {
    requireSome(rules, actor, state);
    if (text.trim() === '') throw new BacktrailError('INVALID_REQUEST', 'A note needs some text.');
    const noted = { text: text.slice(0, TEXT), kind };
    if (event === undefined) return { ...stamp(context, actor), type: 'noted', ...noted };
    const before = requestOfEvent(await ledgerSnapshot.commits(), event);
    repeats = before !== null;
    if (before === null) return { ...stamp(context, actor), id: event, type: 'noted', ...noted };
    const own = before === id ? state.notes.find((each) => each.id === event) : undefined;
    const isSame = own?.text === noted.text && own.kind === kind;
    if (isSame && samePerson(own.actor.email, actor.email, rules.policy)) return null;
    throw new BacktrailError('KEY_REUSED', `The event ${event} is another one.`);
  });
  if (repeats) onRepeated?.();
  return view;
}

const TEXT = 10_000;

/** Whoever may do anything with it but look at it. */
function requireSome({ policy }: Rules, actor: Person, state: LedgerRequest): void {
  const environment = placeOf(state);
  if (!hasPermission(policy, actor, 'deploy', environment))
    requirePermission(policy, actor, 'propose', environment);
}

/** @throws PERMISSION_DENIED, PLACE_DIFFERS where it would fail again */
export function requireRetrier({ rules, state }: Pick<Deciding, 'rules' | 'state'>, actor: Person): void {
  const own = samePerson(state.author.email, actor.email, rules.policy);
  requirePermission(rules.policy, actor, own ? 'propose' : 'deploy', placeOf(state));
  requireAskedHere(rules, state);
}

export function inspect(context: RequestContext, { id, actor, comment }: Act & { readonly comment: string }) {
  return act(context, id, async (deciding) => {
    const { rules, state, ledgerSnapshot, file, owners } = deciding;
    const { policy } = rules;
    requireSight(deciding, actor);
    const proofs = await proveRequest(context, ledgerSnapshot, file);
    const review = inspectionOf({ rules, owners, file, proofs, counts: claimed(context) });
    if (state.breakGlass === null || review !== null || isWaiting(state.status))
      throw new BacktrailError(
        'REVIEW_NOT_OPEN',
        state.breakGlass !== null && review === null
          ? `Request ${id} has not been executed yet.`
          : review === null
            ? `Request ${id} went the ordinary way: there is nothing to review afterwards.`
            : `${review.actor.email} has reviewed request ${id} already.`,
      );
    if (samePerson(state.author.email, actor.email, policy))
      throw new BacktrailError('OWN_REVIEW', 'Another person has to review your own use of break-glass.');
    const ruled = stated(rulesAt(policy, owners));
    const unsigned = ruled.every(({ rule }) => rule.unsignedApprovals);
    if (!unsigned) for (const { rule, environment } of ruled) requireOwnKey(rule, actor, environment);
    if (!unsigned && !(await context.git.ledger.signs()))
      throw new BacktrailError('IDENTITY_UNVERIFIED', 'A review of break-glass has to be signed.');
    requirePermission(rules.policy, actor, 'deploy', placeOf(state));
    if (comment.trim() === '') throw new BacktrailError('INVALID_REQUEST', 'A review needs a comment.');
    return { ...stamp(context, actor), type: 'inspected', comment: comment.slice(0, TEXT) };
  });
}
