/** Which commits of a line belong to a period: those between two places of it, whatever single commits say of their time. */
import { BacktrailError } from '../../model/index.ts';
import { parseTime } from '../../history/revision-name.ts';
import { SKEW_MS } from '../../requests/ledger/times.ts';

/** Milliseconds since 1970: from the first one on, and before the second. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

const DAY = 86_400_000;

/** A day stands for all of it. @throws INVALID_REQUEST */
export function parsePeriod(from: string, to: string): Period {
  const start = Date.parse(timeOf(from));
  const last = Date.parse(timeOf(to));
  const end = last + (to.includes('T') ? 0 : DAY);
  if (start < end || start === last) return { from: start, until: end };
  throw new BacktrailError('INVALID_REQUEST', `The period begins after it ends: ${from} is after ${to}.`, {
    hint: 'Write the earlier one first: --from 2026-11-01 --to 2026-11-30.',
  });
}

function timeOf(text: string): string {
  const time = parseTime(text);
  if (time !== null) return time;
  throw new BacktrailError(
    'INVALID_REQUEST',
    `${JSON.stringify(text.slice(0, 60))} is neither a day nor a time.`,
    { hint: 'Write a day, 2026-11-20, or a time, 2026-11-20T10:00Z.' },
  );
}

/**
 * Places `first` to `end` (not in it) of a line of commits, oldest first. A commit is not taken for older than any before it: one that is dated
 * back is where it stands, so that periods side by side hold each commit once. A time that is still to come says nothing.
 *
 * `times`: milliseconds since 1970.
 */
export function placesWithin(
  times: readonly number[],
  { from, until }: Period,
  now: number,
): { readonly first: number; readonly end: number } {
  let latest = -Infinity;
  let [first, end] = [0, 0];
  for (const time of times) {
    if (time <= now + SKEW_MS) latest = Math.max(latest, time);
    if (latest < from) first += 1;
    if (latest < until) end += 1;
  }
  return { first, end: Math.max(first, end) };
}

/** ISO 8601, in whole seconds. */
export const isoOf = (milliseconds: number) =>
  new Date(Math.min(Math.floor(milliseconds / 1000) * 1000, 8.64e15)).toISOString().replace('.000Z', 'Z');
