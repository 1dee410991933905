/** Who agreed, and who has to. */
import type { RequestView } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';
import { Time } from '../parts/time.tsx';

export function Votes({ of: { approval, reviews, status, gate } }: { readonly of: RequestView }) {
  const { need, have, approvers, rules = [] } = approval;
  return (
    <section class="part" aria-label="Votes">
      <h2>Votes</h2>
      {need === 0 ? (
        <p class="faint">
          {gate === 'break-glass' ? 'It went ahead in a break-glass session.' : 'No approval is needed.'}
        </p>
      ) : (
        <p>
          <b>
            {have} of {need} {need === 1 ? 'approval' : 'approvals'}
          </b>
          {status === 'pending' && approvers.length > 0 && <> · can approve: {approvers.join(', ')}</>}
          {status === 'pending' && approvers.length === 0 && ' · anybody but its author can approve'}
        </p>
      )}
      {rules.map((rule) => (
        <p class="faint" key={rule.environment}>
          {rule.environment}: {rule.have} of {rule.need}
        </p>
      ))}
      <ul class="rows">
        {reviews.map(({ id, decision, actor, at, comment, counts, identity }) => (
          <li class="row" key={id}>
            <Badge state={decision === 'approved' ? 'live' : 'rejected'} name={decision} />
            <span class="grow">
              <bdi>{actor.name}</bdi>{' '}
              <span class="faint">
                <Time at={at} />
                {identity === 'unverified' && ', unverified'}
                {!counts && ', does not count'}
              </span>
              {comment !== null && <span class="reason block">{comment}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
