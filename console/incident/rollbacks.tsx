/** Rollbacks of an incident in one table, as far as they are. */
import type { Incident } from '../contract.ts';
import { Badge } from '../parts/badge.tsx';

type Row = Pick<Incident['rollbacks'][number], 'scope' | 'target' | 'approval' | 'error'> & {
  readonly status: string;
  /** null: it was not asked for yet. */
  readonly requestId: string | null;
};

const COLUMNS = ['Scope', 'Target', 'Status', 'Request'] as const;

export function Rollbacks({ of }: { readonly of: readonly Row[] }) {
  return (
    <table class="history incident" role="table" aria-label="Rollbacks">
      <thead role="rowgroup">
        <tr role="row">
          {COLUMNS.map((name) => (
            <th key={name} scope="col" role="columnheader">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {of.map(({ scope, target, status, approval, error, requestId }) => (
          <tr role="row" data-row tabIndex={-1} key={`${scope} ${requestId ?? ''}`}>
            <td role="cell">
              <b>{scope}</b>
            </td>
            <td role="cell">{target !== null && <code>{target.slice(0, 12)}</code>}</td>
            <td role="cell">
              <Badge state={status} />
              {status === 'pending' && approval !== undefined && (
                <span class="faint">
                  {' '}
                  {approval.have} of {approval.need} approvals
                </span>
              )}
              {error !== undefined && (
                <span class="failure block">
                  {error.message} <span class="code">{error.code}</span>
                  <span class="hint block">{error.hint}</span>
                </span>
              )}
            </td>
            <td role="cell">
              {requestId !== null && status !== 'not started' && (
                <a class="target" href={`/requests/${requestId}`} data-primary>
                  {requestId.slice(-8)}
                  <span class="hidden"> of {scope}</span>
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
