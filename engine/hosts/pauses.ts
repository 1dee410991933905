/** How long a host asks to wait. Sources: docs.github.com "Rate limits for the REST API"; docs.gitlab.com "Rate limits"; RFC 9110, section 10.2.3. */
import type { Clock } from '../model/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** GitHub: "wait for at least one minute before retrying" where a secondary limit says nothing. */
const UNSAID_MS = 60_000;
/** Also for a host that refuses and says `retry-after: 0`. */
const SHORTEST_MS = 1000;
/** A host that asks for more is asked again after it. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

/** Whether the call was not done because of too many, or because the host rests. */
export function isLimited({ status, headers, text }: Answer): boolean {
  if (status === 429) return true;
  if (status === 503) return headers.has('retry-after');
  return (
    status === 403 &&
    (headers.has('retry-after') || remaining(headers) === 0 || /\brate limit\b/i.test(text.slice(0, 2000)))
  );
}

/** Milliseconds from now in which nothing may be asked; 0 where there is no need to wait. */
export function pauseAsked(answer: Answer, now: number): number {
  const { headers } = answer;
  const limited = isLimited(answer);
  const after = limited ? retryAfter(headers, now) : null;
  const asked = after ?? (remaining(headers) === 0 ? untilReset(headers, now) : null);
  return Math.min(Math.max(asked ?? (limited ? UNSAID_MS : 0), limited ? SHORTEST_MS : 0), LONGEST_MS);
}

const one = (headers: Headers, ...names: readonly string[]) =>
  names.map((name) => headers.get(name)?.trim()).find((value) => value !== undefined && value !== '') ?? null;

function remaining(headers: Headers): number | null {
  const value = one(headers, 'x-ratelimit-remaining', 'ratelimit-remaining');
  return value !== null && /^[0-9]{1,12}$/.test(value) ? Number(value) : null;
}

/** By the host's own clock, where it says what that is: another machine's may be minutes away. */
function untilReset(headers: Headers, now: number): number | null {
  const value = one(headers, 'x-ratelimit-reset', 'ratelimit-reset');
  if (value === null || !/^[0-9]{1,12}$/.test(value)) return null;
  const seconds = Number(value);
  return seconds < 1e9 ? seconds * 1000 : seconds * 1000 - hostNow(headers, now);
}

function retryAfter(headers: Headers, now: number): number | null {
  const value = one(headers, 'retry-after');
  if (value === null) return null;
  if (/^[0-9]{1,12}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : at - hostNow(headers, now);
}

function hostNow(headers: Headers, now: number): number {
  const at = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(at) ? now : at;
}

/**
 * Until when each host (by the address of its interface) wants no calls. All that ask it in this process keep to it, so it goes by
 * the clock that they share.
 */
const untils = new WeakMap<Pick<Clock, 'now'>, Map<string, number>>();

export function pauses(clock: Pick<Clock, 'now'>, api: string) {
  const known = untils.get(clock) ?? new Map<string, number>();
  untils.set(clock, known);
  return {
    left: () => Math.max((known.get(api) ?? 0) - clock.now(), 0),
    note(milliseconds: number) {
      if (milliseconds > 0) known.set(api, Math.max(known.get(api) ?? 0, clock.now() + milliseconds));
    },
  };
}
