/** Plans as this face shows them. */
import type { Coordinates, GatedPlan, RollbackPlan } from '../../engine/index.ts';
import { instanceIdOf } from './instance.ts';

export type PlanNode = ReturnType<typeof planNode>;

const MOST_CHANGES = 500;

export function planNode(coordinates: Coordinates, plan: RollbackPlan, gate?: GatedPlan['gate']) {
  const { digest, base, target, targetVersion, current, currentVersion, unchanged, impact, hold } = plan;
  return {
    instanceId: instanceIdOf(coordinates),
    digest,
    base,
    target,
    targetVersion,
    current,
    currentVersion,
    unchanged,
    files: impact.files,
    fields: impact.fields,
    services: impact.services,
    changes: ({ first }: { readonly first?: number | null }) =>
      plan.changes
        .flatMap(({ service, files }) => files.map((file) => ({ service, ...file })))
        .slice(0, Math.min(Math.max(first ?? 100, 0), MOST_CHANGES)),
    findings: plan.findings.map((each) => ({ ...each, overridden: each.overridden === true })),
    hold: hold ? { for: hold.for, fields: hold.fields.length } : null,
    gate: gate
      ? {
          needsApproval: gate.needsApproval,
          approvers: gate.approvers,
          mayPropose: gate.may.request.allowed,
          mayApprove: gate.may.approve.allowed,
        }
      : null,
  };
}
