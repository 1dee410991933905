/** What becomes of a request, as an event. The branch comes first: what is published stands, whatever the record says. */
import {
  BacktrailError,
  FAILURES,
  isFailure,
  type PreparedEvents,
  type RequestEvent,
  type RequestId,
  type RequestStatus,
  type RollbackResult,
} from '../model/index.ts';
import { Obstructed } from '../rollback/batch/round.ts';
import { requireRequest } from './ledger/require-request.ts';
import { redact } from '../model/failure.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { isWaiting } from '../record/transitions.ts';
import type { ExecuteRequestOptions } from './types.ts';
import { append } from './ledger/append.ts';
import { type Entry, onRequest } from './ledger/entries.ts';
import { toEvents } from './ledger/new-events.ts';
import { prepareEvents } from './ledger/prepare.ts';
import type { LedgerSnapshot } from './ledger/snapshot.ts';
import { type EligibilityInput, leftToOthers } from './gate/eligibility.ts';
import { type RequestContext, type Rules, stamp } from './context.ts';
import { replan, replannedEvent } from './replan.ts';

/**
 * Throws why it may not go ahead. What more approvals can mend leads back to `pending`; anything else ends it; what only others can judge stays as
 * it is, for them.
 */
export async function refuse(found: EligibilityInput, reason: BacktrailError): Promise<never> {
  const { context, rules, file } = found;
  const { event, error } = await refusalOf(found, reason);
  if (event !== null) await appendIfWaiting(context, rules, [{ id: file.state.id, event }]);
  throw error;
}

export interface Ending {
  /** null: nothing is written of it. */
  readonly event: RequestEvent | null;
  readonly error: unknown;
}

/** What is written of a refusal, and thrown. @throws IDENTITY_UNVERIFIED */
export async function refusalOf(found: EligibilityInput, reason: BacktrailError): Promise<Ending> {
  const { context, file } = found;
  const { id } = file.state;
  const left = await leftToOthers(found, reason);
  if (left !== null) throw (left === 'keys' ? unlistedKeys : laterThanHere)(id, reason.message);
  const stamped = stamp(context, context.committer);
  const reopens = reason.code === 'AWAITING_APPROVAL';
  const event: RequestEvent = reopens
    ? { ...stamped, type: 'reopened', reason: reason.message }
    : { ...stamped, type: 'failed', code: reason.code, message: reason.message };
  const { code, message, hint, details } = reason;
  const error = new BacktrailError(code, message, { hint, details: { ...details, requestId: id } });
  // Another worker may judge otherwise, and settle it again: once is said, twice would go on for ever.
  return { event: reopens && isSaidBefore(file, reason.message) ? null : event, error };
}

const unlistedKeys = (id: RequestId, why: string) =>
  new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `Request ${id} has votes by keys that are in no list here: ${why}`,
    {
      hint: 'Another worker, whose list has them, executes it; or add them to the list that BACKTRAIL_ALLOWED_SIGNERS names here.',
      details: { requestId: id },
    },
  );

const laterThanHere = (id: RequestId, why: string) =>
  new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `Request ${id} has events that are dated later than the clock of this machine: ${why}`,
    {
      hint: 'Set the clock of this machine; a worker whose clock is right executes it meanwhile.',
      details: { requestId: id },
    },
  );

/** Whether reviewers were asked again for this reason already; who retries it asks anew. */
export function isSaidBefore({ events }: Pick<RequestFile, 'events'>, reason: string): boolean {
  const since = events.findLastIndex(({ type }) => type === 'retried');
  return events.slice(since + 1).some((past) => past.type === 'reopened' && past.reason === reason);
}

/** The branch first, then the record. A record that cannot be written is repaired by a reconciler; the rollback stands. */
export async function complete(
  { context, rules, file }: EligibilityInput,
  result: RollbackResult,
): Promise<RollbackResult> {
  if (file.state.status === 'completed') return result;
  await completeAll(context, rules, [result]);
  return result;
}

/** The same for many, in one append. */
export async function completeAll(
  context: RequestContext,
  rules: Rules,
  results: readonly RollbackResult[],
): Promise<void> {
  if (results.length > 0)
    await append(context, rules, completions(context, results)).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
    });
}

/**
 * The same as a move of the ledger that is published together with the branch, from where it is `known` to be, or else is now; null where there is
 * nothing to write, or it cannot be.
 */
export async function prepareCompleted(
  context: RequestContext,
  rules: Rules,
  results: readonly RollbackResult[],
  known: LedgerSnapshot | null,
): Promise<PreparedEvents | null> {
  const decide = async (ledgerSnapshot: LedgerSnapshot) => {
    await requireWanted(ledgerSnapshot, results);
    return completions(context, results)(ledgerSnapshot);
  };
  return prepareEvents(context, rules, decide, { known, requestId: results[0]?.requestId }).catch(
    (error: unknown) => {
      if (!isFailure(error)) throw error;
      return null;
    },
  );
}

const CLOSED: ReadonlySet<RequestStatus> = new Set(['rejected', 'superseded', 'expired', 'cancelled']);

/**
 * That nobody has withdrawn what is about to be published.
 *
 * @throws Obstructed
 */
export async function requireWanted(
  ledgerSnapshot: LedgerSnapshot,
  asked: readonly { readonly requestId: RequestId }[],
): Promise<void> {
  const withdrawn = new Map<RequestId, unknown>();
  for (const { requestId: id } of asked) {
    const { state } = await requireRequest(ledgerSnapshot, id);
    if (CLOSED.has(state.status))
      withdrawn.set(id, new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${state.status} by now.`));
  }
  if (withdrawn.size > 0) throw new Obstructed(withdrawn);
}

/** Of those that the ledger does not have as completed yet. */
export function completions(context: RequestContext, results: readonly RollbackResult[]) {
  return async (ledgerSnapshot: LedgerSnapshot): Promise<readonly Entry[]> => {
    const made: Entry[] = [];
    for (const { requestId, status, commit, deliveryCommit } of results) {
      const { state } = await requireRequest(ledgerSnapshot, requestId);
      if (state.status === 'completed') continue;
      const outcome = status === 'unchanged' ? 'unchanged' : 'completed';
      const stamped = stamp(context, context.committer);
      made.push(onRequest(requestId, { ...stamped, type: 'completed', outcome, commit, deliveryCommit }));
    }
    return made;
  };
}

type Failing = Pick<EligibilityInput, 'context' | 'rules' | 'file'>;

/** Says nothing about the request, or that nothing should be written any more. */
export const UNRECORDED: ReadonlySet<string> = new Set([
  'INTERRUPTED',
  'LEDGER_NEWER',
  'LEDGER_TAMPERED',
  'LEDGER_REWOUND',
]);

/** Throws the error on, when what becomes of a request that could not be executed is recorded. */
export async function recordFailure(
  found: Failing,
  error: unknown,
  options: ExecuteRequestOptions,
): Promise<never> {
  const { context, rules, file } = found;
  const { event } = await failureOf(found, error, options);
  if (event !== null)
    await appendIfWaiting(context, rules, [{ id: file.state.id, event }]).catch(() => undefined);
  throw error;
}

/** What is written of a failure: nothing where it is tried again, or says nothing about the request. */
export async function failureOf(
  found: Failing,
  error: unknown,
  { willRetry }: ExecuteRequestOptions,
): Promise<Ending> {
  if (!isFailure(error) || UNRECORDED.has(error.code)) return { event: null, error };
  if (FAILURES[error.code].retry !== 'never' && willRetry === true) return { event: null, error };
  return { event: await failureEvent(found, error).catch(() => null), error };
}

async function failureEvent({ context, file }: Failing, error: BacktrailError): Promise<RequestEvent> {
  const { state } = file;
  if (error.code === 'PLAN_CHANGED' && state.gate !== 'no-policy')
    return replannedEvent(context, state, await replan(context, state));
  const { code, message } = error;
  return {
    ...stamp(context, context.committer),
    type: 'failed',
    code,
    message: redact(message).slice(0, 4000),
  };
}

/** What is to be written of a request that was judged by its first `seen` events. */
export interface Writing {
  readonly id: RequestId;
  readonly event: RequestEvent;
  readonly seen?: number;
}

/** In one append. Another worker may have been faster, and people may have decided anew. Of several, one that cannot be written is left out. */
export async function appendIfWaiting(
  context: RequestContext,
  rules: Rules,
  endings: readonly Writing[],
): Promise<void> {
  const decide = async (ledgerSnapshot: LedgerSnapshot, { id, event, seen = Infinity }: Writing) => {
    const { state, events } = await requireRequest(ledgerSnapshot, id);
    const isDecidedAnew = events.slice(seen).some(({ type }) => DECISIONS.has(type));
    if (!isWaiting(state.status) || isDecidedAnew) return [];
    const entry = onRequest(id, event);
    if (endings.length > 1) await toEvents(ledgerSnapshot, [[entry]]);
    return [entry];
  };
  await append(context, rules, async (ledgerSnapshot) => {
    const made: Entry[] = [];
    for (const ending of endings)
      made.push(
        ...(await decide(ledgerSnapshot, ending).catch((error: unknown) => {
          if (endings.length === 1) throw error;
          return [];
        })),
      );
    return made;
  });
}

const DECISIONS: ReadonlySet<RequestEvent['type']> = new Set([
  'approved',
  'rejected',
  'replanned',
  'reopened',
  'retried',
]);
