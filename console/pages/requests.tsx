/** Requests for rollbacks: those that are open, or all. */
import { useRoute } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { Requests as Value } from '../contract.ts';
import { queryOf } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Title } from '../parts/title.tsx';
import { RequestList } from '../requests/request-list.tsx';

const STATES = [
  ['open', 'Open'],
  ['pending', 'Waiting for approval'],
  ['failed', 'Failed'],
  ['all', 'All'],
] as const;
/** Of the command line; without one it lists those that are open. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  pending: ['--status', 'pending'],
  failed: ['--status', 'failed'],
  all: ['--all'],
};
const EMPTY: Readonly<Record<string, string>> = {
  open: 'No request that you may see is open.',
  pending: 'No request waits for approval.',
  failed: 'No request has failed.',
  all: 'Nobody has asked for a rollback yet.',
};

export function Requests() {
  const { query } = useRoute();
  const chosen = STATES.find(([each]) => each === query['state'])?.[0] ?? 'open';
  return (
    <>
      <Title name="Requests" />
      <nav class="choice" aria-label="Which requests">
        {STATES.map(([each, name]) => (
          <a
            key={each}
            href={each === 'open' ? '/requests' : `/requests?state=${each}`}
            aria-current={each === chosen ? 'true' : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <Pages key={chosen} state={chosen} />
      <Command line={commandLine('request', 'list', ...(WORDS[chosen] ?? []))} />
    </>
  );
}

/** One below the other: a page more is loaded where somebody asks for it. */
function Pages({ state }: { readonly state: string }) {
  const [cursors, setCursors] = useState<readonly string[]>(['']);
  return (
    <>
      {cursors.map((cursor, index) => (
        <OnePage
          key={cursor}
          path={`/rollbacks${queryOf({ state, limit: 50, cursor })}`}
          empty={index === 0 ? (EMPTY[state] ?? '') : ''}
          onMore={index === cursors.length - 1 ? (next) => setCursors([...cursors, next]) : null}
        />
      ))}
    </>
  );
}

function OnePage({
  path,
  empty,
  onMore,
}: {
  readonly path: string;
  readonly empty: string;
  readonly onMore: ((next: string) => void) | null;
}) {
  const found = useResource<Value>(path);
  return (
    <Resource of={found} lines={6}>
      {({ requests, next }) => (
        <>
          {requests.length === 0 && empty !== '' ? <Empty>{empty}</Empty> : <RequestList of={requests} />}
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
