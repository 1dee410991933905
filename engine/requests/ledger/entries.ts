/** Entries that are to become events: who says them together, and when. */
import type { ObjectId, Person, RequestEvent, SessionEvent } from '../../model/index.ts';
import type { LedgerSnapshot } from './snapshot.ts';
import { type RequestContext, timeOf } from '../context.ts';
import { isFuture } from './times.ts';

export type Entry =
  | { readonly kind: 'request'; readonly id: string; readonly event: RequestEvent }
  | { readonly kind: 'session'; readonly id: string; readonly event: SessionEvent };

export const onRequest = (id: string, event: RequestEvent): Entry => ({ kind: 'request', id, event });

export const onSession = (id: string, event: SessionEvent): Entry => ({ kind: 'session', id, event });

export type Groups = readonly (readonly Entry[])[];

/** Events of one commit: what people read of it should still be a page. */
const TOGETHER = 1000;

/**
 * The entries that go into one commit each: those of one actor that follow each other, each about something else. An ordinary request, and what
 * it supersedes, stays an event a commit: older versions of this program read those.
 */
export function grouped(entries: readonly Entry[]): Groups {
  const asked = entries.filter(({ event }) => event.type !== 'superseded');
  if (asked.length === 1 && asked[0]?.event.type === 'opened') return entries.map((entry) => [entry]);
  const groups: Entry[][] = [];
  for (const entry of entries) {
    const group = groups.at(-1);
    const { actor } = entry.event;
    const joins =
      group !== undefined &&
      group.length < TOGETHER &&
      group.every(({ id, event }) => id !== entry.id && sameActor(event.actor, actor));
    if (joins) group.push(entry);
    else groups.push([entry]);
  }
  return groups.map(atOneTime);
}

const sameActor = (one: Person, other: Person) => one.name === other.name && one.email === other.email;

/** A commit has one time: the latest of its events. */
function atOneTime(group: readonly Entry[]): readonly Entry[] {
  const [latest] = group
    .map(({ event }) => event.at)
    .toSorted((one, other) => Date.parse(other) - Date.parse(one));
  return group.map((entry) => dated(entry, latest ?? entry.event.at));
}

/** A request begins when the event that opens it does, and expires so long after it. */
function dated(entry: Entry, at: string): Entry {
  if (entry.kind === 'session') return { ...entry, event: { ...entry.event, at } };
  const { event } = entry;
  if (event.type !== 'opened') return { ...entry, event: { ...event, at } };
  const { createdAt, expiresAt } = event.proposal;
  const later = Date.parse(at) - Date.parse(createdAt);
  const ends = expiresAt === null ? null : timeOf(Date.parse(expiresAt) + later);
  const proposal = { ...event.proposal, createdAt: at, expiresAt: ends };
  return { ...entry, event: { ...event, at, proposal } };
}

/** No event is dated before the one that it follows, however slow this clock is, so that times in the ledger only grow. */
export async function notBeforeTip(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  if (entries.length === 0) return entries;
  const tip = ledgerSnapshot.tip === null ? 0 : await timeOfTip(context, ledgerSnapshot.tip);
  if (isFuture(context, tip)) return entries;
  const later = (at: string) => (Date.parse(at) < tip ? timeOf(tip) : at);
  return entries.map((entry) => dated(entry, later(entry.event.at)));
}

/** Milliseconds since 1970. */
async function timeOfTip({ git, cache }: RequestContext, tip: ObjectId): Promise<number> {
  if (cache.newest?.tip === tip) return cache.newest.time;
  const log = cache.log?.tip === tip ? await cache.log.reading.catch(() => null) : null;
  const known = log?.commits.at(-1)?.time;
  const [newest] = known === undefined ? await git.inspect([tip]) : [];
  const time = known ?? (newest === undefined ? 0 : Date.parse(newest.time));
  cache.newest = { tip, time };
  return time;
}
