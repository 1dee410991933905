/** What the incident script shows before and after. */
import { printFindings } from '../../cli/print/plan.ts';
import { revisionName, short, type Style } from '../../cli/print/style.ts';
import { table } from '../../cli/print/table.ts';
import { FAILURES } from '../../engine/index.ts';
import type { Item } from './plan.ts';

export function planTable(style: Style, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { wish, error } = item;
    return [
      style.paint('reset', wish.scope),
      style.paint('reset', wish.fields.join(' ') || '-'),
      style.paint('reset', targetOf(item)),
      style.paint(error ? 'red' : 'reset', outlook(item)),
    ];
  });
  const warnings = items.flatMap(({ planned, error }) =>
    planned && !error ? planned.plan.findings.filter(({ severity }) => severity === 'warn') : [],
  );
  return [
    table(style, columns(['scope', 'fields', 'to', 'plan']), rows),
    ...printFindings(style, warnings),
  ].join('\n');
}

function targetOf({ wish, planned, request }: Item): string {
  if (planned) return revisionName(planned.plan.target);
  return request ? revisionName(request.rollbackOf) : wish.to;
}

function outlook({ planned, request, error, done }: Item): string {
  if (error) return `${error.code}: ${error.message}`;
  if (done !== undefined) return `done before in ${short(done)}`;
  if (request) return `asked for before: ${request.status}`;
  const { files, fields, services } = planned?.plan.impact ?? { files: 0, fields: 0, services: [] };
  if (files === 0) return 'nothing to do';
  return `${files} ${files === 1 ? 'file' : 'files'}, ${fields} ${fields === 1 ? 'field' : 'fields'}: ${services.join(', ')}`;
}

export function resultTable(style: Style, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { wish, result, error, done } = item;
    const status = statusOf(item);
    return [
      style.paint('reset', wish.scope),
      style.paint(error ? 'red' : OPEN.includes(status) ? 'yellow' : 'green', status),
      short(result?.commit ?? done ?? '') || '-',
      style.paint('reset', remarkOn(item)),
    ];
  });
  return table(style, columns(['scope', 'status', 'commit', 'request or failure']), rows);
}

const OPEN = ['not started', 'pending'];

function statusOf({ error, done, result, request, planned }: Item): string {
  if (error) return 'failed';
  if (done !== undefined) return 'completed';
  if (result) return result.status;
  // What an earlier run found to be so already.
  if (request?.status === 'completed') return request.result?.status ?? 'completed';
  return request?.status === 'pending'
    ? 'pending'
    : planned?.plan.files.length === 0
      ? 'unchanged'
      : 'not started';
}

function remarkOn({ id, error, request }: Item): string {
  if (error) return `${error.code}: ${error.message}`;
  if (request?.status !== 'pending') return id;
  const { have, need, approvers } = request.approval;
  const who = approvers.length === 0 ? '' : `; can approve: ${approvers.join(', ')}`;
  return `${id} (approvals: ${have}/${need}${who})`;
}

const columns = (heads: readonly string[]) => heads.map((head) => ({ head, wrap: true }));

/** That of the first failure; 5 where one waits for approval; else 0. */
export function exitCodeOf(items: readonly Item[]): number {
  const failed = items.find(({ error }) => error)?.error;
  if (failed) return FAILURES[failed.code].exit;
  return items.some(({ request, result }) => request?.status === 'pending' && !result)
    ? FAILURES.AWAITING_APPROVAL.exit
    : 0;
}
