/** What the incident script shows before and after. */
import { printFindings } from '../../cli/print/plan.ts';
import { revisionName, short, type Style, table } from '../../cli/print/style.ts';
import { FAILURES } from '../../engine/index.ts';
import type { Item } from './plan.ts';

export function planTable(style: Style, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { wish, planned, error } = item;
    return [
      style.paint('reset', wish.scope),
      style.paint('reset', wish.fields.join(' ') || '-'),
      style.paint('reset', planned ? revisionName(planned.plan.target) : wish.to),
      style.paint(error ? 'red' : 'reset', outlook(item)),
    ];
  });
  const warnings = items.flatMap(({ planned, error }) =>
    planned && !error ? planned.plan.findings.filter(({ severity }) => severity === 'warn') : [],
  );
  return [
    table([heads(style, ['scope', 'fields', 'to', 'plan']), ...rows]),
    ...printFindings(style, warnings),
  ].join('\n');
}

function outlook({ planned, error, done }: Item): string {
  if (error) return `${error.code}: ${error.message}`;
  if (done !== undefined) return `done before in ${short(done)}`;
  const { files, fields, services } = planned?.plan.impact ?? { files: 0, fields: 0, services: [] };
  if (files === 0) return 'nothing to do';
  return `${files} ${files === 1 ? 'file' : 'files'}, ${fields} ${fields === 1 ? 'field' : 'fields'}: ${services.join(', ')}`;
}

export function resultTable(style: Style, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { wish, id, result, error, done } = item;
    const status = statusOf(item);
    return [
      style.paint('reset', wish.scope),
      style.paint(error ? 'red' : status === 'not started' ? 'yellow' : 'green', status),
      short(result?.commit ?? done ?? '') || '-',
      error ? style.paint('reset', `${error.code}: ${error.message}`) : id,
    ];
  });
  return table([heads(style, ['scope', 'status', 'commit', 'request or failure']), ...rows]);
}

function statusOf({ error, done, result, request }: Item): string {
  if (error) return 'failed';
  if (done !== undefined) return 'completed';
  return result?.status ?? (request ? 'not started' : 'unchanged');
}

const heads = (style: Style, names: readonly string[]) => names.map((name) => style.paint('dim', name));

/** That of the first failure; 0 where there is none. */
export function exitCodeOf(items: readonly Item[]): number {
  const failed = items.find(({ error }) => error)?.error;
  return failed ? FAILURES[failed.code].exit : 0;
}
