/** Requests as rows that lead to them. */
import type { RequestView } from '../contract.ts';
import { now } from '../data/clock.ts';
import { Badge } from '../parts/badge.tsx';
import { relativeTo } from '../parts/duration.ts';
import { Time } from '../parts/time.tsx';
import { useStep } from './step.ts';
import { targetName } from './target-name.ts';

export function RequestList({ of }: { readonly of: readonly RequestView[] }) {
  return (
    <ul class="rows requests">
      {of.map((request) => (
        <li key={request.id}>
          <Row of={request} />
        </li>
      ))}
    </ul>
  );
}

function Row({ of }: { readonly of: RequestView }) {
  const { id, scopeName, status, author, createdAt, justification, resume, result } = of;
  const step = useStep(id);
  const isRunning = status === 'approved' || status === 'executing';
  return (
    <a class="row" data-row href={`/requests/${id}`}>
      <Badge state={status} {...(isRunning && step !== null && { name: `${status}: ${step}` })} />
      <span class="grow">
        <b>{scopeName}</b> {resume ? 'resume automation' : `to ${targetName(of)}`}
        <br />
        <span class="reason">{justification}</span>
        {result?.status === 'failed' && (
          <>
            <br />
            <span class="failure">
              {result.message} <span class="code">{result.code}</span>
            </span>
          </>
        )}
      </span>
      <span class="faint side">
        {author.name}, <Time at={createdAt} quiet />
        <Waits of={of} />
      </span>
    </a>
  );
}

function Waits({ of: { status, approval, expiresAt, breakGlass } }: { readonly of: RequestView }) {
  if (breakGlass !== null) return <span class="block">break-glass</span>;
  if (status !== 'pending') return null;
  return (
    <span class="block">
      {approval.have} of {approval.need} approvals
      {expiresAt !== null && `, expires ${relativeTo(now.value, Date.parse(expiresAt))}`}
    </span>
  );
}
