import type { AuditEntry } from '../../engine/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { authenticationText } from './requests.ts';
import { cut, minute, short, type Style } from './style.ts';
import { type Column, table } from './table.ts';

const COLUMNS: readonly Column[] = [
  { head: 'commit' },
  { head: 'time (UTC)' },
  { head: 'event', wrap: true },
  { head: 'who', wrap: true },
  { head: 'scope', wrap: true, drop: 1 },
  { head: 'of', drop: 3 },
  { head: 'comment', wrap: true, drop: 2 },
];

export function auditText(style: Style, events: readonly AuditEntry[]): string {
  if (events.length === 0) return 'The ledger holds no such event.';
  const rows = events.map(
    ({ commit, at, event, actor, authenticated, identity, scope, requestId, sessionId, comment }) => [
      style.paint('yellow', short(commit)),
      minute(at),
      style.paint('bold', sessionId !== null && event === 'opened' ? 'opened BREAK-GLASS' : event),
      style.paint(
        'reset',
        `${oneLine(actor.email)}${authenticationText(authenticated)}${identity === 'verified' ? '' : ' (unverified)'}`,
      ),
      style.paint('reset', scope),
      style.paint('reset', requestId ?? sessionId ?? ''),
      style.paint('reset', comment === null ? '' : cut(oneLine(comment), 72)),
    ],
  );
  const problems = events.flatMap(({ commit, problems }) =>
    problems.map((problem) => style.paint('red', `! ${short(commit)} ${problem}`)),
  );
  return [table(style, COLUMNS, rows), ...problems].join('\n');
}
