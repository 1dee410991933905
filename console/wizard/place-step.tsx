/** The tenant-environment: what runs there now, whether it is healthy, and who else is at it. */
import type { History, Holds, LiveStatus, Requests } from '../contract.ts';
import { historyCall, queryOf, scopeCall, scopeName } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty, Resource } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { RequestList } from '../requests/request-list.tsx';
import { Live } from '../scope/live.tsx';
import { currentOf } from '../scope/revisions.ts';
import { Buttons } from './buttons.tsx';
import { Line } from './line.tsx';
import type { StepProps } from './step-props.ts';

export function PlaceStep({ ask, environment: view, next }: StepProps) {
  const { names } = ask;
  const { tenant, environment, service } = names;
  const scope = scopeName(names);
  const history = useResource<History>(historyCall(names, { limit: 50 }));
  const live = useResource<LiveStatus>(scopeCall(names, '/live'));
  const requests = useResource<Requests>(`/rollbacks${queryOf({ scope, state: 'open', limit: 20 })}`);
  const holds = useResource<Holds>(`/holds${queryOf({ scope, limit: 50 })}`);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        next();
      }}
    >
      <dl class="facts">
        <Fact name="Tenant" value={tenant === '-' || !tenant ? 'none' : tenant} />
        <Fact name="Environment" value={environment} />
        <Fact name="Service" value={service ?? 'all of them'} />
      </dl>
      <Resource of={history} lines={2}>
        {({ revisions }) => <Current of={revisions} />}
      </Resource>
      <Live names={names} />
      {live.problem?.code === 'LIVE_NOT_CONFIGURED' && (
        <p class="faint">
          <Badge state="unknown" name="health unknown" /> Nothing says which cluster this is delivered to, so
          nobody knows here whether it is healthy.
        </p>
      )}
      <Resource of={requests} lines={1}>
        {({ requests: open }) =>
          open.length === 0 ? (
            <Empty>Nobody else has asked for a rollback here.</Empty>
          ) : (
            <section class="part">
              <h3>Open requests</h3>
              <RequestList of={open} />
            </section>
          )
        }
      </Resource>
      <Resource of={holds} lines={1}>
        {({ holds: held }) => <HoldsOf of={held} />}
      </Resource>
      <Buttons ask={ask} />
      <Line ask={ask} environment={view} />
    </form>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Current({ of }: { readonly of: History['revisions'] }) {
  const current = currentOf(of);
  if (current === null) return <Empty>No revision of this scope is on the branch now.</Empty>;
  const { version, subject, author, time, status } = current;
  return (
    <section class="running" aria-label="What runs">
      <p class="version">
        <strong>v{version}</strong> for <Time at={time} span />
        {status !== 'unknown' && <Badge state={status} />}
      </p>
      <p class="subject">{subject}</p>
      <p class="faint">{author.name}</p>
    </section>
  );
}

function HoldsOf({ of }: { readonly of: Holds['holds'] }) {
  if (of.length === 0) return <Empty>Nothing is held here.</Empty>;
  return (
    <section class="part">
      <h3>Holds</h3>
      <ul class="rows">
        {of.map(({ path, scope, state, reason, author }) => (
          <li class="row" key={path}>
            <Badge state={state} />
            <span class="grow">
              <b>{scope}</b> <span class="reason">{reason}</span>
            </span>
            <span class="faint side">{author}</span>
          </li>
        ))}
      </ul>
      <p class="faint">A rollback over a hold takes its place.</p>
    </section>
  );
}
