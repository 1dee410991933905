/** Many rollbacks at once, the same one again, and what the queue says of requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BacktrailError, STEPS } from '../../../engine/model/index.ts';
import {
  enqueueMany,
  enqueueRollback,
  enqueueWaiting,
  executeInBatches,
  followMany,
  followRollback,
  jobStates,
} from '../../../workers/index.ts';
import { makeJob, resultOf } from '../../helpers/queue/queue-values.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { useRedis } from '../../helpers/servers/redis.ts';
import { holdBack, succeed } from './executing.ts';

describe('many at once', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);
  const connections = async ({ redis: client }: Awaited<ReturnType<typeof openQueue>>) =>
    String(await client.call('CLIENT', 'LIST'))
      .trim()
      .split('\n').length;

  it('are followed through one connection, each to its own end', async () => {
    const queue = await openQueue();
    const jobs = Array.from({ length: 60 }, () => makeJob());
    const ids = jobs.map(({ requestId }) => requestId);
    const [refused = ''] = ids;
    const { since, states } = await enqueueMany(queue, jobs);
    expect([...states.values()]).toEqual(jobs.map(() => 'added'));
    expect([...(await enqueueMany(queue, jobs)).states.values()]).toEqual(jobs.map(() => 'following'));
    const { held, release } = holdBack();
    startWorker({
      execute: async (input) => {
        await held;
        if (input.requestId === refused) throw new BacktrailError('PLAN_CHANGED', 'The scope changed.');
        return succeed(input);
      },
    });
    while ((await queue.jobs.getActiveCount()) < jobs.length) await sleep(5);
    const before = await connections(queue);
    const steps = new Map<string, number>();
    const ended: string[] = [];
    const following = followMany(queue, ids, {
      since,
      onStep: (id) => steps.set(id, (steps.get(id) ?? 0) + 1),
      onEnd: (id) => ended.push(id),
    });
    while ((await connections(queue)) === before) await sleep(5);
    await sleep(50);
    expect((await connections(queue)) - before).toBeLessThanOrEqual(2);
    release();
    const results = await following;
    expect(results.get(refused)).toMatchObject({ status: 'rejected', reason: { code: 'PLAN_CHANGED' } });
    for (const id of ids.slice(1)) {
      expect(results.get(id)).toEqual({ status: 'fulfilled', value: resultOf(id) });
      expect(steps.get(id)).toBe(STEPS.length);
    }
    expect(ended.toSorted()).toEqual(ids.toSorted());
  });

  it('that a worker takes one by one reach whoever executes them before it is told that there are no more', async () => {
    const queue = await openQueue();
    const jobs = Array.from({ length: 40 }, () => makeJob());
    const { since } = await enqueueMany(queue, jobs);
    const batches: number[] = [];
    const execute = executeInBatches(() =>
      Promise.resolve({
        rollbacks: {
          executeMany: (asks) => {
            batches.push(asks.length);
            return Promise.resolve(
              new Map(asks.map(({ id }) => [id, { status: 'fulfilled', value: resultOf(id) }])),
            );
          },
        },
        close: () => Promise.resolve(),
      }),
    );
    startWorker({ execute });
    await followMany(
      queue,
      jobs.map(({ requestId }) => requestId),
      { since },
    );
    expect(batches).toEqual([40]);
  });
});

describe('the same request again', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it('joins a waiting one, however many ask at the same time', async () => {
    const queue = await openQueue();
    const job = makeJob();
    const answers = await Promise.all(Array.from({ length: 10 }, () => enqueueRollback(queue, job)));
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([job.requestId]));
    expect(await queue.jobs.count()).toBe(1);
    let executions = 0;
    startWorker({
      execute: (input) => {
        executions += 1;
        return succeed(input);
      },
    });
    await followRollback(queue, job.requestId);
    expect(executions).toBe(1);
  });

  it('joins a running one', async () => {
    const queue = await openQueue();
    const { held, release } = holdBack();
    startWorker({ execute: (input) => held.then(() => succeed(input)) });
    const job = makeJob();
    await enqueueRollback(queue, job);
    while ((await queue.jobs.getActiveCount()) === 0) await sleep(5);
    expect(await enqueueRollback(queue, job)).toMatchObject({ state: 'following' });
    const following = followRollback(queue, job.requestId);
    release();
    expect(await following).toMatchObject({ status: 'completed' });
  });

  it('joins one that waits for its next attempt', async () => {
    const queue = await openQueue();
    const worker = startWorker({
      execute: () => Promise.reject(new BacktrailError('REMOTE_UNAVAILABLE', 'Away.')),
    });
    const job = makeJob();
    await enqueueRollback(queue, job);
    while ((await queue.jobs.getDelayedCount()) === 0) await sleep(5);
    await worker.close();
    expect(await enqueueRollback(queue, job)).toMatchObject({ state: 'following' });
    expect(await queue.jobs.getDelayedCount()).toBe(1);
  });

  it.each(['completed', 'failed'])(
    'is executed again when it was %s: the ledger says what is done',
    async (outcome) => {
      const queue = await openQueue();
      let executions = 0;
      startWorker({
        execute: (input) => {
          executions += 1;
          if (outcome === 'completed' || executions > 1) return succeed(input);
          return Promise.reject(new BacktrailError('PLAN_CHANGED', 'The scope changed.'));
        },
      });
      const job = makeJob();
      await enqueueRollback(queue, job);
      await followRollback(queue, job.requestId).catch(() => undefined);
      const answers = await Promise.all([enqueueRollback(queue, job), enqueueRollback(queue, job)]);
      expect(answers.map(({ state }) => state)).toContain('added');
      const { since } = answers[0];
      expect(await followRollback(queue, job.requestId, { since })).toEqual(resultOf(job.requestId));
      expect(executions).toBeGreaterThan(1);
      expect(await queue.jobs.getJobCountByTypes('completed', 'failed', 'waiting', 'active')).toBe(1);
    },
  );

  it('never has two jobs, however many ask while it ends', async () => {
    const queue = await openQueue();
    let running = 0;
    let most = 0;
    startWorker({
      concurrency: 4,
      execute: async (input) => {
        running += 1;
        most = Math.max(most, running);
        await sleep(2);
        running -= 1;
        return resultOf(input.requestId);
      },
    });
    const job = makeJob();
    for (let round = 0; round < 50; round += 1)
      await Promise.all(Array.from({ length: 4 }, () => enqueueRollback(queue, job)));
    await followRollback(queue, job.requestId);
    expect(most).toBe(1);
  });
});

describe('what the queue says of requests', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it('is whether their jobs wait, run or have ended, and when', async () => {
    const queue = await openQueue();
    const [failing, running, waiting, unknown] = [makeJob(), makeJob(), makeJob(), makeJob()];
    const { held, release } = holdBack();
    startWorker({
      concurrency: 1,
      execute: (input) =>
        input.requestId === failing.requestId
          ? Promise.reject(new BacktrailError('TARGET_ABSENT', 'Gone.'))
          : held.then(() => succeed(input)),
    });
    const before = Date.now();
    for (const job of [failing, running, waiting]) await enqueueRollback(queue, job);
    while ((await queue.jobs.getFailedCount()) === 0 || (await queue.jobs.getActiveCount()) === 0)
      await sleep(5);
    const ids = [failing, running, waiting, unknown].map(({ requestId }) => requestId);
    const states = await jobStates(queue, ids);
    expect(ids.map((id) => states.get(id)?.state)).toEqual(['ended', 'active', 'waiting', undefined]);
    const ended = states.get(failing.requestId);
    expect(ended?.state === 'ended' && ended.endedAt - before).toBeGreaterThanOrEqual(0);
    const add = (restMs: number) => enqueueWaiting(queue, { repo: failing.repo, ids, restMs });
    expect(await add(60_000)).toEqual([unknown.requestId]);
    expect(await add(0)).toEqual([failing.requestId]);
    release();
  });
});
