/** The requests of an incident, before and after somebody votes on them. */
import type { RequestView } from '../../engine/index.ts';
import { commitOf, type ReviewItem as Item } from '../../workers/incident/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { approvalText } from './approval.ts';
import { overridesOf, printFindings } from './plan.ts';
import { cut, revisionName, short, type Style } from './style.ts';
import { type Column, table } from './table.ts';

const BEFORE: readonly Column[] = [
  { head: 'request' },
  { head: 'scope', wrap: true },
  { head: 'to', drop: 1 },
  { head: 'author', wrap: true },
  { head: 'status', drop: 2 },
  { head: 'plan', wrap: true },
];

export function reviewTable(style: Style, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { request, error } = item;
    return [
      style.paint('bold', request.id.slice(-8)),
      style.paint('reset', request.scopeName),
      revisionName(request.rollbackOf),
      style.paint('reset', authorText(request)),
      request.status,
      style.paint(error ? 'red' : 'reset', oneLine(outlook(item))),
    ];
  });
  const [first] = items;
  const why = first === undefined ? '' : cut(oneLine(first.request.justification), 200);
  const warnings = items.flatMap(({ planned, error }) =>
    planned && !error ? planned.plan.findings.filter(({ severity }) => severity === 'warn') : [],
  );
  const together = items.filter(({ request }) => request.atomic !== undefined).length;
  return [
    `${style.paint('bold', 'why')}  ${style.paint('reset', why)}`,
    ...(together > 0 ? [`${together} of these are published in one push, or none of them.`] : []),
    '',
    table(style, BEFORE, rows),
    ...printFindings(style, warnings),
  ].join('\n');
}

const authorText = ({ author, authorIdentity }: RequestView) =>
  `${author.email}${authorIdentity === 'verified' ? '' : ' (unverified)'}`;

function outlook({ planned, error, request }: Item): string {
  if (error) return `${error.code}: ${error.message}`;
  if (request.status !== 'pending') return 'no vote needed';
  if (planned === undefined) return 'cannot be planned now';
  const { impact, unchanged } = planned.plan;
  const changed = planned.changed ? ' (no longer what reviewers were asked about)' : '';
  if (unchanged) return 'nothing to do any more';
  const { files, fields, services } = impact;
  return `${files} ${files === 1 ? 'file' : 'files'}, ${fields} ${fields === 1 ? 'field' : 'fields'}: ${services.join(', ')}${overridesOf(planned.plan)}${changed}`;
}

const AFTER: readonly Column[] = [
  { head: 'request' },
  { head: 'scope', wrap: true },
  { head: 'status' },
  { head: 'commit', drop: 1 },
  { head: 'vote or failure', wrap: true },
];

export function reviewedTable(style: Style, items: readonly Item[]): string {
  const rows = items.map((item) => {
    const { request } = item;
    const problem = item.error ?? item.failed;
    return [
      style.paint('bold', request.id.slice(-8)),
      style.paint('reset', request.scopeName),
      request.status,
      short(commitOf(request) ?? '') || '-',
      style.paint(problem ? 'red' : 'reset', oneLine(remarkOn(item))),
    ];
  });
  return table(style, AFTER, rows);
}

function remarkOn({ request, voted, error, failed }: Item): string {
  const problem = error ?? failed;
  if (problem) return `${error ? 'no vote: ' : ''}${problem.code}: ${problem.message}`;
  if (!voted && request.result?.status === 'failed')
    return `failed before: ${request.result.code}: ${request.result.message}`;
  if (!voted) return 'no vote needed';
  if (request.status === 'approved' && request.atomic !== undefined)
    return 'voted: published in one push with others, or not at all';
  if (request.status !== 'pending') return 'voted';
  const counts = request.reviews.at(-1)?.counts === false ? '; yours does not count: no trusted key' : '';
  return `voted: ${approvalText(request.approval)}${counts}`;
}
