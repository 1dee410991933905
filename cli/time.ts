/** Times and durations as people type them. */
import { BacktrailError, parseTime } from '../engine/index.ts';

const MINUTES = { m: 1, h: 60, d: 24 * 60 } as const;

/** Minutes of `30m`, `2h` or `7d`; null for anything else. */
function parseMinutes(text: string): number | null {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const each = Object.entries(MINUTES).find(([known]) => known === unit)?.[1];
  return each === undefined ? null : Number(number) * each;
}

/** Minutes, at least one. INVALID_REQUEST. */
export function requireMinutes(option: string, text: string): number {
  const minutes = parseMinutes(text);
  if (minutes !== null && minutes > 0) return minutes;
  throw new BacktrailError('INVALID_REQUEST', `${option} is not a valid duration: ${quoted(text)}.`, {
    hint: 'Write it as 30m or 2h.',
  });
}

/** ISO 8601 of a time, or of now minus a duration. @throws INVALID_REQUEST */
export function requireSince(text: string, now: number): string {
  const minutes = parseMinutes(text);
  const time = minutes === null ? parseTime(text) : new Date(now - minutes * 60_000).toISOString();
  if (time !== null) return time;
  throw new BacktrailError('INVALID_REQUEST', `--since is not a valid time: ${quoted(text)}.`, {
    hint: 'Write it as 2h, 7d, 2026-11-20 or 2026-11-20T10:00Z.',
  });
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 60));
