/** What nobody may overlook, above every page. */
import type { Sessions } from '../contract.ts';
import { now } from '../data/clock.ts';
import { useResource } from '../data/resource.ts';
import { session } from '../data/session.ts';
import { durationOf } from '../parts/duration.ts';

export function Banners() {
  return (
    <aside aria-label="Notices">
      <BreakGlass />
      <SingleUser />
    </aside>
  );
}

function SingleUser() {
  const known = session.value;
  if (known.state !== 'signed-in' || known.me.how !== 'single-user') return null;
  const { name, email } = known.me.person;
  return (
    <p class="banner single-user">
      <strong>Single user</strong>{' '}
      <span>
        everything is done as {name} &lt;{email}&gt;
      </span>
    </p>
  );
}

function BreakGlass() {
  const { value } = useResource<Sessions>('/break-glass');
  const open = (value?.sessions ?? []).filter(
    ({ active, expiresAt }) => active && Date.parse(expiresAt) > now.value,
  );
  return (
    <>
      {open.map(({ id, scope, holder, justification, expiresAt }) => (
        <p class="banner break-glass" role="status" key={id}>
          <strong>Break-glass session</strong> {holder.name} may roll back {scope} without approval for{' '}
          {durationOf(Date.parse(expiresAt) - now.value)} more: {justification}
        </p>
      ))}
    </>
  );
}
