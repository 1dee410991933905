/** Where messages come from: the ledger, and, for rollbacks that it has no request for, the branch. Nothing is kept here that Git does not have. */
import { type Engine, isFailure, type LogEntry } from '../../engine/index.ts';
import { type Happening, ofBranch, ofLedger, ofRecords } from './happening.ts';

/** Where it can be read again. */
export type Place =
  | { readonly after: string }
  | { readonly commit: string; readonly requestId: string }
  | { readonly records: string; readonly id: string };

export interface Found {
  readonly place: Place;
  readonly happening: Happening;
}

/** The newest rollback of the branch that was looked at; commit null: there was none. */
interface BranchCursor {
  readonly commit: string | null;
  /** Milliseconds since 1970: where the commit is not on the branch, what is not older than this comes after it. */
  readonly time: number;
}

interface Page<Cursor> {
  /** Oldest first. */
  readonly found: readonly Found[];
  readonly cursor: Cursor;
}

interface LedgerPage extends Page<string> {
  readonly hasMore: boolean;
}

/** Each fails with what a look at the repository fails with. */
export interface Source {
  /** The position before what came since; null: where the ledger is now. */
  begin(since: number | null): Promise<string>;
  /** Null: the ledger does not hold the position, and is another one. */
  ledger(after: string, limit: number): Promise<LedgerPage | null>;
  branch(after: BranchCursor): Promise<Page<BranchCursor>>;
  /** What observers said in the records of deployments; `after` absent, or not theirs any more: only where they are now. */
  records(after: string | undefined): Promise<Page<string>>;
  /** Where the branch is now. */
  newest(): Promise<BranchCursor>;
  /** Null: it is gone. */
  read(place: Place): Promise<Happening | null>;
}

/** Rollbacks of the branch that are looked at: first so many, then more. */
const FIRST = 100;
const MOST = 10_000;

export function createSource(engine: Pick<Engine, 'deployments' | 'log' | 'requests'>): Source {
  const shared = sharing();
  const events = (after: string, limit: number) =>
    shared(`${after} ${limit}`, () => engine.requests.events({ after, limit, states: true }));
  const log = (limit: number) => shared(`log ${limit}`, () => engine.log({ limit }));
  const page = async (after: string, limit: number): Promise<LedgerPage | null> => {
    let read: Awaited<ReturnType<typeof events>>;
    try {
      read = await events(after, limit);
    } catch (error) {
      if (isFailure(error) && error.code === 'EVENT_UNKNOWN') return null;
      throw error;
    }
    const found: Found[] = [];
    let before = after;
    for (const event of read.events) {
      const happening = ofLedger(event, read.environmentOf);
      if (happening !== null) found.push({ place: { after: before }, happening });
      before = event.position;
    }
    return { found, cursor: read.position, hasMore: read.hasMore };
  };
  const observed = (after: string | undefined) =>
    shared(`records ${after}`, () => engine.deployments.events({ after }));
  const records = async (after: string | undefined): Promise<Page<string>> => {
    try {
      const { events, position } = await observed(after);
      const found = events.flatMap((event) =>
        ofRecords(event).map((happening) => ({
          place: { records: after ?? position, id: happening.id },
          happening,
        })),
      );
      return { found, cursor: position };
    } catch (error) {
      if (!isFailure(error) || error.code !== 'EVENT_UNKNOWN') throw error;
      return { found: [], cursor: (await observed(undefined)).position };
    }
  };
  return {
    begin: async (since) =>
      (await engine.requests.events({ limit: 1, ...(since !== null && { since }) })).position,
    ledger: page,
    branch: async (after) => {
      for (let limit = FIRST; ; limit *= 10) {
        const entries = await log(limit);
        const at = entries.findIndex(({ commit }) => commit === after.commit);
        if (at < 0 && entries.length === limit && limit < MOST && !isBehind(entries, after)) continue;
        const fresh =
          at < 0 ? entries.filter(({ time }) => Date.parse(time) >= after.time) : entries.slice(0, at);
        const [newest] = entries;
        const found = fresh
          .filter(({ record }) => record.ledger === undefined)
          .map((entry) => ({ place: placeOf(entry), happening: ofBranch(entry) }));
        return {
          found: found.toReversed(),
          cursor:
            newest === undefined
              ? after
              : { commit: newest.commit, time: Math.max(after.time, Date.parse(newest.time)) },
        };
      }
    },
    records,
    newest: async () => {
      const [newest] = await log(1);
      return newest === undefined
        ? { commit: null, time: 0 }
        : { commit: newest.commit, time: Date.parse(newest.time) };
    },
    read: async (place) => {
      if ('after' in place) return (await page(place.after, 1))?.found[0]?.happening ?? null;
      if ('records' in place) {
        const { found } = await records(place.records);
        return found.find(({ happening }) => happening.id === place.id)?.happening ?? null;
      }
      const entries = await log(MOST);
      const entry = entries.find(
        (each) => each.commit === place.commit && each.requestId === place.requestId,
      );
      return entry === undefined ? null : ofBranch(entry);
    },
  };
}

/** Whether they reach further back than the cursor does. */
const isBehind = (entries: readonly LogEntry[], { time }: BranchCursor) =>
  entries.some((entry) => Date.parse(entry.time) < time);

const placeOf = ({ commit, requestId }: LogEntry) => ({ commit, requestId });

/** One look for all who ask for the same at once. */
function sharing() {
  const running = new Map<string, Promise<unknown>>();
  return <Value>(key: string, look: () => Promise<Value>): Promise<Value> => {
    const known = running.get(key);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key says what was asked
    if (known !== undefined) return known as Promise<Value>;
    const begun = look().finally(() => running.delete(key));
    running.set(key, begun);
    return begun;
  };
}
