import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BacktrailError, STEPS } from '../../engine/model/index.ts';
import {
  enqueueMany,
  enqueueRollback,
  enqueueWaiting,
  executeInBatches,
  followMany,
  followRollback,
  jobStates,
} from '../../workers/index.ts';
import type { ExecuteRollback, RollbackProgress } from '../../workers/index.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { hasNativeRedis, useRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';

/** Goes through the steps like the engine does. */
const succeed: ExecuteRollback = async ({ requestId, onStep, signal }) => {
  for (const step of STEPS) {
    await onStep({ step, ...(step === 'planned' ? {} : { commit: 'c'.repeat(40) }) });
    signal.throwIfAborted();
  }
  return resultOf(requestId);
};

/** A promise, and what resolves it. */
function holdBack() {
  const gate = new EventEmitter();
  const held = once(gate, 'open');
  return { held, release: () => gate.emit('open') };
}

const kinds = hasNativeRedis
  ? ([['redis-server', 'valkey-server'], ['js-redis-server']] as const)
  : ([['js-redis-server']] as const);

for (const only of kinds) {
  describe(`a queue on ${only[0]}`, () => {
    const redis = useRedis(only);
    const { openQueue, startWorker } = useQueues(redis);

    it('gives the result to whoever enqueued, after every step in order', async () => {
      const queue = await openQueue();
      startWorker({ execute: succeed });
      const job = makeJob();
      const steps: RollbackProgress[] = [];
      const { since, state } = await enqueueRollback(queue, job);
      const result = await followRollback(queue, job.requestId, {
        since,
        onStep: (step) => steps.push(step),
      });
      expect(state).toBe('added');
      expect(result).toEqual(resultOf(job.requestId));
      expect(steps.map(({ step }) => step)).toEqual(STEPS);
      expect(steps[4]).toMatchObject({
        commit: 'c'.repeat(40),
        at: expect.stringMatching(/^\d{4}-/) as unknown,
      });
    });

    it('executes twenty rollbacks once each', async () => {
      const queue = await openQueue();
      const seen: string[] = [];
      startWorker({
        concurrency: 4,
        execute: (input) => {
          seen.push(input.requestId);
          return succeed(input);
        },
      });
      const jobs = Array.from({ length: 20 }, () => makeJob());
      await Promise.all(jobs.map((job) => enqueueRollback(queue, job)));
      await Promise.all(jobs.map((job) => followRollback(queue, job.requestId)));
      expect(seen.toSorted()).toEqual(jobs.map((job) => job.requestId).toSorted());
    });

    it('gives a failure back with its code, sentence, hint and details', async () => {
      const queue = await openQueue();
      startWorker({
        execute: () =>
          Promise.reject(
            new BacktrailError('PLAN_CHANGED', 'The scope changed.', {
              hint: 'Plan again.',
              details: { now: 'x' },
            }),
          ),
      });
      const job = makeJob();
      await enqueueRollback(queue, job);
      await expect(followRollback(queue, job.requestId)).rejects.toMatchObject({
        name: 'BacktrailError',
        code: 'PLAN_CHANGED',
        message: 'The scope changed.',
        hint: 'Plan again.',
        details: { now: 'x' },
      });
    });
  });
}

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

describe('following', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it('says that the queue lost the rollback when Redis was flushed, while the rollback itself goes on', async () => {
    const queue = await openQueue();
    const finished: string[] = [];
    const { held, release } = holdBack();
    const worker = startWorker({
      execute: async (input) => {
        await input.onStep({ step: 'planned' });
        await held;
        const result = await succeed(input);
        finished.push(input.requestId);
        return result;
      },
    });
    const job = makeJob();
    const { since } = await enqueueRollback(queue, job);
    let flushed: Promise<unknown> | undefined;
    const following = followRollback(queue, job.requestId, {
      since,
      onStep: () => {
        flushed ??= redis.client.flushall();
      },
    });
    await expect(following).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('lost rollback') as unknown,
      hint: expect.stringContaining('backtrail request show') as unknown,
    });
    await flushed;
    release();
    while (finished.length === 0) await sleep(5);
    expect(worker.find('progress could not be reported').length).toBeGreaterThan(0);
    // The worker has lost nothing but that job: the next one is executed.
    const next = makeJob();
    await enqueueRollback(queue, next);
    expect(await followRollback(queue, next.requestId)).toMatchObject({ status: 'completed' });
  });

  it('finds the end of a rollback also when no event ever arrives', async () => {
    const queue = await openQueue();
    const job = makeJob();
    const { since } = await enqueueRollback(queue, job);
    // The stream of events is gone and begins anew with smaller ids than the one to begin after.
    const following = followRollback(queue, job.requestId, { since: '99999999999999-0' });
    expect(since).toMatch(/-/);
    startWorker({ execute: succeed });
    expect(await following).toMatchObject({ status: 'completed' });
  });

  it('ends at its time limit and says that the rollback goes on', async () => {
    const queue = await openQueue();
    const job = makeJob();
    await enqueueRollback(queue, job);
    const started = Date.now();
    await expect(followRollback(queue, job.requestId, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('still in the queue') as unknown,
    });
    expect(Date.now() - started).toBeLessThan(SOON);
    expect(await queue.jobs.count()).toBe(1);
  });

  it('ends when its signal is aborted and leaves the rollback in the queue', async () => {
    const queue = await openQueue();
    const job = makeJob();
    await enqueueRollback(queue, job);
    const signal = AbortSignal.timeout(100);
    await expect(followRollback(queue, job.requestId, { signal })).rejects.toThrow(/timeout/);
    expect(await queue.jobs.count()).toBe(1);
  });

  it('says once that no worker is there', async () => {
    const queue = await openQueue();
    const job = makeJob();
    await enqueueRollback(queue, job);
    let idle = 0;
    const onIdle = () => {
      idle += 1;
      startWorker({ execute: succeed });
    };
    expect(await followRollback(queue, job.requestId, { onIdle })).toMatchObject({ status: 'completed' });
    expect(idle).toBe(1);
  });
});
