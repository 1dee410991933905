import { describe, expect, it } from 'vitest';
import { isLimited, pauseAsked, pauses } from '../../../engine/hosts/pauses.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const SECONDS = NOW / 1000;
const answer = (status: number, headers: Record<string, string> = {}, text = '') => ({
  status,
  headers: new Headers(headers),
  text,
});

describe('how long a host asks to wait', () => {
  it.each([
    ['nothing', answer(200), 0],
    [
      'nothing of a refusal for another reason',
      answer(403, { 'x-ratelimit-remaining': '12' }, 'Forbidden'),
      0,
    ],
    ['seconds', answer(429, { 'retry-after': '7' }), 7000],
    ['seconds, of a secondary limit', answer(403, { 'retry-after': '7' }), 7000],
    ['a date', answer(429, { 'retry-after': 'Sat, 28 Nov 2026 12:00:09 GMT' }), 9000],
    [
      "a date by the host's own clock",
      answer(429, { 'retry-after': 'Sat, 28 Nov 2026 13:00:09 GMT', date: 'Sat, 28 Nov 2026 13:00:00 GMT' }),
      9000,
    ],
    [
      'until a limit is reset',
      answer(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(SECONDS + 30) }),
      30_000,
    ],
    [
      'until a limit of GitLab is reset',
      answer(429, { 'ratelimit-remaining': '0', 'ratelimit-reset': String(SECONDS + 5) }),
      5000,
    ],
    [
      'so many seconds until it is reset',
      answer(429, { 'ratelimit-remaining': '0', 'ratelimit-reset': '5' }),
      5000,
    ],
    [
      'before the next call',
      answer(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(SECONDS + 30) }),
      30_000,
    ],
    ['a minute where it does not say how long', answer(429), 60_000],
    [
      'a minute of a secondary limit that says nothing',
      answer(403, {}, '{"message":"You have exceeded a secondary rate limit."}'),
      60_000,
    ],
    ['a rest', answer(503, { 'retry-after': '20' }), 20_000],
    ['a second where it says none', answer(429, { 'retry-after': '0' }), 1000],
    [
      'a second where it is over already',
      answer(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1000000001' }),
      1000,
    ],
    ['no more than a day', answer(429, { 'retry-after': '999999999999' }), 86_400_000],
    ['a minute where it says what nobody understands', answer(429, { 'retry-after': 'later' }), 60_000],
  ])('%s', (_, given, pause) => {
    expect(pauseAsked(given, NOW)).toBe(pause);
  });

  it('tells a call that was not done from one that was', () => {
    expect(isLimited(answer(200, { 'x-ratelimit-remaining': '0' }))).toBe(false);
    expect(isLimited(answer(503))).toBe(false);
    expect(isLimited(answer(403, {}, 'no'))).toBe(false);
    expect(isLimited(answer(429))).toBe(true);
  });

  it('is kept by host, for all that share a clock', () => {
    const clock = { now: () => NOW };
    pauses(clock, 'https://a.example').note(5000);
    pauses(clock, 'https://a.example').note(3000);
    expect(pauses(clock, 'https://a.example').left()).toBe(5000);
    expect(pauses(clock, 'https://b.example').left()).toBe(0);
    expect(pauses({ now: () => NOW }, 'https://a.example').left()).toBe(0);
  });
});
