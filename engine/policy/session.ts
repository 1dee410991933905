import { BacktrailError, type BreakGlassSession, type SessionEvent } from '../model/index.ts';
import { samePerson } from './policy.ts';

/**
 * The state of a break-glass session: its events, replayed.
 * @throws LEDGER_TAMPERED for an impossible sequence of events
 */
export function foldSession(events: readonly SessionEvent[]): BreakGlassSession {
  const [first, ...rest] = events;
  if (
    first?.type !== 'session-opened' ||
    !samePerson(first.session.holder.email, first.actor.email) ||
    rest.length > 1 ||
    rest.some(({ type }) => type !== 'session-closed')
  )
    throw new BacktrailError(
      'LEDGER_TAMPERED',
      'A break-glass session is opened once, by its holder, and closed at most once.',
    );
  const [closing] = rest;
  return { ...first.session, closed: closing ? { at: closing.at, actor: closing.actor } : null };
}
