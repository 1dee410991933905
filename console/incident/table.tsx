/** How far an incident is: all its requests, as they change. */
import type { Requests, RequestView } from '../contract.ts';
import { queryOf } from '../data/paths.ts';
import { useResource } from '../data/resource.ts';
import { Command } from '../parts/command.tsx';
import { commandLine } from '../parts/shell-words.ts';
import { Empty, Resource } from '../parts/states.tsx';
import { Rollbacks } from './rollbacks.tsx';

export function IncidentTable({ id }: { readonly id: string }) {
  const found = useResource<Requests>(`/rollbacks${queryOf({ incident: id, state: 'all', limit: 500 })}`);
  return (
    <div class="stack">
      <Resource of={found} lines={6}>
        {({ requests }) =>
          requests.length === 0 ? (
            <Empty>Nothing was asked for under this name.</Empty>
          ) : (
            <>
              <p class="verdict" role="status">
                <b>
                  {count(requests, 'completed')} of {requests.length} completed
                </b>
                {SAID.map(([status, text]) => {
                  const number = count(requests, status);
                  return number > 0 ? `, ${number} ${text}` : '';
                })}
                .
              </p>
              <p class="reason">{requests[0]?.justification}</p>
              <Rollbacks of={requests.map(rowOf)} />
              {count(requests, 'pending') > 0 && (
                <Command line={commandLine('request', 'approve', '--incident', id)} />
              )}
            </>
          )
        }
      </Resource>
      <Command line={commandLine('request', 'list', '--all', '--incident', id)} />
    </div>
  );
}

const SAID = [
  ['failed', 'failed'],
  ['pending', 'waiting for approval'],
  ['approved', 'approved'],
  ['executing', 'executing'],
] as const;

const count = (requests: readonly RequestView[], status: RequestView['status']) =>
  requests.filter((each) => each.status === status).length;

function rowOf({ id, scopeName, target, status, approval, result }: RequestView) {
  return {
    requestId: id,
    scope: scopeName,
    target,
    status,
    approval,
    ...(result?.status === 'failed' && { error: { code: result.code, message: result.message, hint: '' } }),
  };
}
