/** The record: every event of the ledger, and whether the branch bears it out. */
import { useLocation, useRoute } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { AuditEvents } from '../contract.ts';
import { queryOf } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Title } from '../parts/title.tsx';
import { EventRow } from './event-row.tsx';
import { Verify } from './verify.tsx';

const FILTERS = [
  ['scope', 'Scope, as acme/production'],
  ['actor', 'Email of who acted'],
  ['since', 'Since, as 2026-11-20'],
] as const;
const ROWS = 50;

export function Audit() {
  const { query } = useRoute();
  const { route } = useLocation();
  const filter = { scope: query['scope'], actor: query['actor'], since: query['since'] };
  return (
    <>
      <Title name="Audit" />
      <Verify scope={filter.scope ?? ''} />
      <section class="part stack" aria-label="Events">
        <h2>Events</h2>
        <div class="sides">
          {FILTERS.map(([key, label]) => (
            <label class="field" key={key}>
              <span>{label}</span>
              <input
                value={filter[key] ?? ''}
                autocomplete="off"
                onChange={({ currentTarget: { value } }) =>
                  route(`/audit${queryOf({ ...filter, [key]: value.trim() })}`, true)
                }
              />
            </label>
          ))}
        </div>
        <Pages key={queryOf(filter)} filter={filter} />
      </section>
      <Command
        line={commandLine(
          'audit',
          'log',
          filter.scope,
          ...(filter.since ? ['--since', filter.since] : []),
          ...(filter.actor ? ['--actor', filter.actor] : []),
        )}
      />
    </>
  );
}

type Filter = Readonly<Record<(typeof FILTERS)[number][0], string | undefined>>;

function Pages({ filter }: { readonly filter: Filter }) {
  const [cursors, setCursors] = useState<readonly string[]>(['']);
  return (
    <>
      {cursors.map((cursor, index) => (
        <OnePage
          key={cursor}
          path={`/audit${queryOf({ ...filter, limit: ROWS, cursor })}`}
          isFirst={index === 0}
          onMore={index === cursors.length - 1 ? (next) => setCursors([...cursors, next]) : null}
        />
      ))}
    </>
  );
}

interface OnePageProps {
  readonly path: string;
  readonly isFirst: boolean;
  readonly onMore: ((next: string) => void) | null;
}

function OnePage({ path, isFirst, onMore }: OnePageProps) {
  const found = useResource<AuditEvents>(path);
  return (
    <Resource of={found} lines={8}>
      {({ events, next }) => (
        <>
          {events.length === 0 && isFirst && <Empty>The ledger has no such event that you may see.</Empty>}
          <ul class="rows">
            {events.map((event) => (
              <EventRow key={`${event.commit} ${event.eventId}`} of={event} />
            ))}
          </ul>
          {next !== null && onMore !== null && (
            <button type="button" onClick={() => onMore(next)}>
              Show more
            </button>
          )}
        </>
      )}
    </Resource>
  );
}
