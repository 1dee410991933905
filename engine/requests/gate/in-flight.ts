/** What is asked for in the ledger at the same time as a plan. */
import type { CheckCode, LedgerRequest, RequestId } from '../../model/index.ts';
import { isOpen } from '../../record/transitions.ts';
import { blockedError, isBlocked } from '../../rollback/blocked.ts';
import { commitsSince } from '../../rollback/planning/since-target.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { withObserved } from '../../rollback/planning/observed.ts';
import type { RequestContext, Rules } from '../context.ts';
import { knownOf, type KnownRequest } from '../ledger/index-file.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from '../ledger/snapshot.ts';

interface Looking {
  readonly planned: Planned;
  readonly overrides?: readonly CheckCode[] | undefined;
  /** The request itself, where it has one. */
  readonly id?: RequestId;
}

/** The plan with a finding for each open request that overlaps; failed ones are over. */
export async function withInFlight(
  context: RequestContext,
  { ref }: Rules,
  { planned, overrides = [], id }: Looking,
): Promise<Planned> {
  const { severity } = planned.snapshot.layout.config.checks;
  if (severity.IN_FLIGHT === 'off' || planned.plan.files.length === 0) return planned;
  const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache);
  const { tenant, environment } = planned.plan.scope;
  const isOther = (known: KnownRequest) =>
    known.id !== id &&
    isInFlight(known) &&
    known.scope.tenant === tenant &&
    known.scope.environment === environment;
  const others = (await inFlight(context, ledgerSnapshot)).filter(isOther);
  const read = await Promise.all(others.map(async (known) => ledgerSnapshot.request(known.id)));
  // What is known only says where to look.
  const files = read.filter((file) => file !== null).filter((file) => isOther(knownOf(file)));
  const requests = files.map(({ state }) => ({
    id: state.id,
    scope: state.scope,
    status: state.status,
    author: state.author.email,
  }));
  return withObserved(planned, { requests }, overrides);
}

const isInFlight = ({ status }: KnownRequest) => status !== 'failed' && isOpen(status);

/** Looked up once for a tip of the ledger, however many plans ask, newest first. */
function inFlight(
  { cache }: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
): Promise<readonly KnownRequest[]> {
  const { tip } = ledgerSnapshot;
  if (tip === null) return Promise.resolve([]);
  if (cache.open?.tip === tip) return cache.open.known;
  const open = { tip, known: ledgerSnapshot.known(isInFlight) };
  cache.open = open;
  open.known.catch(() => {
    if (cache.open === open) cache.open = null;
  });
  return open.known;
}

/**
 * The same where a configuration makes it a block: what was overridden of it.
 *
 * @throws IN_FLIGHT
 */
export async function blockedInFlight(
  context: RequestContext,
  rules: Rules,
  planned: Planned,
  { id, overrides }: { readonly id: RequestId; readonly overrides: readonly CheckCode[] },
): Promise<readonly CheckCode[]> {
  if (planned.snapshot.layout.config.checks.severity.IN_FLIGHT !== 'block') return [];
  const { plan } = await withInFlight(context, rules, { planned, overrides, id });
  if (isBlocked(plan)) throw blockedError(plan);
  return plan.overrides;
}

/** With what reviewers have to know of others: their requests that overlap, and what they have committed in the scope since it was planned. */
export async function withOthers(
  context: RequestContext,
  {
    rules,
    request,
    planned,
  }: { readonly rules: Rules; readonly request: LedgerRequest; readonly planned: Planned },
): Promise<Planned> {
  const { id, scope, base, overrides = [] } = request;
  if (!isOpen(request.status)) return planned;
  const looked = await withInFlight(context, rules, { planned, id, overrides });
  const { snapshot } = planned;
  const isOnLine = base !== snapshot.base && (await snapshot.history.isOnLine(snapshot.base, base));
  const since = isOnLine ? await commitsSince(snapshot, { scope, target: base }) : [];
  return withObserved(looked, { since: since.map((commit) => commit.id) }, overrides);
}
