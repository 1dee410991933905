/** Plans every rollback of an incident, and finds those that an earlier run executed. */
import { createHash } from 'node:crypto';
import {
  BacktrailError,
  blockedError,
  deriveRequestId,
  type Engine,
  type Finding,
  type GatedPlan,
  isBlocked,
  isFailure,
  type Person,
  type PlannedAsk,
  requirePermit,
  type RequestId,
  type RequestStatus,
  type RequestView,
  type RollbackResult,
} from '../../engine/index.ts';
import { expandScopes } from './expand.ts';
import type { Incident, RollbackInput } from './ask.ts';

/** One line of the file, and what became of it so far. */
export interface Item {
  readonly wish: RollbackInput;
  readonly id: RequestId;
  /** What is still to be asked for. */
  plan?: GatedPlan;
  /** As the ledger has it. */
  request?: RequestView;
  result?: RollbackResult;
  error?: BacktrailError;
  /** The id of the event that is to open it. */
  event?: string;
  /** The commit of an earlier run. */
  done?: string;
}

/** Is anything of it left to be done by us? What is pending waits for others. */
export function isOpen({ plan, request, error }: Item): boolean {
  if (error) return false;
  if (request) return ['approved', 'executing', 'failed'].includes(request.status);
  return plan !== undefined && !plan.unchanged;
}

/** Ended without a rollback; the same id cannot be asked for again. */
const ENDED: readonly RequestStatus[] = ['rejected', 'superseded', 'expired', 'cancelled'];

interface Planned {
  readonly items: readonly Item[];
  /** Files that a pattern may not have seen into. */
  readonly findings: readonly Finding[];
}

export interface Planning {
  readonly reader: Person;
  /** What they may not read is refused, and no pattern stands for it. */
  readonly isRead?: boolean;
  readonly print: (line: string) => void;
}

export async function planAll(
  engine: Engine,
  incident: Incident,
  { reader, isRead = false, print }: Planning,
): Promise<Planned> {
  const reading = isRead ? { reader } : {};
  const hasPattern = incident.rollbacks.some(({ scope }) => scope.includes('*'));
  const { findings } = hasPattern ? await engine.survey(reading) : { findings: [] };
  const wishes = await expandScopes(engine, incident.rollbacks, reading);
  const items: Item[] = wishes.map((wish) => ({ wish, id: requestIdOf(incident, wish) }));
  const ids = new Set<RequestId>();
  const twice = items.find(({ id }) => ids.size === ids.add(id).size);
  if (twice) throw new BacktrailError('INVALID_REQUEST', `${twice.wish.scope} is listed twice in the file.`);
  print(`planning ${items.length === 1 ? items[0]?.wish.scope : `${items.length} rollbacks`}`);
  const asks = items.map(
    ({ id, wish: { scope, to, fields, allowRemoval, wholeFile, override, hold, holdFor } }) => ({
      id,
      scope,
      to,
      fields,
      allowRemoval,
      wholeFile,
      override,
      ...(hold !== undefined && { hold }),
      ...(holdFor !== undefined && { holdFor }),
      ...reading,
      ledger: true,
      revisions: true,
    }),
  );
  const planned = await engine.rollbacks.planMany(asks, reader);
  for (const [index, item] of items.entries()) recordPlanned(item, planned[index]);
  return { items, findings };
}

/** The same file id, scope and fields always ask for the same rollback. */
function requestIdOf(incident: Incident, { scope, fields, wholeFile }: RollbackInput): RequestId {
  return deriveRequestId(
    createHash('sha256')
      .update(JSON.stringify([incident.id, scope, fields, ...(wholeFile ? ['whole-file'] : [])]))
      .digest(),
  );
}

function recordPlanned(item: Item, settled: PromiseSettledResult<PlannedAsk> | undefined): void {
  try {
    if (settled?.status !== 'fulfilled') throw settled?.reason;
    const { done, request, plan } = settled.value;
    if (done !== null) item.done = done;
    else if (request !== null) {
      item.request = request;
      if (ENDED.includes(request.status)) throw ended(request);
      // It would be executed again.
      if (request.status === 'failed') requireSeen(item.wish, { ...request, scope: request.scopeName });
    } else if (plan !== null) {
      if (!isBlocked(plan) && !plan.unchanged) requirePermit(plan.gate.may.request);
      item.plan = plan;
      if (isBlocked(plan)) throw blockedError(plan);
      if (!plan.unchanged) requireSeen(item.wish, { ...plan, rendered: plan.gate.rendered });
    }
  } catch (error) {
    if (!isFailure(error)) throw error;
    item.error = error;
  }
}

/** Where one plan was looked at, or its manifests, no other is asked for. @throws PLAN_CHANGED */
function requireSeen(
  seen: Pick<RollbackInput, 'digest' | 'rendered'>,
  now: { readonly scope: string; readonly digest: string; readonly rendered: string | null },
): void {
  const { digest = now.digest } = seen;
  // Where votes do not bind to manifests, null says that there were none to look at.
  const rendered = seen.rendered ?? now.rendered;
  if (digest === now.digest && rendered === now.rendered) return;
  throw new BacktrailError(
    'PLAN_CHANGED',
    `What the rollback of ${now.scope} would change is no longer what was looked at.`,
    { details: { confirmed: digest, now: now.digest }, hint: 'Look at the plans again.' },
  );
}

function ended({ id, status }: RequestView): BacktrailError {
  return new BacktrailError('REQUEST_CLOSED', `Request ${id} of an earlier run was ${status}.`, {
    hint: 'Give the file another id to ask for it again.',
  });
}
