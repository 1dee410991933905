import type { AuditReport, AuditRow } from '../../engine/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { minute, short, type Style } from './style.ts';
import { type Column, table } from './table.ts';

const COLUMNS: readonly Column[] = [
  { head: 'commit' },
  { head: 'time (UTC)', drop: 2 },
  { head: 'request', drop: 1 },
  { head: 'scope', wrap: true },
  { head: 'mode', drop: 3 },
  { head: 'verdict' },
];

/** Honest rows are counted, and not listed, where there are more. */
const MOST_HONEST = 20;

const COLORS = { honest: 'green', tampered: 'red', unverifiable: 'yellow' } as const;

export function verifiedText(style: Style, report: AuditReport): string {
  const { rows, outside, ledger } = report;
  const wrong = rows.filter(({ verdict }) => verdict !== 'honest');
  const shown = rows.length > MOST_HONEST && !style.full ? wrong : rows;
  const parts = [
    ...(shown.length === 0
      ? []
      : [
          table(
            style,
            COLUMNS,
            shown.map((row) => cells(style, row)),
          ),
        ]),
    ...wrong.map((row) => problemsText(style, row)),
    ...ledger.problems.map(({ code, message }) =>
      style.paint('red', `! ledger ${code}: ${oneLine(message)}`),
    ),
    ...outside.map(({ commit, reverts, kind, subject }) => {
      const of = reverts === null ? '' : ` of ${short(reverts)}`;
      return style.paint('yellow', `outside: ${short(commit)}, ${kind}${of}: ${oneLine(subject)}`);
    }),
    totals(style, report),
  ];
  return parts.join('\n');
}

function cells(style: Style, { commit, time, requestId, scope, mode, verdict }: AuditRow): string[] {
  return [
    style.paint('yellow', short(commit)),
    time === null ? '' : minute(time),
    style.paint('reset', requestId),
    style.paint('reset', oneLine(scope)),
    mode ?? '',
    style.paint(COLORS[verdict], verdict),
  ];
}

const problemsText = (style: Style, { commit, verdict, problems }: AuditRow) =>
  problems
    .map(({ code, message }) =>
      style.paint(COLORS[verdict], `! ${short(commit)} ${code}: ${oneLine(message)}`),
    )
    .join('\n');

function totals(
  style: Style,
  { checked, honest, tampered, unverifiable, reader, ledger }: AuditReport,
): string {
  const counts = [
    `${honest} honest`,
    ...(tampered > 0 ? [style.paint('red', `${tampered} tampered`)] : []),
    ...(unverifiable > 0 ? [style.paint('yellow', `${unverifiable} unverifiable`)] : []),
  ];
  const record = ledger.tip === null ? 'without a ledger' : `ledger at ${short(ledger.tip)}`;
  const read = reader === 'git' ? 'git' : 'isomorphic-git';
  return `${checked} rollback${checked === 1 ? '' : 's'} checked: ${counts.join(', ')} (${record}, read with ${read})`;
}
