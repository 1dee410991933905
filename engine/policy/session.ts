/** A break-glass session as its events make it. */
import { BacktrailError, type BreakGlassSession, type SessionEvent } from '../model/index.ts';
import { samePerson } from './policy.ts';

/** LEDGER_TAMPERED where the events cannot have followed each other. */
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
