/** Who has to agree, as people read it. */
import { type Approval, whoCan } from '../../engine/index.ts';

/** `0 of 1; bob@example.com can approve` */
export function approvalText({ have, need, approvers }: Approval, open = true): string {
  const who = !open || have >= need ? '' : `; ${whoCan(approvers)}`;
  return `${have} of ${need}${who}`;
}
