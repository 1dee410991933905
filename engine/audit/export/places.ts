/** Places of the line that belong to a period: 0 is the tip. */
import type { ObjectId } from '../../model/index.ts';
import type { AuditLine } from '../line/line.ts';
import type { Range } from '../range.ts';
import { type Period, placesWithin } from './period.ts';

export interface Places {
  /** The newest one. */
  readonly start: number;
  /** The one before the oldest; not in it. As many as the line has where there is none. */
  readonly end: number;
  /** null: there is no commit in it. */
  readonly range: Range | null;
  readonly before: ObjectId | null;
  /** Commits whose own date is not of the period. */
  readonly misdated: number;
}

export function placesOf({ ids, times }: AuditLine, period: Period, now: number): Places {
  const milliseconds = times.map((seconds) => (seconds < 0 ? -Infinity : seconds * 1000));
  const oldestFirst = milliseconds.toReversed();
  const { first, end: last } = placesWithin(oldestFirst, period, now);
  const [start, end] = [ids.length - last, ids.length - first];
  const before = ids[end] ?? null;
  const to = ids[start];
  const range = start < end && to !== undefined ? { from: before, to } : null;
  const isOther = (time: number) => time < period.from || time >= period.until;
  return { start, end, range, before, misdated: milliseconds.slice(start, end).filter(isOther).length };
}
