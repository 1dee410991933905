/** Everything that can be done with requests, on one repository. */
import type { Offline, Person, RequestId } from '../model/index.ts';
import { requireRequest } from './ledger/require-request.ts';
import { hasPermission, personId } from '../policy/policy.ts';
import { isOpen } from '../record/transitions.ts';
import type { RequestPlan, Requests, RequestView } from './types.ts';
import type { InnerRequests } from './inner-requests.ts';
import { audit } from './ledger/audit.ts';
import { events } from './ledger/events.ts';
import { overview } from './ledger/overview.ts';
import { openLedgerSnapshot } from './ledger/snapshot.ts';
import { executeRequest } from './execute.ts';
import { executeRequests } from './execute-many.ts';
import { requireGate } from './gate/gate.ts';
import { openRequest } from './open.ts';
import { ownersOf } from './gate/owners.ts';
import { readRules, type RequestContext, rulesOf } from './context.ts';
import { contradictionOf } from './many/borne-out.ts';
import { list } from './many/list.ts';
import { planFound, planIncident } from './many/plan-many.ts';
import { retry, retryMany } from './many/retry-many.ts';
import { reviewMany } from './many/review-many.ts';
import { reconcile } from './reconcile.ts';
import { repeated } from './repeated.ts';
import { requestMany, requestRollback } from './request.ts';
import { approve, cancel, inspect, note, reject } from './review.ts';
import { requirePermission } from './gate/permissions.ts';
import { withHostState } from './pull-requests/shown.ts';
import { requestOfEvent } from './ledger/commits.ts';
import { closeSession, openSession, session, sessions } from './sessions.ts';
import { placeOf, viewOf } from './view.ts';

/** `at` gives the place; the work may be done again where a mirror was found damaged. */
export function createRequests(
  open: <Value>(
    work: (context: RequestContext) => Promise<Value>,
    /** It is refreshed first, for so many writes. */
    how?: { readonly writes: number },
  ) => Promise<Value>,
  /** Told where a question is answered as of an earlier look. */
  onAway: (away: Offline) => void = () => undefined,
): InnerRequests {
  // The branch says by which rules: it is looked at anew each time.
  const at = <Value>(work: (context: RequestContext) => Promise<Value>) =>
    open(async (context) => {
      await context.git.look();
      return work(context);
    });
  /** A question that writes nothing: where the remote cannot be reached, and that is allowed, of what was fetched last. */
  const ask = <Value>(work: (context: RequestContext) => Promise<Value>) =>
    open(async (context) => {
      const away = await context.git.look();
      if (away !== null) onAway(away);
      return work(away === null ? context : asFetched(context, away));
    });
  return {
    gate: (input) =>
      at(async (context) => requireGate(context, await rulesOf(context, input.planned.snapshot), input)),
    repeated: (input) => at((context) => repeated(context, input)),
    open: (input) =>
      at(async (context) => openRequest(context, await rulesOf(context, input.planned.snapshot), input)),
    // It fetches by itself: what may be answered from a mirror that is behind must not be executed so.
    request: (ask, options) => open((context) => requestRollback(context, ask, options)),
    requestMany: (asks, options) => open((context) => requestMany(context, asks, options)),
    list: (filter) => ask((context) => list(context, filter)),
    ids: (filter) => ask((context) => ids(context, filter)),
    show: ({ id, reader }) => ask((context) => show(context, id, reader)),
    plan: (input) => at((context) => planAgain(context, input)),
    planIncident: (input) => at((context) => planIncident(context, input)),
    approve: (input) => at((context) => approve(context, input)),
    reject: (input) => at((context) => reject(context, input)),
    reviewMany: (input) => at((context) => reviewMany(context, input)),
    cancel: (input) => at((context) => cancel(context, input)),
    note: (input) => at((context) => note(context, input)),
    retry: (input) => at((context) => retry(context, input)),
    retryMany: (input) => at((context) => retryMany(context, input)),
    inspect: (input) => at((context) => inspect(context, input)),
    // As above, at the same time as the rest is made ready: its commits, and its record.
    executeRequest: (id, options) =>
      open((context) => executeRequest(context, id, options, { isFresh: true }), { writes: 2 }),
    executeRequests: (asks, options) =>
      // The same of one that comes alone.
      open((context) => executeRequests(context, asks, options), { writes: asks.length === 1 ? 2 : 0 }),
    reconcile: (options) => at((context) => reconcile(context, options)),
    openSession: (input) => at((context) => openSession(context, input)),
    closeSession: (input) => at((context) => closeSession(context, input)),
    session: (input) => ask((context) => session(context, input)),
    sessions: (reader) => ask((context) => sessions(context, reader)),
    audit: (filter) => ask((context) => audit(context, filter)),
    events: (input) => ask((context) => events(context, input)),
    ofEvent: (id) =>
      ask(async (context) => {
        const { ref } = await readRules(context);
        const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache);
        return requestOfEvent(await ledgerSnapshot.commits(), id);
      }),
    personId: (email) => ask(async (context) => personId((await readRules(context)).policy, email)),
    overview: (input) =>
      open(async (context) => {
        await context.git.refresh();
        return overview(context, input);
      }),
  };
}

/** The ledger as the last look brought it. A branch may never have been fetched: nothing is known of a ledger there then. */
function asFetched(context: RequestContext, { cause }: Offline): RequestContext {
  const { git } = context;
  const tip = async (ref: string) => {
    const fetched = await git.ledger.peek(ref);
    if (fetched === null && ref.startsWith('refs/heads/')) throw cause;
    return fetched;
  };
  return { ...context, git: { ...git, ledger: { ...git.ledger, tip } } };
}

async function ids(
  context: RequestContext,
  { reader }: Parameters<Requests['ids']>[0],
): Promise<RequestId[]> {
  const { policy, ref } = await readRules(context, reader);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache, { indexed: true });
  const known = await ledgerSnapshot.known(({ scope }) =>
    hasPermission(policy, reader, 'read', placeOf({ scope })),
  );
  return known.map(({ id }) => id);
}

async function show(context: RequestContext, id: RequestId, reader?: Person): Promise<RequestView> {
  const { rules, request, file } = await lookUp(context, id, reader, { indexed: true });
  if (reader === undefined) return request;
  const problem = await contradictionOf(context, file);
  const shown = await withHostState(context, rules, request);
  return problem === null ? shown : { ...shown, problems: [problem] };
}

/** One request with the rules of this moment. */
async function lookUp(context: RequestContext, id: RequestId, reader?: Person, reading = { indexed: false }) {
  const rules = await readRules(context, reader);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache, reading);
  const file = await requireRequest(ledgerSnapshot, id);
  const { state } = file;
  if (reader !== undefined) requirePermission(rules.policy, reader, 'read', placeOf(state));
  const owners = isOpen(state.status) ? await ownersOf(context, state).catch(() => undefined) : undefined;
  return {
    rules,
    ledgerSnapshot,
    file,
    request: await viewOf(context, { ledgerSnapshot, rules, file }, owners),
  };
}

async function planAgain(
  context: RequestContext,
  { id, reader, revisions = false }: Parameters<Requests['plan']>[0],
): Promise<RequestPlan> {
  return planFound(context, await lookUp(context, id, reader), { reader, revisions, others: true });
}
