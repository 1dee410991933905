/** A rollback becomes a request. */
import {
  type AtomicGroup,
  type AutomaticCause,
  BacktrailError,
  type BreakGlassSession,
  type CheckCode,
  type EventId,
  formatCoordinates,
  type RequestProposal,
  type RequestEvent,
  type RequestId,
  type Scope,
  type VotePlace,
} from '../model/index.ts';
import { samePerson } from '../policy/policy.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { requestSummary } from '../record/request-summary.ts';
import { isProposed } from '../record/transitions.ts';
import { blockedError, isBlocked } from '../rollback/blocked.ts';
import type { Gate } from '../policy/gate.ts';
import type { ProposalInput, RequestView } from './types.ts';
import { isSameScope, requireIdleIn } from './busy.ts';
import { append } from './ledger/append.ts';
import { type Entry, onRequest } from './ledger/entries.ts';
import { unknownRequest } from './ledger/require-request.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from './ledger/snapshot.ts';
import { type Asking, requireGate, requireSigner } from './gate/gate.ts';
import { placeIn } from './gate/home.ts';
import { rulesFor, stated } from './gate/owners.ts';
import { personOf, type RequestContext, type Rules, stamp, timeOf } from './context.ts';
import { type TakenBack, takingBack } from './pull-requests/standing/taking-back.ts';
import { termsOf } from './terms.ts';
import { viewOf } from './view.ts';

export interface OpenInput extends ProposalInput {
  readonly id: RequestId;
  readonly reason: string;
  readonly allowRemoval?: boolean;
  /** What would block the plan, and is overridden. */
  readonly overrides?: readonly CheckCode[] | undefined;
  /** What was to be overridden if it blocks. */
  readonly askedOverrides?: readonly CheckCode[];
  readonly follows?: RequestId;
  readonly incident?: string;
  readonly sign?: boolean | undefined;
  readonly atomic?: AtomicGroup;
  readonly automatic?: AutomaticCause;
  /** The id of the event that opens it; a new one where absent. */
  readonly event?: EventId | undefined;
}

/** Opens a request; an older one of the same scope that is pending gives way to it. */
export async function openRequest(
  context: RequestContext,
  rules: Rules,
  input: OpenInput,
  gate?: Gate,
): Promise<RequestView> {
  const { planned, id, follows } = input;
  if (isBlocked(planned.plan)) throw blockedError(planned.plan);
  // Whoever has asked for the gate has looked at the ledger.
  if (gate === undefined) {
    const known = await openLedgerSnapshot(context.git, rules.ref, context.cache);
    const there = await known.request(id);
    if (there !== null) {
      requireSameRollback(there, input, rules);
      return viewOf(context, { ledgerSnapshot: known, rules, file: there }, planned.plan.owners);
    }
  }
  const asked = gate ?? (await requireGate(context, rules, askingOf(input)));
  const { ledgerSnapshot } = await takingBack(context, (taken) =>
    append(context, rules, async (ledgerSnapshot) => {
      if ((await ledgerSnapshot.request(id)) !== null) return [];
      if (follows !== undefined) await requireFollowable(ledgerSnapshot, follows);
      return taken.checked(await openingEntries({ context, rules, ledgerSnapshot, taken }, input, asked));
    }),
  );
  const file = await ledgerSnapshot.request(id);
  if (file === null) throw new BacktrailError('INTERNAL', `Request ${id} was not written.`);
  // Another person may have taken the id meanwhile.
  requireSameRollback(file, input, rules);
  return viewOf(context, { ledgerSnapshot, rules, file }, planned.plan.owners);
}

function askingOf({ automatic, allowRemoval = false, ...input }: OpenInput): Asking {
  return { ...input, ...(automatic && { automatic: { ...automatic, allowRemoval } }) };
}

/** The events that open it, where the ledger does not know it yet. */
export async function openingEntries(
  {
    context,
    rules,
    ledgerSnapshot,
    taken,
  }: {
    readonly context: RequestContext;
    readonly rules: Rules;
    readonly ledgerSnapshot: LedgerSnapshot;
    readonly taken: TakenBack;
  },
  input: OpenInput,
  { needsApproval, session, isExempt }: Gate,
): Promise<readonly Entry[]> {
  const { planned, author, id } = input;
  await requireIdleIn({ context, rules }, ledgerSnapshot, { id, scope: planned.plan.scope });
  const judged = input.propose === true ? { propose: true as const } : {};
  const ruled = stated(rulesFor(rules, judged, planned.plan.owners));
  await requireSigner(context, ruled, author, isExempt);
  const expiries = ruled.map(({ rule }) => rule.expiryMs);
  const expiryMs = needsApproval ? Math.min(...expiries) : null;
  const { scope, resumes } = planned.plan;
  const older = await olderOf(ledgerSnapshot, { id, scope, resume: resumes !== undefined });
  for (const file of older) taken.require(file);
  const stamped = stamp(context, author);
  const event: RequestEvent = {
    ...stamped,
    ...(input.event !== undefined && { id: input.event }),
    type: 'opened',
    proposal: proposalOf({
      ...input,
      ...placeIn(rules),
      at: stamped.at,
      expiryMs,
      supersedes: older[0]?.state.id ?? null,
    }),
    terms: termsOf(planned),
    gate: opensWith(needsApproval, session),
    session: session && { id: session.id, ticket: session.ticket },
  };
  const replaced = older.map(({ state: other }) =>
    onRequest(other.id, { ...stamp(context, author), type: 'superseded', by: id }),
  );
  return [onRequest(id, event), ...replaced];
}

export function requireSameRollback(
  { state }: RequestFile,
  {
    planned: { plan },
    author,
    propose,
    automatic,
    allowRemoval = false,
    overrides = [],
    askedOverrides = overrides,
  }: OpenInput,
  { policy }: Rules,
): void {
  const known = state.overrides ?? [];
  const same =
    isSameScope(state.scope, plan.scope) &&
    state.target === plan.target.commit &&
    samePerson(state.author.email, author.email, policy) &&
    (state.scope.wholeFile === true) === (plan.scope.wholeFile === true) &&
    state.allowRemoval === allowRemoval &&
    // What blocked then need not block any more; nothing is overridden that was not seen then.
    overrides.every((code) => known.includes(code)) &&
    known.every((code) => askedOverrides.includes(code)) &&
    (state.resume === true) === (plan.resumes !== undefined) &&
    state.hold?.seconds === plan.holds?.placed?.seconds &&
    state.automatic?.revision === automatic?.revision &&
    (propose !== true || state.propose === true);
  if (same) return;
  throw new BacktrailError(
    'REQUEST_EXISTS',
    `Another rollback has the id ${state.id}: of ${formatCoordinates(state.scope)}, by ${state.author.email}.`,
    { details: { requestId: state.id } },
  );
}

function opensWith(needsApproval: boolean, session: BreakGlassSession | null) {
  if (session !== null) return 'break-glass';
  return needsApproval ? null : 'no-policy';
}

async function requireFollowable(ledgerSnapshot: LedgerSnapshot, id: RequestId): Promise<void> {
  const file = await ledgerSnapshot.request(id);
  if (file === null) throw unknownRequest(id);
  if (file.state.status !== 'failed')
    throw new BacktrailError('REQUEST_NOT_FAILED', `Request ${id} is ${file.state.status}.`);
}

/** Requests of the same scope and kind that are pending, or wait to be merged, newest first. */
async function olderOf(
  ledgerSnapshot: LedgerSnapshot,
  { id, scope, resume }: { id: RequestId; scope: Scope; resume: boolean },
): Promise<readonly RequestFile[]> {
  const isSame = (known: { readonly id: RequestId; readonly scope: Scope }) =>
    known.id !== id && isSameScope(known.scope, scope);
  const older = await ledgerSnapshot.find(
    (known) => (known.status === 'pending' || known.status === 'approved') && isSame(known),
  );
  return older.filter(
    ({ state }) => (state.status === 'pending' || isProposed(state)) && (state.resume === true) === resume,
  );
}

function proposalOf({
  planned,
  author,
  id,
  reason,
  allowRemoval,
  overrides = [],
  follows,
  propose,
  sign,
  place,
  incident,
  atomic,
  automatic,
  at,
  expiryMs,
  supersedes,
}: OpenInput & {
  readonly place?: VotePlace;
  readonly at: string;
  readonly expiryMs: number | null;
  readonly supersedes: RequestId | null;
}): RequestProposal {
  const { scope, target, holds, resumes } = planned.plan;
  const resume = resumes === undefined ? {} : { resume: true as const };
  const expiresAt = expiryMs === null ? null : timeOf(Date.parse(at) + expiryMs);
  return {
    id,
    scope,
    target: requireTarget(target.commit),
    targetVersion: target.version,
    allowRemoval: allowRemoval ?? false,
    ...(overrides.length > 0 && { overrides }),
    justification: requireReason(reason),
    message: requestSummary({ scope, target: target.commit, targetVersion: target.version, ...resume }),
    author: personOf(author),
    createdAt: at,
    expiresAt,
    follows: follows ?? null,
    supersedes,
    ...(propose === true && { propose }),
    ...(sign === true && { sign }),
    ...(place && { place }),
    ...(incident !== undefined && { incident }),
    ...(atomic && { atomic }),
    ...(automatic && { automatic: { revision: automatic.revision, seen: automatic.seen } }),
    ...(holds?.placed && { hold: { seconds: holds.placed.seconds } }),
    ...resume,
    config: null,
  };
}

/** TARGET_REQUIRED for a request that names none. */
export function requireTarget(target: string): string {
  if (target.trim() !== '') return target;
  throw new BacktrailError('TARGET_REQUIRED', 'targetSha is required');
}

/** Characters. */
const TEXT = 10_000;

export function requireReason(reason: string): string {
  if (typeof reason === 'string' && reason.trim() !== '') return reason.slice(0, TEXT);
  throw new BacktrailError('REASON_REQUIRED', 'A request needs a justification.');
}
