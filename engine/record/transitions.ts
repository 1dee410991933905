/** The state machine of a request: one table of transitions, and the state computed from events. */
import {
  BacktrailError,
  type LedgerRequest,
  type Proposed,
  type RequestEvent,
  type RequestEventType,
  type RequestStatus,
} from '../model/index.ts';

import { samePerson } from '../policy/policy.ts';
import { requestSummary } from './request-summary.ts';

type Transitions = Partial<Record<RequestStatus, readonly RequestStatus[]>>;

const OPEN_STATUSES = ['pending', 'approved', 'executing', 'failed'] as const;

/** The branch is authoritative: a request whose commit is on it is completed, whatever the ledger says. */
const TO_COMPLETED: Transitions = {
  pending: ['completed'],
  approved: ['completed'],
  executing: ['completed'],
  failed: ['completed'],
  rejected: ['completed'],
  superseded: ['completed'],
  expired: ['completed'],
  cancelled: ['completed'],
};

const BACK_TO_PENDING: Transitions = { pending: ['pending'], approved: ['pending'], executing: ['pending'] };

/**
 * For each event the possible transitions from status to status. `opened` creates a request: as `pending`, or as `approved` if no review is
 * needed. `noted` and `inspected` do not change the status. `started` is not an event: an approved request is displayed as `executing`
 * while the queue processes it.
 */
export const TRANSITIONS: Readonly<Record<Exclude<RequestEventType, 'opened'> | 'started', Transitions>> = {
  approved: { pending: ['pending', 'approved'] },
  rejected: { pending: ['pending', 'rejected'] },
  settled: { pending: ['approved', 'rejected'] },
  // Of what is approved: only while it waits to be merged (`requireRevocable`).
  superseded: { pending: ['superseded'], approved: ['superseded'] },
  expired: { pending: ['expired'], approved: ['expired'] },
  cancelled: { pending: ['cancelled'], approved: ['cancelled'] },
  started: { approved: ['executing'] },
  proposed: { approved: ['approved'], executing: ['approved'] },
  linked: { approved: ['approved'] },
  reopened: BACK_TO_PENDING,
  replanned: BACK_TO_PENDING,
  completed: TO_COMPLETED,
  failed: { approved: ['failed'], executing: ['failed'] },
  retried: { failed: ['executing'] },
  noted: {},
  inspected: {},
};

/** Whether the request may still be executed or reviewed. */
export function isOpen(status: RequestStatus): boolean {
  return OPEN_STATUSES.some((open) => open === status);
}

/** Whether the request is approved and not executed yet: it waits for a worker, or for its pull request to be merged. */
export function isWaiting(status: RequestStatus): boolean {
  return status === 'approved' || status === 'executing';
}

/** Whether it waits for its pull request, and needs no worker until something comes of that. */
export function isProposed({ status, proposed }: Pick<LedgerRequest, 'status' | 'proposed'>): boolean {
  return isWaiting(status) && proposed !== null;
}

/**
 * The state of a request: its events, replayed.
 * @throws LEDGER_TAMPERED for an impossible sequence of events
 */
export function foldRequest(events: readonly RequestEvent[]): LedgerRequest {
  let state: LedgerRequest | null = null;
  for (const event of events) state = applyEvent(state, event);
  if (state === null) throw invalidHistory('A request must start with the event that opens it.');
  return state;
}

/**
 * The state after one more event; `state` null: before the first one.
 * @throws LEDGER_TAMPERED if the table has no such transition
 */
export function applyEvent(state: LedgerRequest | null, event: RequestEvent): LedgerRequest {
  if (event.type === 'opened') {
    if (state !== null) throw invalidHistory(`Request ${state.id} is opened twice.`);
    return initialState(event);
  }
  if (state === null) throw invalidHistory('A request must start with the event that opens it.');
  return { ...nextState(state, event), updatedAt: event.at };
}

function initialState(event: RequestEvent & { type: 'opened' }): LedgerRequest {
  const { proposal, terms, gate, session } = event;
  // The gate depends on the author, and reviewers read the message: both must match the request.
  if (
    !samePerson(proposal.author.email, event.actor.email) ||
    proposal.createdAt !== event.at ||
    proposal.message !== requestSummary(proposal)
  )
    throw invalidHistory(
      `Request ${proposal.id} does not match the event that opens it: author, time or message differ.`,
    );
  return {
    ...proposal,
    ...terms,
    ...(event.authenticated && { authenticated: event.authenticated }),
    status: gate === null ? 'pending' : 'approved',
    updatedAt: event.at,
    gate,
    breakGlass: session === null ? null : { session: session.id, ticket: session.ticket, review: null },
    supersededBy: null,
    reviews: [],
    notes: [],
    proposed: null,
    link: null,
    reopened: null,
    result: null,
  };
}

function nextState(
  state: LedgerRequest,
  event: Exclude<RequestEvent, { type: 'opened' }>,
): Omit<LedgerRequest, 'updatedAt'> {
  const { id, actor, at } = event;
  const to = (status: RequestStatus) => ({ ...state, status: requireTransition(state, event.type, status) });
  const again = { ...WITHOUT_BREAK_GLASS, ...NOT_PROPOSED };
  switch (event.type) {
    case 'approved':
    case 'rejected': {
      const { type: decision, comment, digest, settles, place, authenticated } = event;
      const next = to(settles ? decision : 'pending');
      const review = {
        id,
        decision,
        actor,
        at,
        comment,
        digest,
        ...(place && { place }),
        ...(authenticated && { authenticated }),
      };
      return { ...next, reviews: [...state.reviews, review] };
    }
    case 'settled':
      return to(event.rejects ? 'rejected' : 'approved');
    case 'reopened':
      return {
        ...to('pending'),
        ...again,
        reopened: { at, reason: event.reason, difference: [] },
      };
    case 'replanned': {
      const reason = 'What it would change is no longer what was approved.';
      const { terms, difference } = event;
      return { ...to('pending'), ...terms, ...again, reopened: { at, reason, difference } };
    }
    case 'superseded':
      requireRevocable(state, event.type);
      return { ...to('superseded'), supersededBy: event.by };
    case 'expired':
      requireRevocable(state, event.type);
      return to(event.type);
    case 'cancelled':
      // Whoever executes it asks the ledger once more, or has the push say which ledger it knows.
      if (event.approved !== true || !isUnproposed(state))
        requireRevocable(state, event.type, event.approved);
      return to(event.type);
    case 'proposed':
      return { ...to('approved'), proposed: event.proposed, link: linkOf(state, event.proposed) };
    case 'linked':
      if (state.proposed === null) throw invalidHistory(`Request ${state.id} was not proposed.`);
      return { ...to('approved'), link: event.link };
    case 'completed': {
      const { outcome: status, commit, deliveryCommit, arrived } = event;
      const result = { status, commit, deliveryCommit, ...(arrived && { arrived }) };
      return { ...to('completed'), result };
    }
    case 'failed': {
      const { code, message } = event;
      return { ...to('failed'), result: { status: 'failed', code, message } };
    }
    case 'retried':
      return { ...to('executing'), ...NOT_PROPOSED, result: null };
    case 'noted':
      return { ...state, notes: [...state.notes, { id, actor, at, kind: event.kind, text: event.text }] };
    case 'inspected': {
      const { breakGlass } = state;
      if (breakGlass === null || samePerson(actor.email, state.author.email))
        throw invalidHistory(
          `Request ${state.id} has no use of break-glass that ${actor.email} could review.`,
        );
      const review = { id, actor, at, comment: event.comment };
      return { ...state, breakGlass: { ...breakGlass, review } };
    }
  }
}

/** A request that is reopened was not executed under break-glass: from now on it needs approval. */
const WITHOUT_BREAK_GLASS = { gate: null, breakGlass: null } as const;

/** A pull request that was closed is opened again, or made anew: nothing is assumed of it. */
const NOT_PROPOSED = { proposed: null, link: null } as const;

/** The pull request stays where the branch that it brings is the same. */
const linkOf = ({ proposed, link }: LedgerRequest, next: Proposed) =>
  proposed?.branch === next.branch && proposed.via === next.via ? link : null;

const isUnproposed = ({ status, proposed }: LedgerRequest) => status === 'approved' && proposed === null;

/** What is approved gives way by itself only while it waits to be merged: otherwise a worker may publish it at any moment. */
function requireRevocable(state: LedgerRequest, event: RequestEventType, saysApproved?: true): void {
  if (saysApproved === true || (state.status !== 'pending' && !isProposed(state)))
    throw invalidHistory(`Request ${state.id} is ${state.status}, and not to be ${event}.`);
}

function requireTransition(
  { id, status }: LedgerRequest,
  event: keyof typeof TRANSITIONS,
  next: RequestStatus,
): RequestStatus {
  if (TRANSITIONS[event][status]?.includes(next)) return next;
  throw invalidHistory(`Request ${id} cannot change from ${status} to ${next} by the event ${event}.`);
}

const invalidHistory = (message: string) => new BacktrailError('LEDGER_TAMPERED', message);
