/** How far an incident is: all its requests, as they change, those that failed first. */
import type { IncidentState } from '../contract.ts';
import { connection } from '../data/events.ts';
import { useResource } from '../data/resource.ts';
import { Badge } from '../parts/badge.tsx';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Retry } from './retry.tsx';
import { Review } from './review.tsx';
import { Cells, SomeRows, Table } from './rows.tsx';
import { versionName } from './row-words.ts';
import { useSteps } from './steps.ts';

type Row = IncidentState['rollbacks'][number];

/** `isAsking`: the answer has not come yet; what is asked for already is shown. */
export function Followed({ id, isAsking = false }: { readonly id: string; readonly isAsking?: boolean }) {
  const found = useResource<IncidentState>(`/incidents/${encodeURIComponent(id)}`);
  return (
    <div class="stack">
      {isAsking && (
        <p class="verdict" role="status">
          <b>It is being asked for…</b>
        </p>
      )}
      <Resource of={found} lines={6}>
        {(state) =>
          state.rollbacks.length === 0 ? (
            <Empty>Nothing was asked for under this name{isAsking ? ' yet' : ''}.</Empty>
          ) : (
            <State of={state} isAsking={isAsking} />
          )
        }
      </Resource>
      <Command line={commandLine('request', 'list', '--all', '--incident', id)} />
    </div>
  );
}

function State({
  of: { id, asked, rollbacks },
  isAsking,
}: {
  readonly of: IncidentState;
  readonly isAsking: boolean;
}) {
  const steps = useSteps();
  const sorted = rollbacks.toSorted((one, other) => rankOf(one) - rankOf(other));
  const failed = rollbacks.filter(({ status }) => status === 'failed');
  const done = rollbacks.filter(({ status }) => ENDED.has(status)).length;
  return (
    <>
      <p class="verdict" role="status">
        <b>{countsOf(rollbacks)}</b>
      </p>
      <progress max={rollbacks.length} value={done} aria-label="Rollbacks that have ended" />
      {connection.value !== 'live' && (
        <p class="verdict warn" role="status">
          Steps are not told live now: the server is asked every few seconds.
        </p>
      )}
      {asked.map(({ author, reason, rollbacks: count }) => (
        <p class="reason" key={`${author.email} ${reason}`}>
          {reason}
          <span class="faint block">
            <bdi>{author.name}</bdi> &lt;{author.email}&gt;, {count} of {rollbacks.length}
          </span>
        </p>
      ))}
      {rollbacks.some(({ atomic, status }) => atomic && !ENDED.has(status)) && (
        <p class="hint">They are published in one push, or none of them: not before each is approved.</p>
      )}
      {!isAsking && failed.length > 0 && <Retry id={id} failed={failed.map(({ requestId }) => requestId)} />}
      {!isAsking && (
        <Review
          id={id}
          isOpen={rollbacks.some(({ status }) => status === 'pending')}
          authors={[...new Set(asked.map(({ author }) => author.email))]}
        />
      )}
      <Table name="Rollbacks" columns={['Scope', 'Target', 'Status', 'Request']}>
        <SomeRows of={sorted}>
          {(row) => <RequestRow key={row.requestId} of={row} step={steps.get(row.requestId) ?? null} />}
        </SomeRows>
      </Table>
    </>
  );
}

function RequestRow({ of, step }: { readonly of: Row; readonly step: string | null }) {
  const { requestId, scope, target, targetVersion, status, approval, error, problems = [], pullRequest } = of;
  const isRunning = status === 'approved' || status === 'executing';
  return (
    <tr role="row" data-row tabIndex={-1}>
      <Cells
        names={['scope', 'versions', 'state', 'stands']}
        of={[
          <>
            <b>{scope}</b>
            {of.fields !== undefined && <span class="faint block">{of.fields.join(' ')}</span>}
          </>,
          <>
            <span class="faint">to </span>
            {versionName(targetVersion, target)}
          </>,
          <>
            <Badge
              state={status}
              {...(isRunning && step !== null && { name: `${status}: ${step}` })}
              {...(of.unchanged && { name: 'completed: nothing had to be changed' })}
            />
            {approval !== undefined && <Waits of={approval} />}
            {pullRequest !== undefined && (
              <>
                {' '}
                <a href={pullRequest.url} rel="noreferrer">
                  Pull request {pullRequest.number}
                </a>{' '}
                {pullRequest.state}
              </>
            )}
            {error !== undefined && (
              <span class="failure block">
                {error.message} <span class="code">{error.code}</span>
              </span>
            )}
            {problems.map((problem) => (
              <span class="failure block" key={problem}>
                {problem}
              </span>
            ))}
          </>,
          <a class="target" href={`/requests/${requestId}`} data-primary>
            {requestId.slice(-8)}
            <span class="hidden"> of {scope}</span>
          </a>,
        ]}
      />
    </tr>
  );
}

function Waits({ of: { have, need, approvers } }: { readonly of: NonNullable<Row['approval']> }) {
  const who = approvers.length === 0 ? 'anybody but its author' : approvers.slice(0, 3).join(', ');
  return (
    <span class="faint">
      {' '}
      {have} of {need} {need === 1 ? 'approval' : 'approvals'}; can approve: {who}
      {approvers.length > 3 && ` and ${approvers.length - 3} more`}
    </span>
  );
}

const SAID = [
  ['failed', ['failed', 'failed']],
  ['pending', ['waits for approval', 'wait for approval']],
  ['proposed', ['waits to be merged', 'wait to be merged']],
  ['approved', ['approved', 'approved']],
  ['executing', ['executing', 'executing']],
  ['rejected', ['rejected', 'rejected']],
  ['cancelled', ['cancelled', 'cancelled']],
  ['expired', ['expired', 'expired']],
  ['superseded', ['superseded', 'superseded']],
] as const;
const ENDED: ReadonlySet<string> = new Set([
  'completed',
  'failed',
  'rejected',
  'cancelled',
  'expired',
  'superseded',
]);

/** What has a pull request is approved, and waits to be merged. */
const stateOf = ({ status, pullRequest }: Row): string =>
  status === 'approved' && pullRequest !== undefined ? 'proposed' : status;

/** `312 of 500 completed, 3 failed, 12 wait for approval` */
function countsOf(rows: readonly Row[]): string {
  const parts = SAID.map(([status, [one, many]]) => {
    const number = rows.filter((row) => stateOf(row) === status).length;
    return number === 0 ? '' : `, ${number} ${number === 1 ? one : many}`;
  });
  return `${rows.filter(({ status }) => status === 'completed').length} of ${rows.length} completed${parts.join('')}`;
}

const ORDER: readonly string[] = [
  'failed',
  'pending',
  'executing',
  'approved',
  'rejected',
  'cancelled',
  'expired',
  'superseded',
  'completed',
];
const rankOf = ({ status, problems }: Row): number => (problems === undefined ? ORDER.indexOf(status) : 0);
