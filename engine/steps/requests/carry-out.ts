/** Carries an approved request out: what a worker does, on nobody's word but the branch's and that of keys it trusts. */
import {
  BacktrailError,
  FAILURES,
  formatCoordinates,
  isFailure,
  type LedgerRequest,
  type ObjectId,
  type Provenance,
  type RequestEvent,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { readRollback } from '../../record/read.ts';
import type { RollbackRecord } from '../../record/trailers.ts';
import { may, policyFor, sessionCovers } from '../../request/policy.ts';
import { isWaiting } from '../../request/transitions.ts';
import { execute } from '../execute.ts';
import type { CarryOutOptions } from './api.ts';
import { append, onRequest } from './append.ts';
import { type Book, openBook } from './book.ts';
import { look, type Place, placeFor, type Rules, rulesFor, stamp, timeOf } from './place.ts';
import { type Proofs, proveRequest, proveSession } from './proof.ts';
import { replan, replannedEvent } from './replan.ts';
import { requireRequest } from './review.ts';
import { requirePermission } from './rights.ts';
import { canJudge, claimed, type Counts, judgeRequest, placeOf, proven } from './view.ts';

interface Case {
  readonly place: Place;
  readonly rules: Rules;
  readonly book: Book;
  readonly file: RequestFile;
  readonly proofs: Proofs;
  readonly counts: Counts;
}

export async function carryOut(
  here: Place,
  id: RequestId,
  options: CarryOutOptions = {},
): Promise<RollbackResult> {
  await here.git.refresh();
  const first = await look(here);
  const book = await openBook(here.git, first.ref, here.cache);
  const file = await requireRequest(book, id);
  const failed = async (error: unknown): Promise<never> => {
    throw await recordFailure({ place: here, rules: first, file }, error, options);
  };
  const found = await examine(here, first, { book, file, options }).catch(failed);
  const { state } = file;
  if (found.published) return complete(found, await run(found, null, options));
  if (state.status === 'completed') return recorded(state);
  if (!isWaiting(state.status)) throw notWaiting(state);
  const { place, rules } = found;
  if (options.actor) requirePermission(rules.policy, options.actor, 'deploy', placeOf(state));
  if (options.onTrust !== true && !canJudge(place, rules.policy, state)) throw noKeys(state);
  const grounds = await groundsOf(found);
  if (grounds instanceof BacktrailError) throw await refuse(found, grounds);
  return run(found, grounds, options).then((result) => complete(found, result), failed);
}

/** What is known of it before anything is decided. */
async function examine(
  here: Place,
  branch: Rules,
  { book, file, options }: Pick<Case, 'book' | 'file'> & { readonly options: CarryOutOptions },
): Promise<Case & { readonly published: boolean }> {
  const { state } = file;
  const place = placeFor(here, state);
  const [rules, proofs] = [await rulesFor(here, branch, state), await proveRequest(place, book, file)];
  const counts = options.onTrust === true ? claimed(place) : proven;
  const published = await isPublished(place, state);
  return { place, rules, book, file, proofs, counts, published };
}

async function isPublished(place: Place, state: LedgerRequest): Promise<boolean> {
  const { id, base } = state;
  const { base: tip } = await place.observe();
  const commit = await place.git.findRequest({ tip, base, requestId: id });
  if (commit === null) return false;
  const claim = readRollback((await place.git.messages([commit])).get(commit)?.trailers ?? []);
  if (claim !== null && carries(claim.record, state)) return true;
  throw new BacktrailError(
    'LEDGER_TAMPERED',
    `Commit ${commit} of the branch names request ${id}, and is not the rollback that was asked for.`,
  );
}

/** Is a commit that names a request the rollback that the request is about? Anybody who may push can write its id. */
export function carries(
  { target, plan }: Pick<RollbackRecord, 'target' | 'plan'>,
  state: LedgerRequest,
): boolean {
  return target === state.target && plan === state.digest;
}

/** The branch never had to hold it: there was nothing to change. */
function recorded(state: LedgerRequest): RollbackResult {
  const { result } = state;
  const done = result !== null && result.status !== 'failed' ? result : null;
  if (done?.status === 'completed')
    throw new BacktrailError(
      'LEDGER_TAMPERED',
      `The ledger says that request ${state.id} was carried out, and the branch does not hold it.`,
    );
  return {
    requestId: state.id,
    status: done?.status ?? 'completed',
    mode: state.scope.mode,
    scope: formatCoordinates(state.scope),
    base: state.base,
    target: state.target,
    commit: done?.commit ?? null,
    deliveryCommit: done?.deliveryCommit ?? null,
    digest: state.digest,
    findings: [],
  };
}

function notWaiting({ id, status, result }: LedgerRequest): BacktrailError {
  if (status === 'pending') return new BacktrailError('AWAITING_APPROVAL', `Request ${id} awaits approval.`);
  if (status === 'failed' && result?.status === 'failed')
    return new BacktrailError('REQUEST_CLOSED', `Request ${id} failed before: ${result.message}`, {
      hint: `\`backtrail request retry ${id}\` tries it again.`,
      details: { code: result.code },
    });
  return new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${status}.`);
}

function noKeys({ id }: LedgerRequest): BacktrailError {
  return new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `Nobody's approval of ${id} can be judged: no key is trusted here.`,
    {
      hint: 'Name the list of keys that this worker trusts with BACKTRAIL_ALLOWED_SIGNERS=FILE.',
    },
  );
}

/** What lets it go ahead, or why it may not. `status` is a claim; this is what is judged. */
async function groundsOf(found: Case): Promise<Provenance | BacktrailError> {
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

/** How far clocks of two hosts may be apart. */
const SKEW_MS = 120_000;

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

/** Grounds that more approvals can mend lead back to `pending`; others end it. */
async function refuse({ place, rules, file }: Case, reason: BacktrailError): Promise<BacktrailError> {
  const { id } = file.state;
  const stamped = stamp(place, place.committer);
  const event: RequestEvent =
    reason.code === 'AWAITING_APPROVAL'
      ? { ...stamped, type: 'reopened', reason: reason.message }
      : { ...stamped, type: 'failed', code: reason.code, message: reason.message };
  await appendIfWaiting(place, rules, id, event);
  const { code, message, hint, details } = reason;
  return new BacktrailError(code, message, { hint, details: { ...details, requestId: id } });
}

function run(
  { place, rules, file }: Case,
  provenance: Provenance | null,
  { onStep, signal }: CarryOutOptions,
): Promise<RollbackResult> {
  const { state } = file;
  const bind = policyFor(rules.policy, placeOf(state))?.bind ?? 'digest';
  const request: RollbackRequest = {
    id: state.id,
    scope: state.scope,
    target: state.target,
    base: state.base,
    digest: state.digest,
    reason: state.justification,
    author: state.author,
    // The commit stands behind its own approval; the same for every worker that carries it out.
    requestedAt: provenance?.at ?? state.createdAt,
    allowRemoval: state.allowRemoval,
    ...(bind === 'rendered' && { rendered: state.rendered }),
    ...(provenance && { provenance }),
  };
  return execute({ ...place, request, ...(onStep && { onStep }), ...(signal && { signal }) });
}

/** The branch first, then the record. A record that cannot be written is repaired by a reconciler; the rollback stands. */
async function complete({ place, rules, file }: Case, result: RollbackResult): Promise<RollbackResult> {
  if (file.state.status === 'completed') return result;
  const { commit, deliveryCommit, status } = result;
  const outcome = status === 'unchanged' ? 'unchanged' : 'completed';
  await recordCompleted(place, rules.ref, file.state.id, { outcome, commit, deliveryCommit }).catch(
    (error: unknown) => {
      if (!isFailure(error)) throw error;
    },
  );
  return result;
}

export async function recordCompleted(
  place: Place,
  ref: string,
  id: RequestId,
  result: {
    readonly outcome: 'completed' | 'unchanged';
    readonly commit: ObjectId | null;
    readonly deliveryCommit: ObjectId | null;
  },
): Promise<boolean> {
  const { commits } = await append(place, ref, async (book) => {
    const file = await requireRequest(book, id);
    if (file.state.status === 'completed') return [];
    return [onRequest(id, { ...stamp(place, place.committer), type: 'completed', ...result })];
  });
  return commits.length > 0;
}

type Failing = Pick<Case, 'place' | 'rules' | 'file'>;

/** Says nothing about the request, or that nothing should be written any more. */
const UNRECORDED: ReadonlySet<string> = new Set(['INTERRUPTED', 'LEDGER_TAMPERED', 'LEDGER_REWOUND']);

/** What becomes of a request that could not be carried out; gives the error to be told. */
async function recordFailure(found: Failing, error: unknown, { last }: CarryOutOptions): Promise<unknown> {
  const { place, rules, file } = found;
  const { state } = file;
  if (!isFailure(error) || UNRECORDED.has(error.code)) return error;
  if (FAILURES[error.code].retry !== 'never' && last !== true) return error;
  const event = await failureEvent(found, error).catch(() => null);
  if (event !== null) await appendIfWaiting(place, rules, state.id, event).catch(() => undefined);
  return error;
}

async function failureEvent({ place: here, file }: Failing, error: BacktrailError): Promise<RequestEvent> {
  const { state } = file;
  const place = placeFor(here, state);
  if (error.code === 'PLAN_CHANGED' && state.gate !== 'no-policy')
    return replannedEvent(place, state, await replan(place, state));
  const { code, message } = error;
  return { ...stamp(place, place.committer), type: 'failed', code, message: message.slice(0, 4000) };
}

/** Another worker may have been faster. */
async function appendIfWaiting(
  place: Place,
  { ref }: Rules,
  id: RequestId,
  event: RequestEvent,
): Promise<void> {
  await append(place, ref, async (book) => {
    const file = await requireRequest(book, id);
    return isWaiting(file.state.status) ? [onRequest(id, event)] : [];
  });
}
