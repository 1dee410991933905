/** Uses of break-glass, by session, and how long each waited for somebody else to look at it. */
import type { SessionId } from '../../model/index.ts';
import { isoOf, type Period } from './period.ts';
import type { Made } from './change.ts';
import type { Population, ProvenSession } from './population.ts';
import { signedBy } from './people.ts';
import type { GlassSession, GlassUse } from './types.ts';

/** Sessions that were opened in the period, or used by what is exported; newest first. */
export function glassOf(
  { sessions }: Population,
  made: readonly Made[],
  { from, until }: Period,
): GlassSession[] {
  const uses = new Map<SessionId, GlassUse[]>();
  for (const one of made) {
    const id = one.change.breakGlass?.session;
    if (id !== undefined) uses.set(id, [...(uses.get(id) ?? []), useOf(one)]);
  }
  return sessions.flatMap((session) => {
    const { id, openedAt } = session.file.state;
    const opened = Date.parse(openedAt);
    const own = uses.get(id) ?? [];
    return own.length > 0 || (opened >= from && opened < until) ? [shown(session, own)] : [];
  });
}

function shown({ file: { state, events }, proofs }: ProvenSession, uses: readonly GlassUse[]): GlassSession {
  const { id, scope, justification, ticket, openedAt, expiresAt, holder } = state;
  const [opening, closing] = events;
  const opened = signedBy(proofs, opening ?? { id: '', at: openedAt, actor: holder });
  const closed = closing === undefined ? null : signedBy(proofs, closing);
  return { session: id, scope, reason: justification, ticket, opened, expiresAt, closed, uses };
}

function useOf({ change, review }: Made): GlassUse {
  const { requestId, scope, commit, times } = change;
  const at = times.completed ?? times.published ?? times.asked ?? isoOf(0);
  const isReviewed = review !== null && !review.isOwn;
  const hours = !isReviewed ? null : (Date.parse(review.at) - Date.parse(at)) / 3_600_000;
  return { requestId, scope, commit, at, review, hoursToReview: hours && Math.round(hours * 100) / 100 };
}
