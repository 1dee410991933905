/** Opens a request for what is asked for, as `rollback --yes` does. */
import {
  blockedError,
  type Engine,
  isBlocked,
  type Person,
  type PlanAsk,
  type Requested,
  requirePermit,
} from '../engine/index.ts';

interface Opening {
  readonly author: Person;
  /** Becomes part of the record. */
  readonly reason: string;
  /** Of the plan that was looked at; of what there is now where absent. */
  readonly digest?: string | null | undefined;
}

/** @throws PLAN_CHANGED, PERMISSION_DENIED, the code of a blocking finding, and what planning and asking fail with */
export async function openRequest(
  engine: Engine,
  ask: PlanAsk,
  { author, reason, digest }: Opening,
): Promise<Requested> {
  const plan = await engine.rollbacks.plan({
    ...ask,
    author,
    reader: author,
    ledger: true,
    pushTest: 'worker',
  });
  if (isBlocked(plan)) throw blockedError(plan);
  if (!plan.unchanged) requirePermit(plan.gate.may.request);
  const { fields, wholeFiles, base, target, gate, hold, resumes } = plan;
  const placed = hold ? { hold: true, ...(hold.for !== null && { holdFor: hold.for }) } : { hold: false };
  return engine.rollbacks.request({
    scope: ask.scope,
    ...(fields && { fields }),
    ...(wholeFiles && { wholeFile: true }),
    ...(resumes ? { resume: true } : plan.unchanged ? {} : placed),
    allowRemoval: ask.allowRemoval === true,
    override: ask.override ?? [],
    base,
    target,
    digest: digest ?? plan.digest,
    rendered: gate.rendered,
    reason,
    author,
    ledger: true,
  });
}
