import { describe, expect, it } from 'vitest';
import { followLive } from '../../../cli/commands/live/follow.ts';
import { BacktrailError } from '../../../engine/model/failure.ts';
import type { LiveState, LiveStatus } from '../../../engine/model/index.ts';

const MINUTE = 60_000;

const statusOf = (state: LiveState): LiveStatus => ({
  scope: 'prod/api',
  desired: { commit: 'a'.repeat(40), version: 2 },
  state,
  live: [],
});

/** What the looks see, the last one again and again, on a clock that runs as far as it is slept. */
async function follow(
  looks: readonly (LiveState | BacktrailError)[],
  waitMs = 10 * MINUTE,
  stopAfter = Infinity,
) {
  let now = 0;
  const at: number[] = [];
  const stop = new AbortController();
  const ended = await followLive({
    look: async () => {
      const seen = looks[Math.min(at.length, looks.length - 1)] ?? 'live';
      at.push(now);
      if (at.length >= stopAfter) stop.abort();
      if (typeof seen !== 'string') throw seen;
      return statusOf(seen);
    },
    waitMs,
    clock: {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    },
    onLook: () => undefined,
    signal: stop.signal,
  });
  return { state: ended.state, at };
}

describe('following', () => {
  it.each(['live', 'overtaken'] as const)('ends at once where it is %s', async (state) => {
    expect(await follow([state])).toEqual({ state, at: [0] });
  });

  it('looks again at growing intervals, up to a quarter of a minute', async () => {
    const { at } = await follow([...Array<LiveState>(12).fill('progressing'), 'live']);
    const intervals = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(intervals.slice(0, 3)).toEqual([1000, 1500, 2250]);
    expect(intervals.at(-1)).toBe(15_000);
  });

  it('takes `degraded` for final when two looks see it', async () => {
    expect(await follow(['progressing', 'degraded', 'progressing', 'live'])).toMatchObject({ state: 'live' });
    const { state, at } = await follow(['progressing', 'degraded', 'degraded', 'live']);
    expect([state, at.length]).toEqual(['degraded', 3]);
  });

  it('goes on while nothing is known, and ends with that when the time is over', async () => {
    expect(await follow(['unconfirmed', 'live'])).toMatchObject({ state: 'live' });
    const { state, at } = await follow(['unconfirmed'], MINUTE);
    expect([state, at.at(-1)]).toEqual(['unconfirmed', MINUTE]);
  });

  it('outlives a remote that is away for a moment, but not at the first look', async () => {
    const away = new BacktrailError('REMOTE_UNAVAILABLE', 'It is away.');
    expect(await follow(['pending', away, 'live'])).toMatchObject({ state: 'live' });
    await expect(follow([away, 'live'])).rejects.toThrow('It is away.');
    await expect(follow(['pending', new BacktrailError('PERMISSION_DENIED', 'No.')])).rejects.toThrow('No.');
  });

  it('ends with the last look where it is stopped', async () => {
    expect(await follow(['pending', 'progressing'], 10 * MINUTE, 2)).toEqual({
      state: 'progressing',
      at: [0, 1000],
    });
  });
});
