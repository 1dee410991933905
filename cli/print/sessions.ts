/** Break-glass sessions as people read them. */
import type { RequestView, SessionView } from '../../engine/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { printFindings } from './plan.ts';
import { personText } from './requests.ts';
import { cut, minute, short, type Style } from './style.ts';
import { type Column, table } from './table.ts';

export function sessionText(style: Style, session: SessionView): string {
  const { id, active, scope, holder, identity, justification, ticket, expiresAt, closed } = session;
  const unverified = identity === 'verified' ? '' : ' (identity unverified)';
  const state = active ? style.paint(['red', 'bold'], 'BREAK-GLASS') : style.paint('dim', 'ended');
  const ends =
    closed === null
      ? `until ${minute(expiresAt)}`
      : `closed ${minute(closed.at)} by ${personText(closed.actor)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['scope', scope],
    ['holder', `${personText(holder)}${unverified}`],
    ['why', justification],
    ...(ticket === null ? [] : [['ticket', ticket] as const]),
    ['time', ends],
  ];
  const lines = facts.map(([name, text]) => `  ${name.padEnd(7)} ${style.paint('reset', oneLine(text))}`);
  const told = active
    ? [
        '  Rollbacks there by its holder need no approval; each is flagged, and waits for a review by another person.',
      ]
    : [];
  return [
    `${state}  ${style.paint('bold', id)}`,
    ...lines,
    ...told,
    ...printFindings(style, session.findings ?? []),
  ]
    .join('\n')
    .trimEnd();
}

const COLUMNS: readonly Column[] = [
  { head: 'session' },
  {},
  { head: 'scope', wrap: true },
  { head: 'holder', wrap: true, drop: 1 },
  { head: 'from (UTC)', drop: 5 },
  { head: 'until (UTC)', drop: 2 },
  { head: 'ticket', drop: 4 },
  { head: 'why', wrap: true, drop: 3 },
];
const WAITING: readonly Column[] = [
  {},
  {},
  { wrap: true },
  { wrap: true },
  { wrap: true },
  { wrap: true },
  { wrap: true },
];

export function sessionsText(
  style: Style,
  {
    sessions,
    reviews,
  }: { readonly sessions: readonly SessionView[]; readonly reviews: readonly RequestView[] },
): string {
  if (sessions.length === 0 && reviews.length === 0) return 'Nobody has broken the glass.';
  const rows = sessions.map(
    ({ id, active, scope, holder, openedAt, expiresAt, closed, ticket, justification }) => [
      style.paint(active ? 'bold' : 'reset', id),
      active
        ? style.paint(['red', 'bold'], 'ACTIVE')
        : style.paint('dim', closed === null ? 'ended' : 'closed'),
      style.paint('reset', scope),
      style.paint('reset', oneLine(holder.email)),
      minute(openedAt),
      minute(closed?.at ?? expiresAt),
      style.paint('reset', oneLine(ticket ?? '')),
      style.paint('reset', cut(oneLine(justification), 72)),
    ],
  );
  return [
    ...(rows.length === 0 ? [] : [table(style, COLUMNS, rows)]),
    ...(reviews.length === 0 ? [] : [waiting(style, reviews)]),
  ].join('\n\n');
}

function waiting(style: Style, reviews: readonly RequestView[]): string {
  const rows = reviews.map(({ id, scopeName, author, createdAt, status, result, breakGlass }) => [
    style.paint(['red', 'bold'], '!'),
    style.paint('bold', id),
    style.paint('reset', scopeName),
    style.paint('reset', oneLine(author.email)),
    minute(createdAt),
    result !== null && result.status !== 'failed' && result.commit !== null
      ? `commit ${short(result.commit)}`
      : status,
    breakGlass?.session ?? '',
  ]);
  const head = style.paint(
    ['red', 'bold'],
    'Went ahead without approval, and wait for a review by another person',
  );
  const how = style.paint('dim', '  backtrail break-glass review REQUEST --comment TEXT');
  return [head, table(style, WAITING, rows), how].join('\n');
}
