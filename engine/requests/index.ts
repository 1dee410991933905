/** Everything that can be done with requests, on one repository. */
import { formatCoordinates, type Person, type RequestId } from '../model/index.ts';
import { hasPermission } from '../policy/policy.ts';
import type { Requests, RequestView } from './types.ts';
import { audit } from './ledger/audit.ts';
import { openBook } from './ledger/snapshot.ts';
import { bindOf, ownersOf } from './owners.ts';
import { carryOut } from './execute.ts';
import { gate, openRequest } from './open.ts';
import { look, type Place, placeFor } from './context.ts';
import { isOpen } from '../record/transitions.ts';
import { reconcile } from './reconcile.ts';
import { repeated } from './repeated.ts';
import { isChanged, replan } from './replan.ts';
import { withRevisions } from '../rollback/plan.ts';
import { approve, cancel, inspect, note, reject, requireRequest, retry } from './review.ts';
import { requirePermission } from './permissions.ts';
import { closeSession, openSession, sessions } from './sessions.ts';
import { placeOf, viewOf } from './view.ts';

/** `at` gives the place; the work may be done again where a mirror was found damaged. */
export function createRequests(
  open: <Value>(work: (place: Place) => Promise<Value>) => Promise<Value>,
): Requests {
  // The branch says by which rules: it is looked at anew each time.
  const at: typeof open = (work) =>
    open(async (place) => {
      await place.git.look();
      return work(place);
    });
  return {
    gate: (input) => at((place) => gate(place, input)),
    repeated: (input) => at((place) => repeated(place, input)),
    open: (input) => at((place) => openRequest(place, input)),
    list: (filter) => at((place) => list(place, filter)),
    show: ({ id, reader }) => at((place) => show(place, id, reader)),
    plan: ({ id, reader }) =>
      at(async (here) => {
        const request = await show(here, id, reader);
        const place = placeFor(here, request);
        const again = await replan(place, request);
        const planned = { ...again, destination: await here.git.destination(again.plan.branch) };
        const { policy } = await look(place);
        const bind = bindOf(policy, planned.plan.owners);
        return { planned: await withRevisions(planned), request, changed: isChanged(request, planned, bind) };
      }),
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
  place: Place,
  { scope, statuses, reader }: Parameters<Requests['list']>[0],
): Promise<RequestView[]> {
  const rules = await look(place);
  const { policy, ref } = rules;
  const book = await openBook(place.git, ref, place.cache);
  const files = (await book.requests()).filter(({ state }) => {
    const name = formatCoordinates(state.scope);
    return (
      (statuses === undefined || statuses.includes(state.status)) &&
      (scope === undefined || name === scope || name.startsWith(`${scope}/`)) &&
      hasPermission(policy, reader, 'read', placeOf(state))
    );
  });
  return Promise.all(files.map((file) => viewOf(place, { book, rules, file })));
}

async function show(place: Place, id: RequestId, reader: Person | null): Promise<RequestView> {
  const rules = await look(place);
  const { policy, ref } = rules;
  const book = await openBook(place.git, ref, place.cache);
  const file = await requireRequest(book, id);
  if (reader !== null) requirePermission(policy, reader, 'read', placeOf(file.state));
  const own = placeFor(place, file.state);
  const owners = isOpen(file.state.status)
    ? await ownersOf(own, file.state).catch(() => undefined)
    : undefined;
  return viewOf(place, { book, rules, file }, owners);
}
