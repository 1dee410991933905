/** How long to wait before another attempt. */

const FIRST_MS = 2000;
const LONGEST_MS = 15 * 60_000;
/** What a receiver may ask for. */
const LONGEST_ASKED_MS = 3_600_000;

/** Milliseconds after so many failures in a row, at least 1: twice as long each time, and up to a half less, so that many do not come at once. */
export const backOff = (failures: number, random: () => number): number =>
  Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS) * (1 - random() / 2);

/** Milliseconds that `Retry-After` asks for, at most an hour; null where it says nothing. */
export function retryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? '';
  const asked = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return asked > 0 ? Math.min(asked, LONGEST_ASKED_MS) : null;
}
