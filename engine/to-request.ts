/** From a plan that was looked at to the request for it, and back to what reviewers are asked about. */
import type { Finding, Person, RequestId } from './model/index.ts';
import { recordable } from './record/readable.ts';
import type { GatedPlan, PlanAsk, RollbackAsk, Rollbacks } from './rollbacks.ts';
import { isBlocked } from './rollback/blocked.ts';
import type { RollbackPlan } from './rollback/plan-value.ts';
import { requirePermit } from './requests/gate/plan-gate.ts';
import type { RequestPlan } from './requests/types.ts';

/**
 * The plan, and that this person may have it executed: checked before it is confirmed. A blocked plan is returned, so that it can be shown.
 *
 * @throws PERMISSION_DENIED, POLICY_UNSATISFIABLE, FORBIDDEN, and what planning fails with
 */
export async function planToAsk(
  engine: { readonly rollbacks: Pick<Rollbacks, 'plan'> },
  ask: PlanAsk & { readonly author: Person },
): Promise<GatedPlan> {
  const plan = await engine.rollbacks.plan({ ...ask, revisions: true });
  if (!isBlocked(plan) && !plan.unchanged) requirePermit(plan.gate.may.request);
  return plan;
}

/** What the plan does not say. */
export interface Confirmed {
  /** A new one where absent. */
  readonly id?: RequestId;
  readonly author: Person;
  readonly reason: string;
  readonly allowRemoval: boolean;
  readonly override?: readonly string[];
  readonly follows?: RequestId;
  readonly ledger?: boolean;
  readonly incident?: string;
}

type Shown = RollbackPlan & Partial<Pick<GatedPlan, 'gate'>>;

/** The request for a plan that was shown. */
export function toRequest(
  plan: Shown,
  confirmed: Confirmed & { readonly id: RequestId },
): RollbackAsk & { readonly id: RequestId };
export function toRequest(plan: Shown, confirmed: Confirmed): RollbackAsk;
export function toRequest(plan: Shown, { reason, ...confirmed }: Confirmed): RollbackAsk {
  const { scope, fields, wholeFiles, base, target, digest, gate, hold, resumes } = plan;
  const shown = hold ? { hold: true, ...(hold.for !== null && { holdFor: hold.for }) } : { hold: false };
  // Where nothing is to do, a hold may be there already.
  const holding = plan.unchanged ? {} : shown;
  return {
    scope,
    ...(fields && { fields }),
    ...(wholeFiles && { wholeFile: true }),
    ...(resumes ? { resume: true } : holding),
    base,
    target,
    digest,
    ...(gate && { rendered: gate.rendered }),
    reason: recordable(reason),
    ...confirmed,
  };
}

/** The plan of a request, and whether it is still the one under review. */
export function asReviewed({ plan, changed }: Pick<RequestPlan, 'plan' | 'changed'>): RollbackPlan {
  return { ...plan, findings: [...plan.findings, agreement(changed)] };
}

function agreement(changed: boolean): Finding {
  return changed
    ? {
        code: 'PLAN_CHANGED',
        severity: 'warn',
        message:
          'This is no longer what reviewers were asked about: they are asked again before it is executed.',
      }
    : { code: 'PLAN_AGREED', severity: 'info', message: 'This is what reviewers are asked about.' };
}
