/** Whether a plan needs approval, and who can give it. */
import type { GatedPlan } from '../contract.ts';

export function Approvers({
  of: { needsApproval, quorum, approvers, rules = [], session },
}: {
  readonly of: GatedPlan['gate'];
}) {
  if (session !== null && !needsApproval)
    return (
      <p class="verdict warn">
        <b>No approval is needed while your break-glass session is open.</b> What is done in it waits for a
        review.
      </p>
    );
  if (!needsApproval)
    return (
      <p class="verdict">
        <b>No approval is needed:</b> it is executed as soon as it is submitted.
      </p>
    );
  return (
    <div class="verdict">
      <p>
        <b>
          {quorum} {quorum === 1 ? 'approval is' : 'approvals are'} needed
        </b>{' '}
        before it is executed
        {approvers.length === 0 ? ', by anybody but you.' : `, by ${quorum === 1 ? 'one' : `${quorum}`} of`}
      </p>
      {approvers.length > 0 && (
        <ul class="people" aria-label="Approvers">
          {approvers.map((email) => (
            <li key={email}>{email}</li>
          ))}
        </ul>
      )}
      {rules.map(({ environment, need, approvers: own }) => (
        <p class="faint" key={environment}>
          {environment}: {need} of {own.join(', ') || 'anybody but you'}
        </p>
      ))}
    </div>
  );
}
