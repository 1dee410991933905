import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BacktrailError, STEPS } from '../../engine/model/index.ts';
import { enqueueRollback, followRollback, MAX_ATTEMPTS, waitBefore } from '../../workers/index.ts';
import { mayPass, withJitter } from '../../workers/failure-policy.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { useRedis } from '../helpers/servers/redis.ts';

const unreachable = () =>
  Promise.reject(new BacktrailError('REMOTE_UNAVAILABLE', 'The remote does not answer.'));

describe('the waits between attempts', () => {
  it('are 1 s, 4 s, 15 s, 1 min, then 5 min', () => {
    const waits = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, index) => waitBefore(index + 1));
    expect(waits).toEqual([1000, 4000, 15_000, 60_000, 300_000, 300_000, 300_000, 300_000]);
  });

  it('grow by at most a fifth at random', () => {
    expect(withJitter(15_000, () => 0)).toBe(15_000);
    expect(withJitter(15_000, () => 0.5)).toBe(16_500);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (retry, value) => {
          const wait = withJitter(waitBefore(retry), () => value);
          expect(Number.isInteger(wait)).toBe(true);
          expect(wait).toBeGreaterThanOrEqual(waitBefore(retry));
          expect(wait).toBeLessThanOrEqual(waitBefore(retry) * 1.2);
        },
      ),
    );
  });

  it('are for failures that may pass', () => {
    expect(mayPass('PLAN_CHANGED')).toBe(false);
    expect(mayPass('REMOTE_REJECTED')).toBe(false);
    expect(mayPass('REMOTE_UNAVAILABLE')).toBe(true);
    expect(mayPass('BRANCH_MOVED')).toBe(true);
  });
});

describe('the queue', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it('holds a job for exactly the wait of its attempt, attempt after attempt', async () => {
    const queue = await openQueue();
    const last: boolean[] = [];
    const worker = startWorker({
      execute: (input) => {
        last.push(input.last);
        return unreachable();
      },
      random: () => 0.5,
    });
    const job = makeJob();
    const id = job.requestId;
    const began = Date.now();
    await enqueueRollback(queue, job);
    const held: number[] = [];
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) {
      const delayed = await whenDelayed(queue, id, attempt);
      // What Redis holds: the score of the delayed set is the due time in milliseconds times 4096.
      const due = Math.floor(Number(await redis.client.zscore(queue.jobs.toKey('delayed'), id)) / 4096);
      held.push(Number(await redis.client.hget(queue.jobs.toKey(id), 'delay')));
      const failedAt = due - delayed.delay;
      expect(failedAt).toBeGreaterThanOrEqual(began);
      expect(failedAt).toBeLessThanOrEqual(Date.now());
      await delayed.promote();
    }
    await expect(followRollback(queue, id)).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    expect(held).toEqual([1100, 4400, 16_500, 66_000, 330_000, 330_000, 330_000, 330_000]);
    expect(last).toEqual([...held.map(() => false), true]);
    expect(worker.find('it will be tried again')).toHaveLength(MAX_ATTEMPTS - 1);
    expect(worker.find('"msg":"rollback failed"')).toHaveLength(1);
    expect(worker.find('"retryInMs":16500')).toHaveLength(1);
  });

  it('tells the follower that it waits, and why, and then goes on', async () => {
    const queue = await openQueue();
    let attempts = 0;
    startWorker({
      random: () => 0,
      execute: async ({ requestId, onStep }) => {
        attempts += 1;
        await onStep({ step: 'planned' });
        if (attempts === 1) return unreachable();
        for (const step of STEPS) await onStep({ step });
        return resultOf(requestId);
      },
    });
    const job = makeJob();
    const { since } = await enqueueRollback(queue, job);
    const told: unknown[] = [];
    await followRollback(queue, job.requestId, {
      since,
      onStep: ({ step }) => told.push(step),
      onRetry: ({ attempt, waitMs, failure }) => told.push([attempt, waitMs, failure.code]),
    });
    expect(told).toEqual(['planned', [1, 1000, 'REMOTE_UNAVAILABLE'], ...STEPS.slice(1)]);
    expect(attempts).toBe(2);
  });

  it.each([
    'AWAITING_APPROVAL',
    'PLAN_CHANGED',
    'REQUEST_CLOSED',
    'REMOTE_REJECTED',
    'TARGET_ABSENT',
    'INVALID_REQUEST',
  ] as const)('does not try again after %s', async (code) => {
    const queue = await openQueue();
    let attempts = 0;
    startWorker({
      execute: () => {
        attempts += 1;
        return Promise.reject(new BacktrailError(code, 'No.'));
      },
    });
    const job = makeJob();
    await enqueueRollback(queue, job);
    await expect(followRollback(queue, job.requestId)).rejects.toMatchObject({ code });
    expect(attempts).toBe(1);
  });
});

async function whenDelayed(
  queue: Awaited<ReturnType<ReturnType<typeof useQueues>['openQueue']>>,
  id: string,
  attempt: number,
) {
  for (;;) {
    const job = await queue.jobs.getJob(id);
    if (job?.attemptsMade === attempt && (await job.isDelayed())) return job;
  }
}
