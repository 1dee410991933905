/** The ways in which a host and the way to it go wrong, each in the host's own words. */
import type { HostKind } from '../../../../engine/model/index.ts';
import type { Answer, Call, createFaults, FaultScope, Match } from './faults.ts';

export function createTroubles(options: {
  kind: HostKind;
  faults: ReturnType<typeof createFaults>;
  token: string;
  account: string;
}) {
  const { kind, faults, token, account } = options;
  return {
    fail: ({ match, times, ...answer }: Answer & FaultScope) =>
      faults.add({ kind: 'answer', answer }, { match, times }),
    slow: (milliseconds: number, match?: Match, times?: number) =>
      faults.add(
        { kind: 'wait', until: () => new Promise((resolve) => setTimeout(resolve, milliseconds)) },
        { match, times },
      ),
    hold(match?: Match) {
      let reach: (call: Call) => void = () => undefined;
      let release: () => void = () => undefined;
      const reached = new Promise<Call>((resolve) => (reach = resolve));
      const released = new Promise<void>((resolve) => (release = resolve));
      const hold = (call: Call) => {
        reach(call);
        return released;
      };
      faults.add({ kind: 'wait', until: hold }, { match });
      return { reached, release: () => release() };
    },
    cut: (match?: Match, times?: number) => faults.add({ kind: 'cut' }, { match, times }),
    loseAnswer: (match?: Match, times?: number) => faults.add({ kind: 'lose' }, { match, times }),
    drop: (match?: Match, times?: number) => faults.add({ kind: 'drop' }, { match, times }),
    rateLimit: ({ match, times, ...limit }: FaultScope & Limit) =>
      faults.add({ kind: 'answer', answer: limited(kind, limit, account) }, { match, times }),
    redirectTo: (url: string, match?: Match, status: 301 | 302 | 307 | 308 = 307, times?: number) =>
      faults.add({ kind: 'answer', answer: { status, headers: { location: url } } }, { match, times }),
    echoToken: (match?: Match, status = 422) =>
      faults.add(
        { kind: 'answer', answer: { status, body: { message: `The token ${token} may not do this.` } } },
        { match },
      ),
    clearFaults: () => faults.clear(),
  };
}

interface Limit {
  readonly retryAfter?: number;
  readonly resetAt?: number;
  readonly secondary?: boolean;
  readonly status?: 403 | 429;
}

function limited(kind: HostKind, limit: Limit, account: string): Answer {
  const { retryAfter, resetAt, secondary = false } = limit;
  const wait: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  if (kind !== 'github') {
    const reset: Record<string, string> = resetAt === undefined ? {} : { 'ratelimit-reset': String(resetAt) };
    const headers = { ...wait, ...reset, 'ratelimit-remaining': '0' };
    return { status: limit.status ?? 429, headers, body: 'Retry later\n' };
  }
  const message = secondary
    ? 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
    : `API rate limit exceeded for ${account}.`;
  const primary = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetAt ?? 4102444800) };
  return {
    status: limit.status ?? 403,
    headers: { ...wait, ...(!secondary && primary) },
    body: { message, documentation_url: 'https://docs.github.com/rest', status: String(limit.status ?? 403) },
  };
}
