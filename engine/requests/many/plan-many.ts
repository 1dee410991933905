/** What requests would change now, for one person: one of them, or many on one look at the branch and the ledger. */
import type { Person, RequestId } from '../../model/index.ts';
import { requireRequest } from '../ledger/require-request.ts';
import { hasPermission } from '../../policy/policy.ts';
import { isOpen } from '../../record/transitions.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { renderedDigest, withRevisions } from '../../rollback/plan.ts';
import { withFindings } from '../../rollback/planning/observed.ts';
import { planValue } from '../../rollback/plan-value.ts';
import { readRules, type RequestContext, type Rules } from '../context.ts';
import { withOthers } from '../gate/in-flight.ts';
import { bindOf, rememberOwners } from '../gate/owners.ts';
import { permitOf } from '../gate/plan-gate.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from '../ledger/snapshot.ts';
import { previewWay } from '../pull-requests/preview.ts';
import { isChanged, replan } from '../replan.ts';
import { requireApproving, requireCancellable, requireRetrier, requireReviewer } from '../review.ts';
import type { RequestPlan, Requests, RequestView } from '../types.ts';
import { placeOf, viewsOf } from '../view.ts';
import { expectHistory, pinned, settleAll } from './look-once.ts';

interface FoundRequest {
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly file: RequestFile;
  readonly request: RequestView;
}

interface PlanningFor {
  readonly reader: Person;
  readonly revisions: boolean;
  /** With what others ask for and have committed. */
  readonly others?: boolean;
}

export async function planFound(
  context: RequestContext,
  found: FoundRequest,
  { reader, revisions, others = false }: PlanningFor,
): Promise<RequestPlan> {
  const { rules, ledgerSnapshot, file, request } = found;
  const { state } = file;
  const plain = await replan(context, request, { asks: others });
  const again = others ? await withOthers(context, { ...found, planned: plain }) : plain;
  rememberOwners(context, state, again.plan);
  const { owners, branch } = again.plan;
  const bind = bindOf(rules, owners);
  const changed = isChanged(request, again, bind);
  const rendered = bind === 'rendered' ? renderedDigest(again) : null;
  const placed = { ...again, destination: await context.git.destination(branch) };
  const named: Planned = revisions ? await withRevisions(placed) : placed;
  const planned = { ...named, plan: { ...named.plan, target: request.rollbackOf } };
  const deciding = { context, rules, ledgerSnapshot, file, state, owners };
  const may = {
    approve: await permitOf(() => requireApproving(deciding, reader)),
    reject: await permitOf(() => requireReviewer(deciding, reader)),
    retry: await permitOf(() => requireRetrier(deciding, reader)),
    cancel: await permitOf(() => requireCancellable(deciding, reader)),
  };
  const isBreakGlass = request.breakGlass !== null;
  const way = isOpen(request.status)
    ? await previewWay({ context, rules, plan: planned.plan, isHere: false, isBreakGlass })
    : null;
  const shown = way === null ? planned : withFindings(planned, way.findings);
  const plan = { ...planValue(shown, { revisions }), ...(way && { publish: way.publish }) };
  return { plan, request, changed, rendered, may };
}

/** The open requests of an incident that this person may read, oldest first, with the plan of each, or why it has none. */
export async function planIncident(
  context: RequestContext,
  { incident, reader, revisions = false }: Parameters<Requests['planIncident']>[0],
): ReturnType<Requests['planIncident']> {
  const at = await pinned(context);
  const rules = await readRules(at);
  const ledgerSnapshot = await openLedgerSnapshot(at.git, rules.ref, at.cache);
  const newestFirst = await ledgerSnapshot.find(
    (known) =>
      known.incident === incident &&
      isOpen(known.status) &&
      hasPermission(rules.policy, reader, 'read', placeOf(known)),
  );
  const files = newestFirst.toReversed();
  const views = await viewsOf(at, { ledgerSnapshot, rules, files });
  const requests = files.flatMap((file, index) => {
    const request = views[index];
    return request ? [{ file, request }] : [];
  });
  if (revisions) await expectHistory(at, files.length);
  const planned = await settleAll(requests, ({ file, request }) => {
    return planFound(at, { rules, ledgerSnapshot, file, request }, { reader, revisions });
  });
  return requests.map(({ request }, index) => ({ request, planned: planned[index] ?? NOT_PLANNED }));
}

const NOT_PLANNED: PromiseSettledResult<never> = { status: 'rejected', reason: null };

/** Those of many that the ledger has; REQUEST_UNKNOWN for the others is said where each is looked at. */
export async function filesOf(
  ledgerSnapshot: LedgerSnapshot,
  ids: readonly RequestId[],
): Promise<ReadonlyMap<RequestId, RequestFile>> {
  const files = new Map<RequestId, RequestFile>();
  for (const id of ids) {
    const file = await requireRequest(ledgerSnapshot, id).catch(() => null);
    if (file !== null) files.set(id, file);
  }
  return files;
}
