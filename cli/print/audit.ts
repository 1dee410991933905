import type { AuditEntry } from '../../engine/index.ts';
import { oneLine } from '../output.ts';
import { cut, minute, short, type Style, table } from './style.ts';

export function auditText(style: Style, events: readonly AuditEntry[]): string {
  if (events.length === 0) return 'The ledger holds no such event.';
  const heads = ['commit', 'time (UTC)', 'event', 'who', 'scope', 'of', 'comment'];
  const rows = events.map(({ commit, at, event, actor, identity, scope, requestId, sessionId, comment }) => [
    style.paint('yellow', short(commit)),
    minute(at),
    style.paint('bold', sessionId !== null && event === 'opened' ? 'opened BREAK-GLASS' : event),
    style.paint('reset', `${oneLine(actor.email)}${identity === 'verified' ? '' : ' (unverified)'}`),
    style.paint('reset', scope),
    style.paint('reset', requestId ?? sessionId ?? ''),
    style.paint('reset', comment === null ? '' : cut(oneLine(comment), 72)),
  ]);
  const problems = events.flatMap(({ commit, problems }) =>
    problems.map((problem) => style.paint('red', `! ${short(commit)} ${problem}`)),
  );
  return [table([heads.map((head) => style.paint('dim', head)), ...rows]), ...problems].join('\n');
}
