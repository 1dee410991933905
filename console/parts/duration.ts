/** Spans of time as people say them. */
const UNITS = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** `6 days`, of milliseconds; below a minute in seconds. */
export function durationOf(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => Math.abs(ms) >= each) ?? UNITS[5];
  const count = Math.floor(Math.abs(ms) / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** `6 days ago`, `in 2 hours`, `now`. */
export function relativeTo(now: number, at: number): string {
  const ms = at - now;
  if (Math.abs(ms) < 45_000) return 'now';
  return ms < 0 ? `${durationOf(ms)} ago` : `in ${durationOf(ms)}`;
}

/** `2026-11-18 14:02:00 UTC`: the same for everybody who speaks of it. */
export const exactly = (iso: string): string =>
  iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC');
