/** First: what runs, since when, whether it is live, and the way back. */
import type { History, Holds, Requests } from '../contract.ts';
import { now } from '../data/clock.ts';
import { historyCall, queryOf, scopeName, scopePath } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { HoldList } from '../holds/hold-list.tsx';
import { Findings } from '../parts/findings.tsx';
import { Empty, Resource } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { RequestList } from '../requests/request-list.tsx';
import { Live } from './live.tsx';
import { changedSince, currentOf } from './revisions.ts';
import { Running } from './running.tsx';
import type { PanelProps } from './panel-props.ts';

const RECENT_MS = 2 * 3_600_000;

export function Overview({ names, environment }: PanelProps) {
  const history = useResource<History>(historyCall(names, { limit: 50 }));
  const scope = scopeName(names);
  const requests = useResource<Requests>(`/rollbacks${queryOf({ scope, state: 'open', limit: 20 })}`);
  const holds = useResource<Holds>(`/holds${queryOf({ scope, limit: 50 })}`);
  return (
    <div class="overview">
      <Resource of={history} lines={5}>
        {({ revisions, findings = [] }) => (
          <>
            <Findings of={findings} />
            <Running names={names} revisions={revisions} environment={environment} />
            <Live names={names} />
            <Recent names={names} revisions={revisions} />
          </>
        )}
      </Resource>
      <section class="part">
        <h2>Open requests</h2>
        <Resource of={requests} lines={1}>
          {({ requests: open }) =>
            open.length === 0 ? (
              <Empty>Nobody has asked for a rollback here.</Empty>
            ) : (
              <RequestList of={open} />
            )
          }
        </Resource>
      </section>
      <section class="part">
        <h2>Holds</h2>
        <Resource of={holds} lines={1}>
          {({ holds: held }) =>
            held.length === 0 ? <Empty>Automation may move everything here.</Empty> : <HoldList of={held} />
          }
        </Resource>
      </section>
      {!names.service && environment.services.length > 0 && (
        <section class="part">
          <h2>Services</h2>
          <ul class="chips">
            {environment.services.map((service) => (
              <li key={service}>
                <a class="chip" data-row href={scopePath({ ...names, service })}>
                  {service}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Recent({ names, revisions }: Pick<PanelProps, 'names'> & Pick<History, 'revisions'>) {
  const recent = changedSince(revisions, now.value - RECENT_MS);
  const newest = currentOf(revisions) ?? revisions[0];
  return (
    <section class="part">
      <h2>Changed in the last two hours</h2>
      {recent.length === 0 ? (
        <Empty>
          Nothing. {newest !== undefined && <>The last change was {<Time at={newest.time} />}.</>}
        </Empty>
      ) : (
        <ul class="rows">
          {recent.map(({ version, commit, subject, author, time }) => (
            <li key={commit}>
              <a class="row" data-row href={scopePath(names, 'history', { at: `v${version}` })}>
                <b>v{version}</b> <span class="grow">{subject}</span>
                <span class="faint">
                  {author.name}, <Time at={time} quiet />
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
