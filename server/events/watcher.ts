/**
 * One look at the ledger for all who listen: only while somebody does, at growing intervals, and at once after an act of this server. What came
 * lately is remembered, so that those who come back are told what they missed without a look for each.
 */
import {
  type Actor,
  type Engine,
  isFailure,
  type LedgerEvent,
  type LedgerEvents,
} from '../../engine/index.ts';
import type { Logger } from '../../workers/index.ts';
import { createWakeableTimer } from '../../workers/wakeable-timer.ts';

export type MayRead = (reader: Actor, scope: string) => boolean;

export interface LedgerListener {
  /** `position`: of the newest event. */
  news(events: readonly LedgerEvent[], at: { readonly position: string; readonly mayRead: MayRead }): void;
  /** Nothing is known of what came since the last event: what is followed has to be read anew. */
  reset(position: string): void;
  /** The ledger cannot be looked at now; told once, until it can be. */
  problem(failure: unknown): void;
}

interface Joined {
  /** What came since, oldest first; null: that is not known, or too much. */
  readonly missed: readonly LedgerEvent[] | null;
  readonly position: string;
  readonly mayRead: MayRead;
}

export interface Watcher {
  /**
   * Listens from now on. `after`: the last event that is known; null: none.
   *
   * @throws INVALID_REQUEST for a text that is no position, and what a look at the ledger fails with
   */
  join(listener: LedgerListener, after: string | null): Promise<Joined>;
  leave(listener: LedgerListener): void;
  /** Something may have been written. */
  look(): void;
  close(): void;
}

/** Milliseconds between two looks. */
const SHORTEST_MS = 1000;
const LONGEST_MS = 15_000;
const GROWTH = 1.5;
/** Events of one page of a look. */
const PAGE = 500;
/** Events that are replayed at most, and remembered. */
const MOST = 2000;

interface Seen {
  /** Before the first of the events. */
  readonly start: string;
  readonly position: string;
  readonly events: readonly LedgerEvent[];
  readonly mayRead: MayRead;
}

export function createWatcher({
  engine,
  logger,
}: {
  readonly engine: Pick<Engine, 'requests'>;
  readonly logger: Logger;
}): Watcher {
  const listeners = new Set<LedgerListener>();
  const timer = createWakeableTimer();
  let seen: Seen | null = null;
  let lane: Promise<unknown> = Promise.resolve();
  let isRunning = false;
  let isClosed = false;
  let reported: string | null = null;
  let quiet = 0;

  /** One after the other: each goes on from where the last one ended. */
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const turn = lane.then(work);
    lane = turn.catch(() => undefined);
    return turn;
  };
  const tell = (events: readonly LedgerEvent[], at: Seen) => {
    if (events.length > 0) for (const listener of listeners) listener.news(events, at);
  };
  const begin = async (): Promise<Seen> => {
    const { position, mayRead } = await engine.requests.events({ limit: 1 });
    return { start: position, position, events: [], mayRead };
  };
  /** Tells the listeners what came; whether anything did. */
  const advance = async (from: Seen): Promise<Seen> => {
    const found = await readAfter(engine, from.position);
    if (found === null) {
      const now = await begin();
      for (const listener of listeners) listener.reset(now.position);
      return now;
    }
    const now = { ...trimmed(from.start, [...from.events, ...found.events]), ...found.at };
    tell(found.events, now);
    return now;
  };
  const lookOnce = () =>
    inTurn(async () => {
      const before = seen?.position;
      seen = seen === null ? await begin() : await advance(seen);
      return seen.position !== before;
    });
  const isListened = () => listeners.size > 0 && !isClosed;
  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    for (quiet = 0; isListened(); ) {
      await timer.wait(Math.min(SHORTEST_MS * GROWTH ** quiet, LONGEST_MS));
      if (!isListened()) break;
      try {
        quiet = (await lookOnce()) ? 0 : quiet + 1;
        reported = null;
      } catch (error) {
        quiet += 1;
        const code = isFailure(error) ? error.code : 'INTERNAL';
        if (code !== reported) {
          logger.warn({ err: error }, 'the ledger cannot be followed');
          for (const listener of listeners) listener.problem(error);
        }
        reported = code;
      }
    }
    isRunning = false;
  };
  /** From the newest on, as far as it is remembered. */
  const missedIn = ({ start, events, position }: Seen, after: string): readonly LedgerEvent[] | null => {
    if (after === position) return [];
    if (after === start) return events;
    const at = events.findLastIndex((event) => event.position === after);
    return at === -1 ? null : events.slice(at + 1);
  };
  const joinAfter = async (after: string, isFresh: boolean): Promise<readonly LedgerEvent[] | null> => {
    let at = requireSeen(seen);
    const remembered = missedIn(at, after);
    if (remembered !== null) return remembered;
    // Whoever named it may know of more than was seen here last.
    if (!isFresh) at = seen = await advance(at);
    const missed = missedIn(at, after);
    if (missed !== null) return missed;
    const found = await readAfter(engine, after);
    if (found === null) return null;
    at = seen = await advance(at);
    // What came in between was told to the others; it is given in one piece here.
    const all = [...found.events, ...(missedIn(at, found.at.position) ?? [])];
    seen = { ...at, ...trimmed(after, all) };
    return all;
  };
  return {
    join: (listener, after) =>
      inTurn(async () => {
        const isFresh = listeners.size === 0 || seen === null;
        if (seen === null) seen = await begin();
        else if (isFresh) seen = await advance(seen);
        const missed = after === null ? [] : await joinAfter(after, isFresh);
        listeners.add(listener);
        void run();
        const { position, mayRead } = requireSeen(seen);
        return { missed, position, mayRead };
      }),
    leave: (listener) => {
      listeners.delete(listener);
      if (listeners.size === 0) timer.wake();
    },
    look: () => {
      quiet = 0;
      if (listeners.size > 0) timer.wake();
    },
    close: () => {
      isClosed = true;
      timer.wake();
    },
  };
}

function requireSeen(seen: Seen | null): Seen {
  if (seen === null) throw new Error('It was looked at.');
  return seen;
}

/** Everything after a position, and how the ledger is at its end; null where it does not hold that, or there is too much. */
async function readAfter(
  engine: Pick<Engine, 'requests'>,
  after: string,
): Promise<{
  readonly events: readonly LedgerEvent[];
  readonly at: { readonly position: string; readonly mayRead: MayRead };
} | null> {
  const events: LedgerEvent[] = [];
  for (let from = after; ; ) {
    let page: LedgerEvents;
    try {
      page = await engine.requests.events({ after: from, limit: PAGE });
    } catch (error) {
      if (isFailure(error) && error.code === 'EVENT_UNKNOWN') return null;
      throw error;
    }
    events.push(...page.events);
    const { position, mayRead } = page;
    if (!page.hasMore) return { events, at: { position, mayRead } };
    if (events.length >= MOST) return null;
    from = position;
  }
}

/** The newest, and the position before them. */
function trimmed(start: string, events: readonly LedgerEvent[]): Pick<Seen, 'start' | 'events'> {
  const over = events.length - MOST;
  if (over <= 0) return { start, events };
  return { start: events[over - 1]?.position ?? start, events: events.slice(over) };
}
