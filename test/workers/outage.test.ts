import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { enqueueRollback, followRollback, openQueue } from '../../workers/index.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { isProof } from '../helpers/run/proof.ts';
import { hasNativeRedis, startTestRedis, useRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';

describe('whoever enqueues, when Redis', () => {
  const redis = useRedis();
  const { openQueue: open } = useQueues(redis);

  it('is not there, hears so at once, with its address and without credentials', async () => {
    const started = performance.now();
    const error: unknown = await openQueue({ redisUrl: 'redis://jane:hunter2@127.0.0.1:1' }).catch(
      (caught: unknown) => caught,
    );
    expect(performance.now() - started).toBeLessThan(SOON);
    expect(error).toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1') as unknown,
    });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/hunter2|jane/);
  });

  it.runIf(isProof)(
    'accepts the connection and never answers, hears so within about three seconds',
    async () => {
      const silent = createServer(() => undefined);
      await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', () => resolve()));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has such an address
      const { port } = silent.address() as AddressInfo;
      const started = performance.now();
      await expect(openQueue({ redisUrl: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
        code: 'QUEUE_UNAVAILABLE',
      });
      expect(performance.now() - started).toBeLessThan(SOON);
      silent.close();
    },
  );

  it.skipIf(!hasNativeRedis)('wants a password (needs redis-server), hears so', async () => {
    await redis.client.config('SET', 'requirepass', 'correct');
    const wrong = redis.url.replace('://', '://:hunter2@');
    try {
      const errors = await Promise.all(
        [redis.url, wrong].map((redisUrl) =>
          openQueue({ redisUrl }).catch((caught: unknown) => String(caught)),
        ),
      );
      expect(errors).toEqual([expect.stringMatching(/NOAUTH/), expect.stringMatching(/WRONGPASS|invalid/i)]);
      expect(JSON.stringify(errors)).not.toContain('hunter2');
    } finally {
      await redis.client.config('SET', 'requirepass', '');
    }
  });

  it('goes away later, hears so within about three seconds and does not hang', async () => {
    const own = await startTestRedis();
    const queue = await open(own.url);
    await own.stop();
    const started = performance.now();
    await expect(enqueueRollback(queue, makeJob())).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining(queue.address) as unknown,
    });
    expect(performance.now() - started).toBeLessThan(SOON);
  });

  it.each(['', 'not a url', 'http://127.0.0.1:6379', 'redis://'])(
    'is named as "%s", hears that this is no address',
    async (redisUrl) => {
      await expect(openQueue({ redisUrl })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    },
  );
});

describe('a worker and a follower', () => {
  const { openQueue: open, startWorker } = useQueues({ url: '' });

  it('outlive a restart of Redis, with one line when it goes and one when it is back', async () => {
    const first = await startTestRedis();
    const port = Number(new URL(first.url).port);
    const worker = startWorker({
      redisUrl: first.url,
      execute: ({ requestId }) => Promise.resolve(resultOf(requestId)),
    });
    const early = await open(first.url);
    const job = makeJob();
    await enqueueRollback(early, job);
    await followRollback(early, job.requestId);
    await first.stop();
    await sleep(2500);
    const second = await startTestRedis({ port });
    try {
      const queue = await open(second.url);
      const next = makeJob();
      await enqueueRollback(queue, next);
      expect(await followRollback(queue, next.requestId)).toMatchObject({ status: 'completed' });
      expect(worker.find('Redis is away')).toHaveLength(1);
      expect(worker.find('Redis is back')).toHaveLength(1);
      expect(worker.find('"level":"warn"')).toEqual([]);
      // The queue of before the restart works again as well, and knows that its rollback is lost.
      const why = () => followRollback(early, job.requestId).then(String, ({ message }: Error) => message);
      await expect.poll(why).toContain('lost rollback');
      await worker.close();
    } finally {
      await second.stop();
    }
  });

  it('are told by the log why Redis is away', async () => {
    const worker = startWorker({
      redisUrl: 'redis://jane:hunter2@127.0.0.1:1',
      execute: ({ requestId }) => Promise.resolve(resultOf(requestId)),
    });
    await expect.poll(() => worker.find('Redis is away')).toHaveLength(1);
    expect(worker.find('Redis is away')).toEqual([expect.stringContaining('ECONNREFUSED')]);
    expect(worker.find('hunter2')).toEqual([]);
  });

  it.runIf(isProof)('end with QUEUE_UNAVAILABLE when Redis stays away while the follower waits', async () => {
    const own = await startTestRedis();
    const queue = await open(own.url);
    const job = makeJob();
    await enqueueRollback(queue, job);
    const following = followRollback(queue, job.requestId);
    await sleep(200);
    await own.stop();
    const started = performance.now();
    await expect(following).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(SOON);
  });

  it.runIf(isProof)('meet when the worker was started before Redis', async () => {
    const probe = await startTestRedis();
    const port = Number(new URL(probe.url).port);
    await probe.stop();
    const worker = startWorker({
      redisUrl: probe.url,
      execute: ({ requestId }) => Promise.resolve(resultOf(requestId)),
    });
    await sleep(500);
    const own = await startTestRedis({ port });
    try {
      const queue = await open(own.url);
      const job = makeJob();
      await enqueueRollback(queue, job);
      expect(await followRollback(queue, job.requestId)).toMatchObject({ status: 'completed' });
      await worker.close();
    } finally {
      await own.stop();
    }
  });
});

describe.runIf(isProof)('a worker and a follower of a Redis that is flushed', () => {
  const { openQueue: open, startWorker } = useQueues(useRedis());

  it('say once of rollbacks in hand that a flushed queue lost them, and finish them', async () => {
    let finish = () => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    const done: string[] = [];
    const worker = startWorker({
      execute: async ({ requestId }) => {
        await held;
        done.push(requestId);
        return resultOf(requestId);
      },
    });
    const queue = await open();
    const jobs = [makeJob(), makeJob(), makeJob()];
    for (const job of jobs) await enqueueRollback(queue, job);
    await expect.poll(() => worker.find('rollback started')).toHaveLength(3);
    await queue.redis.flushall();
    await expect.poll(() => worker.find('lost rollbacks in hand')).toHaveLength(1);
    // Another turn of the renewal.
    await sleep(3000);
    finish();
    await expect.poll(() => done).toHaveLength(3);
    expect(worker.find('lost rollbacks in hand')).toEqual([expect.stringContaining('"rollbacks":3')]);
    expect(worker.find('could not renew')).toEqual([]);
  });
});
