/** Who has to agree, as people read it. */
import type { Approval, Finding, Gate } from '../../engine/index.ts';
import { cut } from './style.ts';

/** `0 of 1; bob@example.com can approve` */
export function approvalText({ have, need, approvers }: Approval, open = true): string {
  const who = !open || have >= need ? '' : `; ${whoCan(approvers)}`;
  return `${have} of ${need}${who}`;
}

const whoCan = (approvers: readonly string[]) =>
  approvers.length === 0
    ? 'whoever may deploy there can approve'
    : `${cut(approvers.slice(0, 12).join(', '), 600)}${approvers.length > 12 ? ', …' : ''} can approve`;

/** What stands between a plan and its execution, told with the plan. */
export function gateFindings({ needsApproval, session, approval }: Gate): Finding[] {
  if (session !== null)
    return [
      {
        code: 'BREAK_GLASS',
        severity: 'warn',
        message: `Session ${session.id} lets it go ahead without approval; it will be flagged, and waits for a review by somebody else.`,
      },
    ];
  if (!needsApproval) return [];
  const people = approval.need === 1 ? 'one person' : `${approval.need} people`;
  return [
    {
      code: 'APPROVAL_NEEDED',
      severity: 'info',
      message: `It needs the approval of ${people}: ${whoCan(approval.approvers)}.`,
      hint: '`backtrail rollback` asks for it.',
    },
  ];
}
