/** Scopes that go back to the same revision again and again. */
import type { Mode, ObjectId } from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { log, type LogEntry, type RecordsAsk } from './queries.ts';

export interface Recurring {
  readonly scope: string;
  readonly mode: Mode;
  /** Of mode `field`, as recorded. */
  readonly fields: readonly string[];
  readonly target: ObjectId;
  /** Newest first. */
  readonly rollbacks: readonly Pick<LogEntry, 'requestId' | 'commit' | 'time' | 'author' | 'reason'>[];
}

const DAY_MS = 86_400_000;

/** Those that were rolled back to one revision at least as often as `checks.recurring` says; the most frequent first. Claims that are misplaced do not count. */
export async function recurring(snapshot: Snapshot, ask: RecordsAsk, now: number): Promise<Recurring[]> {
  const { times, days } = snapshot.layout.config.checks.recurring;
  const { limit, ...within } = ask;
  const entries = await log(snapshot, { ...within, limit: Number.MAX_SAFE_INTEGER });
  const since = now - days * DAY_MS;
  const groups = new Map<
    string,
    { scope: string; mode: Mode; fields: readonly string[]; target: ObjectId; rollbacks: LogEntry[] }
  >();
  for (const entry of entries) {
    const { scope, mode, record, problems, time } = entry;
    if (problems.length > 0 || Date.parse(time) < since) continue;
    const { fields, target } = record;
    const key = JSON.stringify([scope, mode, fields, target]);
    const group = groups.get(key) ?? { scope, mode, fields, target, rollbacks: [] };
    group.rollbacks.push(entry);
    groups.set(key, group);
  }
  return [...groups.values()]
    .filter(({ rollbacks }) => rollbacks.length >= times)
    .toSorted((one, other) => other.rollbacks.length - one.rollbacks.length)
    .slice(0, limit)
    .map(({ rollbacks, ...group }) => ({
      ...group,
      rollbacks: rollbacks.map(({ requestId, commit, time, author, reason }) => ({
        requestId,
        commit,
        time,
        author,
        reason,
      })),
    }));
}
