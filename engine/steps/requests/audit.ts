/** The ledger's events, newest first, from their commits alone: what `git log` of it says. */
import { BacktrailError, type EnvironmentName } from '../../model/index.ts';
import { unquoteName } from '../../record/text.ts';
import { may, samePerson } from '../../request/policy.ts';
import type { AuditEntry, Requests } from './api.ts';
import { openBook, type LedgerCommit } from './book.ts';
import { look, type Place } from './place.ts';
import { identitiesOf } from './proof.ts';

export async function audit(
  place: Place,
  { scope, since, actor, limit, reader }: Parameters<Requests['audit']>[0],
): Promise<AuditEntry[]> {
  const from = since === undefined ? -Infinity : Date.parse(since);
  if (Number.isNaN(from)) throw new BacktrailError('INVALID_REQUEST', `${JSON.stringify(since)} is no time.`);
  const { policy, ref, snapshot } = await look(place);
  const tenanted = snapshot?.layout.hasTenant ?? false;
  const book = await openBook(place.git, ref, place.cache);
  const chosen: { commit: LedgerCommit; entry: Omit<AuditEntry, 'identity'> }[] = [];
  for (const commit of (await book.commits()).toReversed()) {
    const entry = entryOf(commit);
    if (entry === null || Date.parse(entry.at) < from) continue;
    if (scope !== undefined && !concerns(entry.scope, scope)) continue;
    if (actor !== undefined && !samePerson(entry.actor.email, actor)) continue;
    if (!may(policy, reader, 'read', environmentOf(entry.scope, tenanted))) continue;
    chosen.push({ commit, entry });
    if (chosen.length === limit) break;
  }
  const verified = await identitiesOf(
    place,
    chosen.map(({ commit }) => commit),
  );
  return chosen.map(({ commit, entry }) => ({
    ...entry,
    identity: verified.has(commit.id) ? 'verified' : 'unverified',
  }));
}

function entryOf({ id, author, subject, record }: LedgerCommit): Omit<AuditEntry, 'identity'> | null {
  if (record === null) return null;
  const { event, at, request, session, status, comment } = record;
  return {
    commit: id,
    eventId: record.id,
    event,
    at,
    // Who wrote the commit: a signature vouches for that.
    actor: author,
    requestId: request,
    sessionId: session,
    scope: unquoteName(record.scope) ?? record.scope,
    status,
    subject,
    comment,
  };
}

/** An event of the environment concerns its services, and one of a service concerns its environment. */
function concerns(of: string, scope: string): boolean {
  return of === scope || of.startsWith(`${scope}/`) || scope.startsWith(`${of}/`);
}

function environmentOf(scope: string, tenanted: boolean): EnvironmentName {
  const [first = '', second = ''] = scope.split('/');
  return tenanted ? { tenant: first, environment: second } : { environment: first };
}
