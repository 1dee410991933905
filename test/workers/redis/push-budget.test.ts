import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RequestId, RollbackResult } from '../../../engine/model/index.ts';
import { createPushBudget, executeInBatches } from '../../../workers/index.ts';
import { hostOf } from '../../../workers/redis/push-budget.ts';
import { makeJob, resultOf } from '../../helpers/queue/queue-values.ts';
import { recordingLogger } from '../../helpers/queue/queue.ts';
import { runs } from '../../helpers/run/proof.ts';
import { useRedis } from '../../helpers/servers/redis.ts';

const never = new AbortController().signal;
const REPO = 'https://git.example.com/config.git';

describe('the host of a repository', () => {
  it.each([
    ['https://git.example.com/config.git', 'git.example.com'],
    ['https://jane@GIT.example.com:8443/config.git', 'git.example.com'],
    ['ssh://git@git.example.com/config.git', 'git.example.com'],
    ['git@git.example.com:team/config.git', 'git.example.com'],
    ['https://[::1]:8080/config.git', '%5B%3A%3A1%5D'],
    ['file:///srv/git/config', null],
    ['/srv/git/config', null],
    ['C:\\git\\config', null],
  ])('%s is %s', (repo, host) => {
    expect(hostOf(repo)).toBe(host);
  });
});

describe('a budget of pushes', () => {
  const redis = useRedis();
  const budget = (perMinute: number, windowMs = 3_600_000) => {
    const log = recordingLogger();
    return {
      ...log,
      turn: createPushBudget({ redisUrl: redis.url, perMinute, windowMs, logger: log.logger }),
    };
  };

  it('is shared by workers, holds a host back that has used it up, and no other one', async () => {
    const [one, two, stop] = [budget(3), budget(3), new AbortController()];
    for (const { turn } of [one, two, one]) await turn(REPO, never);
    let came = false;
    const waiting = two.turn('ssh://git@git.example.com/other.git', stop.signal).then(() => (came = true));
    await expect.poll(() => two.find('waiting for a turn').length).toBe(1);
    await two.turn('https://other.example.com/config.git', never);
    await two.turn('/srv/git/config', never);
    expect(came).toBe(false);
    stop.abort();
    await waiting;
    expect(await redis.client.zcard('{backtrail}:pushes:git.example.com:waiting')).toBe(0);
    expect(await redis.client.zcard('{backtrail}:pushes:git.example.com')).toBe(3);
  });

  it('gives the next turn to whoever has waited longest', async () => {
    const { turn, find } = budget(1, 2000);
    await turn(REPO, never);
    const order: number[] = [];
    const all: Promise<unknown>[] = [];
    const numbers = [1, 2, 3].slice(0, runs(3, 2));
    for (const number of numbers) {
      all.push(turn(REPO, never).then(() => order.push(number)));
      await expect.poll(() => find('waiting for a turn').length).toBe(number);
    }
    await Promise.all(all);
    expect(order).toEqual(numbers);
  });

  it('does not wait for one that went away while it was the first', async () => {
    const key = '{backtrail}:pushes:git.example.com';
    await redis.client.zadd(`${key}:waiting`, 1, 'gone');
    await redis.client.zadd(`${key}:seen`, 1, 'gone');
    await budget(1).turn(REPO, never);
    expect(await redis.client.zcard(key)).toBe(1);
  });

  it('holds nothing up where Redis is away, and the log says so', async () => {
    const { logger, find } = recordingLogger();
    const turn = createPushBudget({ redisUrl: 'redis://:hunter2@127.0.0.1:1', perMinute: 1, logger });
    await turn(REPO, never);
    expect(find('publishing without it')).toHaveLength(1);
    expect(find('hunter2')).toEqual([]);
  });
});

describe('a batch that waits for its turn', () => {
  it('grows by what comes meanwhile', async () => {
    const batches: RequestId[][] = [];
    const executeMany = (asks: readonly { id: RequestId }[]) => {
      batches.push(asks.map(({ id }) => id));
      const settled = (id: RequestId): PromiseSettledResult<RollbackResult> => ({
        status: 'fulfilled',
        value: resultOf(id),
      });
      return Promise.resolve(new Map(asks.map(({ id }) => [id, settled(id)])));
    };
    const engine = { rollbacks: { executeMany }, close: () => Promise.resolve() };
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const execute = executeInBatches(
      () => Promise.resolve(engine),
      () => gate,
    );
    const onStep = () => Promise.resolve();
    const jobs = Array.from({ length: 5 }, () => makeJob());
    const results = jobs.map(({ requestId, repo }) =>
      execute({ requestId, repo, last: false, onStep, signal: never }),
    );
    await sleep(0);
    expect(batches).toEqual([]);
    release();
    await Promise.all(results);
    expect(batches).toEqual([jobs.map(({ requestId }) => requestId)]);
  });
});
