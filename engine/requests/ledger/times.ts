/** When an event happened, as far as its writer's word for it can be held against the ledger. */
import type { ObjectId } from '../../model/index.ts';
import type { LedgerCommit } from './commits.ts';
import type { LedgerSnapshot } from './snapshot.ts';
import type { RequestContext } from '../context.ts';
import { signedByAuthor } from './signed.ts';

/** Milliseconds that the clocks of two hosts may be apart: times that differ by less count as equal. */
export const SKEW_MS = 120_000;

/** Milliseconds. What is dated later than that by a clock was never written by one that is merely fast. */
export const FAST_MS = 600_000;

/** A commit of the ledger, and the time that its event claims. Milliseconds since 1970. */
export interface Dated {
  readonly commit: LedgerCommit;
  readonly at: number;
}

/** Is it later than the reader's own clock? Such an event does not count, and bounds nothing. */
export const isFuture = ({ clock }: Pick<RequestContext, 'clock'>, time: number) =>
  time > clock.now() + SKEW_MS;

/**
 * The times of the events of one request or session, oldest first: each its own, but at least that of the opening, and that of the newest
 * event before it in the ledger that a trusted key signed. An expired key cannot go back to when it was valid, nor a vote to before the end.
 */
export async function eventTimes(
  context: RequestContext,
  ledgerSnapshot: Line,
  events: readonly Dated[],
): Promise<ReadonlyMap<ObjectId, number>> {
  const times = new Map<ObjectId, number>();
  const [opening] = events;
  for (const { commit, at } of events) {
    const own = Math.max(at, commit.time);
    const since = opening === undefined ? own : Math.max(opening.at, opening.commit.time);
    // An honest ledger has none that is later: then not all of it has to be read.
    const isInOrder = commit.before <= own + SKEW_MS;
    const before = isInOrder
      ? own
      : await (await ledgerTimes(context, ledgerSnapshot)).trustedBefore(commit, own);
    const bounds = [isFuture(context, since) ? own : since, before];
    const latest = Math.max(...bounds);
    times.set(commit.id, latest > own + SKEW_MS ? latest : own);
  }
  return times;
}

interface LedgerTimes {
  /** The latest time of an event before this one that a trusted key signed; `own` where none is later by more than the skew. */
  trustedBefore(commit: LedgerCommit, own: number): Promise<number>;
}

/** The commits that times are held against. */
type Line = Pick<LedgerSnapshot, 'commits'>;

const known = new WeakMap<Line, Promise<LedgerTimes>>();

function ledgerTimes(context: RequestContext, ledgerSnapshot: Line): Promise<LedgerTimes> {
  const found = known.get(ledgerSnapshot) ?? readTimes(context, ledgerSnapshot);
  known.set(ledgerSnapshot, found);
  return found;
}

/** Signatures are looked at only where an event claims a time before one of those that came earlier: an honest ledger has none. */
async function readTimes(context: RequestContext, ledgerSnapshot: Line): Promise<LedgerTimes> {
  const commits = await ledgerSnapshot.commits();
  const places = new Map(commits.map(({ id }, index) => [id, index]));
  const latest: number[] = [];
  for (const { time } of commits)
    latest.push(Math.max(latest.at(-1) ?? -Infinity, isFuture(context, time) ? -Infinity : time));
  return {
    async trustedBefore({ id }, own) {
      const index = places.get(id) ?? 0;
      if ((latest[index - 1] ?? -Infinity) <= own + SKEW_MS) return own;
      const later = commits
        .slice(0, index)
        .filter(({ time }) => time > own + SKEW_MS && !isFuture(context, time))
        .sort((a, b) => b.time - a.time);
      for (let at = 0; at < later.length; at += BATCH) {
        const some = later.slice(at, at + BATCH);
        const signed = await signedByAuthor(context, some, new Map());
        const trusted = some.find((commit) => signed.has(commit.id));
        if (trusted !== undefined) return trusted.time;
      }
      return own;
    },
  };
}

/** Commits whose signatures are looked at together. */
const BATCH = 100;
