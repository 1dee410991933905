/** Everything that can be done with requests, on one repository. */
import { formatCoordinates, type Person, type RequestId } from '../model/index.ts';
import { hasPermission } from '../policy/policy.ts';
import { isOpen } from '../record/transitions.ts';
import { withRevisions } from '../rollback/plan.ts';
import { planValue } from '../rollback/plan-value.ts';
import type { RequestPlan, Requests, RequestView } from './types.ts';
import type { InnerRequests } from './inner-requests.ts';
import { audit } from './ledger/audit.ts';
import { openLedgerSnapshot } from './ledger/snapshot.ts';
import { carryOut } from './execute.ts';
import { requireGate } from './gate/gate.ts';
import { openRequest } from './open.ts';
import { bindOf, ownersOf } from './gate/owners.ts';
import { look, type RequestContext, rulesOf } from './context.ts';
import { permitOf } from './gate/plan-gate.ts';
import { reconcile } from './reconcile.ts';
import { repeated } from './repeated.ts';
import { isChanged, replan } from './replan.ts';
import { requestRollback } from './request.ts';
import {
  approve,
  cancel,
  inspect,
  note,
  reject,
  requireRequest,
  requireRetrier,
  requireReviewer,
  retry,
} from './review.ts';
import { requirePermission } from './gate/permissions.ts';
import { closeSession, openSession, sessions } from './sessions.ts';
import { placeOf, viewOf, viewsOf } from './view.ts';

/** `at` gives the place; the work may be done again where a mirror was found damaged. */
export function createRequests(
  open: <Value>(work: (place: RequestContext) => Promise<Value>) => Promise<Value>,
): InnerRequests {
  // The branch says by which rules: it is looked at anew each time.
  const at: typeof open = (work) =>
    open(async (place) => {
      await place.git.look();
      return work(place);
    });
  return {
    gate: (input) =>
      at(async (place) => requireGate(place, await rulesOf(place, input.planned.snapshot), input)),
    repeated: (input) => at((place) => repeated(place, input)),
    open: (input) =>
      at(async (place) => openRequest(place, await rulesOf(place, input.planned.snapshot), input)),
    // It fetches by itself: what may be answered from a mirror that is behind must not be executed so.
    request: (ask, options) => open((place) => requestRollback(place, ask, options)),
    list: (filter) => at((place) => list(place, filter)),
    show: ({ id, reader }) => at((place) => show(place, id, reader)),
    plan: (input) => at((place) => planAgain(place, input)),
    approve: (input) => at((place) => approve(place, input)),
    reject: (input) => at((place) => reject(place, input)),
    cancel: (input) => at((place) => cancel(place, input)),
    note: (input) => at((place) => note(place, input)),
    retry: (input) => at((place) => retry(place, input)),
    inspect: (input) => at((place) => inspect(place, input)),
    carryOut: (id, options) => at((place) => carryOut(place, id, options)),
    reconcile: () => at(reconcile),
    openSession: (input) => at((place) => openSession(place, input)),
    closeSession: (input) => at((place) => closeSession(place, input)),
    sessions: (reader) => at((place) => sessions(place, reader)),
    audit: (filter) => at((place) => audit(place, filter)),
  };
}

async function list(
  place: RequestContext,
  { scope, statuses, reader }: Parameters<Requests['list']>[0],
): Promise<RequestView[]> {
  const rules = await look(place);
  const { policy, ref } = rules;
  const book = await openLedgerSnapshot(place.git, ref, place.cache);
  const files = (await book.requests()).filter(({ state }) => {
    const name = formatCoordinates(state.scope);
    return (
      (statuses === undefined || statuses.includes(state.status)) &&
      (scope === undefined || name === scope || name.startsWith(`${scope}/`)) &&
      hasPermission(policy, reader, 'read', placeOf(state))
    );
  });
  return viewsOf(place, { book, rules, files });
}

async function show(place: RequestContext, id: RequestId, reader?: Person): Promise<RequestView> {
  return (await lookUp(place, id, reader)).request;
}

/** One request with the rules of this moment. */
async function lookUp(place: RequestContext, id: RequestId, reader?: Person) {
  const rules = await look(place);
  const book = await openLedgerSnapshot(place.git, rules.ref, place.cache);
  const file = await requireRequest(book, id);
  const { state } = file;
  if (reader !== undefined) requirePermission(rules.policy, reader, 'read', placeOf(state));
  const owners = isOpen(state.status) ? await ownersOf(place, state).catch(() => undefined) : undefined;
  return { rules, book, file, request: await viewOf(place, { book, rules, file }, owners) };
}

async function planAgain(
  place: RequestContext,
  { id, reader, revisions = false }: Parameters<Requests['plan']>[0],
): Promise<RequestPlan> {
  const { rules, book, file, request } = await lookUp(place, id, reader);
  const again = await replan(place, request);
  const { owners, branch } = again.plan;
  const changed = isChanged(request, again, bindOf(rules, owners));
  const named = await withRevisions({ ...again, destination: await place.git.destination(branch) });
  const planned = { ...named, plan: { ...named.plan, target: request.rollbackOf } };
  const { state } = file;
  const deciding = { place, rules, book, file, state, owners };
  const approve = await permitOf(() => requireReviewer(deciding, reader));
  const retry = await permitOf(() => requireRetrier(deciding, reader));
  return { plan: planValue(planned, { revisions }), request, changed, may: { approve, retry } };
}
