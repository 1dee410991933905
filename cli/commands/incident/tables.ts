/** What `incident` shows before and after. */
import { overridesOf, printFindings } from '../../print/plan.ts';
import { revisionName, short, type Style } from '../../print/style.ts';
import { table } from '../../print/table.ts';
import type { Finding } from '../../../engine/index.ts';
import { type Item, statusOf } from '../../../workers/incident/index.ts';

export function planTable(style: Style, items: readonly Item[], findings: readonly Finding[]): string {
  const rows = items.map((item) => {
    const { wish, error } = item;
    return [
      style.paint('reset', wish.scope),
      style.paint('reset', wish.fields.join(' ') || '-'),
      style.paint('reset', targetOf(item)),
      style.paint(error ? 'red' : 'reset', outlook(item)),
    ];
  });
  const warnings = items.flatMap(({ plan, error }) =>
    plan && !error ? plan.findings.filter(({ severity }) => severity === 'warn') : [],
  );
  return [
    table(style, columns(['scope', 'fields', 'to', 'plan']), rows),
    ...printFindings(style, [...findings, ...warnings]),
  ].join('\n');
}

function targetOf({ wish, plan, request }: Item): string {
  if (plan) return revisionName({ commit: plan.target, version: plan.targetVersion });
  return request ? revisionName(request.rollbackOf) : wish.to;
}

function outlook({ plan, request, error, done }: Item): string {
  if (error) return `${error.code}: ${error.message}`;
  if (done !== undefined) return `done before in ${short(done)}`;
  if (request) return `asked for before by ${request.author.email}: ${request.status}`;
  const { files, fields, services } = plan?.impact ?? { files: 0, fields: 0, services: [] };
  if (files === 0) return 'nothing to do';
  const way = plan?.publish ? `; ${plan.publish.via.replace('-', ' ')}` : '';
  return `${files} ${files === 1 ? 'file' : 'files'}, ${fields} ${fields === 1 ? 'field' : 'fields'}: ${services.join(', ')}${way}${overridesOf(plan)}`;
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

const OPEN = ['not started', 'pending', 'approved', 'executing', 'proposed'];

function remarkOn({ id, error, request, result }: Item): string {
  if (error) return `${error.code}: ${error.message}`;
  if (result?.status === 'proposed')
    return `${id} (${result.pullRequest?.url ?? result.proposed?.branch ?? 'proposed'})`;
  const [left] = result?.status === 'approved' ? result.findings : [];
  if (left) return `${id} (${left.code}: ${left.message})`;
  if (request?.status !== 'pending') return id;
  const { have, need, approvers } = request.approval;
  const who = approvers.length === 0 ? '' : `; can approve: ${approvers.join(', ')}`;
  return `${id} (approvals: ${have}/${need}${who})`;
}

const columns = (heads: readonly string[]) => heads.map((head) => ({ head, wrap: true }));
