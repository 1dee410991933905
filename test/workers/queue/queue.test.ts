/** Rollbacks in the queue: executed, followed and not lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BacktrailError, STEPS } from '../../../engine/model/index.ts';
import { enqueueRollback, followRollback } from '../../../workers/index.ts';
import type { RollbackProgress } from '../../../workers/index.ts';
import { makeJob, resultOf } from '../../helpers/queue/queue-values.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { hasNativeRedis, useRedis } from '../../helpers/servers/redis.ts';
import { SOON } from '../../helpers/run/soon.ts';
import { holdBack, succeed } from './executing.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const kinds = hasNativeRedis
  ? someOf([['js-redis-server'] as const, ['redis-server', 'valkey-server'] as const], 1)
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
    expect(worker.find('progress could not be reported')).toHaveLength(1);
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

  it.runIf(isProof)('says once that no worker is there', async () => {
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
