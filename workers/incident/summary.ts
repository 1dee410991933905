/** What a plan comes to, without its differences, which are large: a row of many. */
import type { GatedPlan, RequestPlan } from '../../engine/index.ts';

export function summaryOf(plan: RequestPlan['plan']) {
  const { mode, current, currentVersion, targetVersion, unchanged, impact, findings, overrides, publish } =
    plan;
  return {
    mode,
    current,
    currentVersion,
    targetVersion,
    unchanged,
    impact,
    findings,
    ...(overrides && { overrides }),
    ...(publish && { publish }),
  };
}

/** With what it is asked for by, and what stands before it. */
export function plannedOf(plan: GatedPlan) {
  const { rendered, needsApproval, quorum, approvers, session } = plan.gate;
  return {
    ...summaryOf(plan),
    digest: plan.digest,
    rendered,
    gate: { needsApproval, quorum, approvers, session },
  };
}
