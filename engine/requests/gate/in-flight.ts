/** What is asked for in the ledger at the same time as a plan. */
import type { CheckCode, LedgerRequest, RequestId } from '../../model/index.ts';
import { isOpen } from '../../record/transitions.ts';
import { blockedError, isBlocked } from '../../rollback/blocked.ts';
import { commitsSince, type Planned, withObserved } from '../../rollback/plan.ts';
import type { RequestContext, Rules } from '../context.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';

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
  const files = await ledgerSnapshot.find(
    (known) =>
      known.id !== id &&
      known.status !== 'failed' &&
      isOpen(known.status) &&
      known.scope.tenant === tenant &&
      known.scope.environment === environment,
  );
  const requests = files.map(({ state }) => ({
    id: state.id,
    scope: state.scope,
    status: state.status,
    author: state.author.email,
  }));
  return withObserved(planned, { requests }, overrides);
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
