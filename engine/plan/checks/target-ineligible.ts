import type { CheckInput, RawFinding } from '../check-input.ts';

/** TARGET_INELIGIBLE: records of deployments speak against the target. One that ran well once, and was only replaced, is told of. */
export async function checkTarget({ plan, snapshot }: CheckInput): Promise<RawFinding[]> {
  const standing = await snapshot.deployments?.standing(plan.scope, plan.target.commit);
  if (standing === undefined || standing.eligible) return [];
  const { status, reasons } = standing;
  const isReplaced = status === 'superseded' || (status === 'rolled_back' && !standing.hasFailed);
  return reasons.slice(0, 1).map((reason) => ({
    code: 'TARGET_INELIGIBLE',
    message: `The target is not eligible: ${reason}`,
    ...(isReplaced && { atMost: 'info' as const }),
  }));
}
