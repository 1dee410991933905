/** A request as people see it: its record, who stands behind its events, and what it still needs. */
import {
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type LedgerRequest,
  type Review,
} from '../model/index.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { isFor } from '../record/place.ts';
import { evaluateReviews, type ReviewResult, samePerson } from '../policy/policy.ts';
import type { Approval } from '../policy/gate.ts';
import type { Identity, RequestView } from './types.ts';
import type { LedgerSnapshot } from './ledger/snapshot.ts';
import { isHome } from './gate/home.ts';
import { statusNow } from './gate/expiry.ts';
import { knownOwners, type OwnerRule, rulesAt, rulesFor, stated } from './gate/owners.ts';
import type { RequestContext, Rules } from './context.ts';
import { recordedPullRequest } from './pull-requests/shown.ts';
import { type Proof, type Proofs, proveRequest, readSignaturesOf } from './ledger/proof.ts';

export { nameOf as placeOf } from './gate/owners.ts';

/** Does a review count as its actor's own? */
export type Counts = (proof: Proof | undefined) => boolean;

/** For execution: what keys prove. */
export const proven: Counts = (proof) => proof?.verified ?? false;

/** Where no key is known, a signature is taken on trust: the executor judges it again. */
export const claimed =
  ({ allowedSigners }: RequestContext): Counts =>
  (proof) =>
    allowedSigners === null ? (proof?.signed ?? false) : proven(proof);

/** The same under a rule: where it wants a person's own key, nothing counts that a server signed, or that says so. */
const countsFor =
  ({ signedBy }: EnvironmentPolicy, counts: Counts): Counts =>
  (proof) =>
    counts(proof) && !(signedBy === 'person' && (proof?.server === true || proof?.served === true));

/** Under each of the rules. */
export const countsForAll =
  (ruled: readonly { readonly rule: EnvironmentPolicy }[], counts: Counts): Counts =>
  (proof) =>
    ruled.length === 0 ? counts(proof) : ruled.every(({ rule }) => countsFor(rule, counts)(proof));

/** Reviews of the plan as it is now, for this place: those from before another one do not count, whatever their digest. */
function currentReviews({ home }: Rules, { state, events }: RequestFile): readonly Review[] {
  const last = events.findLastIndex(({ type }) => type === 'replanned');
  const since = new Set(events.slice(last + 1).map(({ id }) => id));
  return state.reviews.filter(({ id, place }) => since.has(id) && isFor(home, place));
}

export interface Judging {
  readonly rules: Rules;
  /** The environments that own what the request changes. */
  readonly owners: readonly EnvironmentName[];
  readonly file: RequestFile;
  readonly proofs: Proofs;
  readonly counts: Counts;
  /** A review that is about to be written. */
  readonly next?: Review & { readonly verified: boolean };
}

/** What one environment's rule makes of the reviews. */
type OwnJudgement = ReviewResult & OwnerRule & { readonly rule: EnvironmentPolicy };

/** The judgements of all that have a rule, each for itself: one vote may count for several. */
export interface JointJudgement extends ReviewResult {
  readonly each: readonly OwnJudgement[];
}

/** null where no owner has a policy. */
export function judgeRequest({ rules, owners, file, proofs, counts, next }: Judging): JointJudgement | null {
  const { policy } = rules;
  const { state } = file;
  const each = stated(rulesFor(rules, state, owners)).map(({ environment, rule }): OwnJudgement => {
    const keys = new Set(rule.selfApproval ? [] : [ownKey(proofs.get(file.events[0]?.id ?? ''))]);
    const present = currentReviews(rules, file)
      .filter(inTime(proofs, state))
      .map((review) => {
        const proof = proofs.get(review.id);
        const key = ownKey(proof);
        // A key is one voter, however many names the list of trusted keys has for it.
        const again = key !== null && keys.has(key);
        if (review.decision === 'approved') keys.add(key);
        return { ...review, verified: countsFor(rule, counts)(proof) && !again };
      });
    const reviews = next === undefined ? present : [...present, next];
    const { digest, author } = state;
    return {
      ...evaluateReviews({ policy, rule, place: environment, author: author.email, digest, reviews }),
      rule,
      environment,
    };
  });
  return each.length === 0 ? null : { ...jointly(each), each };
}

/** A server's key is no one's own: it signs for as many as it knows. */
const ownKey = (proof: Proof | undefined) => (proof?.server === true ? null : (proof?.key ?? null));

/** The most that is asked for, and those who can still give some of it. */
function jointly(each: readonly OwnJudgement[]): ReviewResult {
  const open = each.filter(({ satisfied }) => !satisfied);
  const [hardest] = [...(open.length > 0 ? open : each)].sort((a, b) => b.need - b.have - (a.need - a.have));
  return {
    need: hardest?.need ?? 0,
    have: hardest?.have ?? 0,
    satisfied: open.length === 0,
    rejected: each.some(({ rejected }) => rejected),
    counted: [...new Set(each.flatMap(({ counted }) => counted))],
    approvers: [...new Set((open.length > 0 ? open : each).flatMap(({ approvers }) => approvers))].sort(),
  };
}

/** A vote of later than this clock does not count yet, and one of after the end never did. */
const inTime =
  (proofs: Proofs, { expiresAt }: LedgerRequest) =>
  ({ id, decision }: Review): boolean => {
    const proof = proofs.get(id);
    if (proof === undefined) return true;
    const late = expiresAt !== null && proof.time > Date.parse(expiresAt);
    return !proof.future && !(decision === 'approved' && late);
  };

const identity = (proof: Proof | undefined): Identity => (proof?.verified ? 'verified' : 'unverified');

/** Can it be judged here who approved? Without a list of keys, nothing is known that could be held against an approval; nor where the votes are not at home. */
export function canJudge(context: RequestContext, rules: Rules, state: LedgerRequest): boolean {
  if (!isHome(rules)) return false;
  const ruled = stated(rulesFor(rules, state, knownOwners(context, state)));
  return rules.knowsKeys || ruled.every(({ rule }) => rule.quorum === 0 || rule.unsignedApprovals);
}

const NO_APPROVAL = { need: 0, have: 0, approvers: [] };

/** The review of what went ahead without approval, if one is there that counts; one that no one vouches for closes nothing. */
export function inspectionOf({ rules: { policy }, owners, file, proofs, counts }: Judging) {
  const { events, state } = file;
  const ruled = stated(rulesAt(policy, owners));
  const unsigned = ruled.every(({ rule }) => rule.unsignedApprovals);
  const vouches = countsForAll(ruled, counts);
  const counting = events.findLast(
    (event) =>
      event.type === 'inspected' &&
      !samePerson(event.actor.email, state.author.email, policy) &&
      (unsigned || vouches(proofs.get(event.id))),
  );
  if (counting?.type !== 'inspected') return null;
  const { id, actor, at, comment } = counting;
  return { id, actor, at, comment };
}

/** Where several environments have a say: what each asks for. */
function rulesShown(judgement: JointJudgement | null): Pick<Approval, 'rules'> {
  if (judgement === null || judgement.each.length < 2) return {};
  return {
    rules: judgement.each.map(({ environment, need, have, approvers }) => ({
      environment: formatCoordinates(environment),
      need,
      have,
      approvers,
    })),
  };
}

export async function viewOf(
  context: RequestContext,
  { ledgerSnapshot, rules, file }: { ledgerSnapshot: LedgerSnapshot; rules: Rules; file: RequestFile },
  owners = knownOwners(context, file.state),
): Promise<RequestView> {
  const proofs = await proveRequest(context, ledgerSnapshot, file);
  const judging = { rules, owners, file, proofs, counts: claimed(context) };
  const judgement = judgeRequest(judging);
  const { state, events } = file;
  const { breakGlass } = state;
  const status = statusNow(context, rules, state);
  const isPending = status === 'pending';
  const counted = new Set(judgement?.counted);
  const pullRequest = recordedPullRequest(state);
  const { need = 0, have = 0, approvers = [] } = judgement ?? {};
  return {
    ...state,
    status,
    breakGlass: breakGlass && { ...breakGlass, review: inspectionOf(judging) },
    scopeName: formatCoordinates(state.scope),
    authorIdentity: identity(proofs.get(events[0]?.id ?? '')),
    reviews: state.reviews.map((review) => ({
      ...review,
      identity: identity(proofs.get(review.id)),
      counts: counted.has(review.id),
      ...(!isFor(rules.home, review.place) && { elsewhere: true as const }),
    })),
    approval:
      breakGlass === null && !(state.automatic !== undefined && state.gate === 'no-policy')
        ? { need, have, approvers: isPending ? approvers : [], ...rulesShown(judgement) }
        : NO_APPROVAL,
    ...(!isFor(rules.home, state.place) && { elsewhere: true as const }),
    rollbackOf: { commit: state.target, version: state.targetVersion },
    ...(pullRequest && { pullRequest }),
    ...(status === 'cancelled' && cancellationIn(file)),
  };
}

function cancellationIn({ events }: RequestFile): Pick<RequestView, 'cancelled'> {
  const last = events.findLast(({ type }) => type === 'cancelled');
  if (last?.type !== 'cancelled') return {};
  const { actor, at, reason } = last;
  return { cancelled: { actor, at, reason } };
}

/** Views that are made side by side: memory does not grow with the number of requests. */
const TOGETHER = 500;

/** The views of many requests, in their order. */
export async function viewsOf(
  context: RequestContext,
  {
    ledgerSnapshot,
    rules,
    files,
  }: { ledgerSnapshot: LedgerSnapshot; rules: Rules; files: readonly RequestFile[] },
): Promise<RequestView[]> {
  const views: RequestView[] = [];
  for (let at = 0; at < files.length; at += TOGETHER) {
    const some = files.slice(at, at + TOGETHER);
    await readSignaturesOf(context, ledgerSnapshot, some);
    views.push(...(await Promise.all(some.map((file) => viewOf(context, { ledgerSnapshot, rules, file })))));
  }
  return views;
}
