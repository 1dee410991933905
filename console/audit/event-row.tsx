/** One event of the ledger. */
import type { AuditEvents } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { Time } from '../parts/time.tsx';

export function EventRow({ of }: { readonly of: AuditEvents['events'][number] }) {
  const { event, at, actor, identity, authenticated, requestId, scope, subject, comment, problems } = of;
  return (
    <li class="row" data-row tabIndex={-1}>
      <Badge state={event} />
      <span class="grow">
        <b>{scope}</b> <bdi>{subject}</bdi>
        {comment !== null && <span class="reason block">{comment}</span>}
        {problems.map((problem) => (
          <span class="failure block" key={problem}>
            {problem}
          </span>
        ))}
        {requestId !== null && (
          <span class="block">
            <a href={`/requests/${requestId}`}>{requestId}</a>
          </span>
        )}
      </span>
      <span class="faint side">
        <bdi>{actor.name}</bdi>, <Time at={at} quiet />
        <span class="block">
          {identity === 'verified' ? 'signature verified' : 'not signed by a known key'}
          {authenticated !== undefined && `, ${authenticated.how}`}
        </span>
      </span>
    </li>
  );
}
