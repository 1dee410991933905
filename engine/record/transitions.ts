/** The life of a request as one table, and its state as the fold of its events. */
import {
  BacktrailError,
  type LedgerRequest,
  type RequestEvent,
  type RequestEventType,
  type RequestStatus,
} from '../model/index.ts';

import { samePerson } from '../policy/policy.ts';
import { proposalMessage } from './proposal.ts';

type Transitions = Partial<Record<RequestStatus, readonly RequestStatus[]>>;

const STATUSES_OPEN = ['pending', 'approved', 'executing', 'failed'] as const;

/** The branch is the truth: whatever the record says, what stands there is completed. */
const DONE: Transitions = {
  pending: ['completed'],
  approved: ['completed'],
  executing: ['completed'],
  failed: ['completed'],
  rejected: ['completed'],
  superseded: ['completed'],
  expired: ['completed'],
  cancelled: ['completed'],
};

const ASKED_AGAIN: Transitions = { pending: ['pending'], approved: ['pending'], executing: ['pending'] };

/**
 * From which status an event leads to which. `opened` begins a request: as `pending`, or as `approved` where nobody has to
 * agree. `noted` and `inspected` change no status. `started` is no event: an approved request is shown as `executing` while the
 * queue has it in hand.
 */
export const TRANSITIONS: Readonly<Record<Exclude<RequestEventType, 'opened'> | 'started', Transitions>> = {
  approved: { pending: ['pending', 'approved'] },
  rejected: { pending: ['pending', 'rejected'] },
  settled: { pending: ['approved', 'rejected'] },
  superseded: { pending: ['superseded'] },
  expired: { pending: ['expired'] },
  cancelled: { pending: ['cancelled'] },
  started: { approved: ['executing'] },
  reopened: ASKED_AGAIN,
  replanned: ASKED_AGAIN,
  completed: DONE,
  failed: { approved: ['failed'], executing: ['failed'] },
  retried: { failed: ['executing'] },
  noted: {},
  inspected: {},
};

/** May still be carried out, or asked about. */
export function isOpen(status: RequestStatus): boolean {
  return STATUSES_OPEN.some((open) => open === status);
}

/** Waits for a worker. */
export function isWaiting(status: RequestStatus): boolean {
  return status === 'approved' || status === 'executing';
}

/** LEDGER_TAMPERED where the events cannot have followed each other. */
export function foldRequest(events: readonly RequestEvent[]): LedgerRequest {
  let state: LedgerRequest | null = null;
  for (const event of events) state = applyEvent(state, event);
  if (state === null) throw impossible('A request begins with the event that opens it.');
  return state;
}

/** The state after one more event; LEDGER_TAMPERED where the table has no such transition. */
export function applyEvent(state: LedgerRequest | null, event: RequestEvent): LedgerRequest {
  if (event.type === 'opened') {
    if (state !== null) throw impossible(`Request ${state.id} is opened twice.`);
    return opened(event);
  }
  if (state === null) throw impossible('A request begins with the event that opens it.');
  return { ...changed(state, event), updatedAt: event.at };
}

function opened(event: RequestEvent & { type: 'opened' }): LedgerRequest {
  const { proposal, terms, gate, session } = event;
  // The gate asks who the author is, and reviewers read the message: neither may say something else than what is done.
  if (
    !samePerson(proposal.author.email, event.actor.email) ||
    proposal.createdAt !== event.at ||
    proposal.message !== proposalMessage(proposal)
  )
    throw impossible(`Request ${proposal.id} was not opened by whom it says, or for what it says.`);
  return {
    ...proposal,
    ...terms,
    status: gate === null ? 'pending' : 'approved',
    updatedAt: event.at,
    gate,
    breakGlass: session === null ? null : { session: session.id, ticket: session.ticket, review: null },
    supersededBy: null,
    reviews: [],
    notes: [],
    reopened: null,
    result: null,
  };
}

function changed(
  state: LedgerRequest,
  event: Exclude<RequestEvent, { type: 'opened' }>,
): Omit<LedgerRequest, 'updatedAt'> {
  const { id, actor, at } = event;
  const to = (status: RequestStatus) => ({ ...state, status: requireTransition(state, event.type, status) });
  switch (event.type) {
    case 'approved':
    case 'rejected': {
      const { type: decision, comment, digest, settles } = event;
      const next = to(settles ? decision : 'pending');
      return { ...next, reviews: [...state.reviews, { id, decision, actor, at, comment, digest }] };
    }
    case 'settled':
      return to(event.rejects ? 'rejected' : 'approved');
    case 'reopened':
      return { ...to('pending'), ...ORDINARY, reopened: { at, reason: event.reason, difference: [] } };
    case 'replanned': {
      const reason = 'What it would change is no longer what was approved.';
      const { terms, difference } = event;
      return { ...to('pending'), ...terms, ...ORDINARY, reopened: { at, reason, difference } };
    }
    case 'superseded':
      return { ...to('superseded'), supersededBy: event.by };
    case 'expired':
    case 'cancelled':
      return to(event.type);
    case 'completed': {
      const { outcome: status, commit, deliveryCommit } = event;
      return { ...to('completed'), result: { status, commit, deliveryCommit } };
    }
    case 'failed': {
      const { code, message } = event;
      return { ...to('failed'), result: { status: 'failed', code, message } };
    }
    case 'retried':
      return { ...to('executing'), result: null };
    case 'noted':
      return { ...state, notes: [...state.notes, { id, actor, at, kind: event.kind, text: event.text }] };
    case 'inspected': {
      const { breakGlass } = state;
      if (breakGlass === null || samePerson(actor.email, state.author.email))
        throw impossible(`Request ${state.id} has no review of break-glass that ${actor.email} could close.`);
      const review = { id, actor, at, comment: event.comment };
      return { ...state, breakGlass: { ...breakGlass, review } };
    }
  }
}

/** What did not go ahead without approval was no use of break-glass: from here on it needs approval like any other. */
const ORDINARY = { gate: null, breakGlass: null } as const;

function requireTransition(
  { id, status }: LedgerRequest,
  event: keyof typeof TRANSITIONS,
  next: RequestStatus,
): RequestStatus {
  if (TRANSITIONS[event][status]?.includes(next)) return next;
  throw impossible(`Request ${id} cannot go from ${status} to ${next} by the event ${event}.`);
}

const impossible = (message: string) => new BacktrailError('LEDGER_TAMPERED', message);
