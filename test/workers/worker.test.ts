import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { STEPS } from '../../engine/model/index.ts';
import { enqueueRollback, followRollback, startWorker as start } from '../../workers/index.ts';
import { JOB_OPTIONS } from '../../workers/queue.ts';
import { makeJob, resultOf } from '../helpers/queue/queue-values.ts';
import { recordingLogger, useQueues } from '../helpers/queue/queue.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';

const neverCalled = () => Promise.reject(new Error('never'));

describe('a worker', () => {
  const redis = useRedis();
  const { openQueue, startWorker } = useQueues(redis);

  it('logs a rollback step by step under its request id, with how long it took', async () => {
    const queue = await openQueue();
    const worker = startWorker({
      execute: async ({ requestId, onStep }) => {
        for (const step of STEPS) await onStep({ step });
        return resultOf(requestId);
      },
    });
    const job = makeJob();
    await enqueueRollback(queue, job);
    await followRollback(queue, job.requestId);
    const own = worker.find(`"requestId":"${job.requestId}"`);
    expect(own.filter((line) => /"durationMs":\d+/.test(line))).toHaveLength(STEPS.length + 1);
    for (const step of STEPS) expect(own.filter((line) => line.includes(`"step":"${step}"`))).toHaveLength(1);
    expect(own.at(-1)).toContain('"status":"completed"');
    expect(own.at(-1)).toContain('"scope":"acme/production/api"');
  });

  it('fails a job that is no valid request, once and for good, and goes on with the next', async () => {
    const queue = await openQueue();
    const executed: string[] = [];
    const worker = startWorker({
      execute: ({ requestId }) => {
        executed.push(requestId);
        return Promise.resolve(resultOf(requestId));
      },
    });
    const forged = { ...makeJob(), repo: 'ext::sh -c id' };
    await queue.jobs.add('rollback', forged, { ...JOB_OPTIONS, jobId: forged.requestId });
    await expect(followRollback(queue, forged.requestId)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const other = makeJob();
    await queue.jobs.add('rollback', other, { ...JOB_OPTIONS, jobId: 'another-id' });
    while ((await queue.jobs.getFailedCount()) < 2) await sleep(10);
    const good = makeJob();
    await enqueueRollback(queue, good);
    await followRollback(queue, good.requestId);
    expect(executed).toEqual([good.requestId]);
    expect(
      worker.find('"code":"INVALID_REQUEST"').filter((line) => line.includes('rollback failed')),
    ).toHaveLength(2);
  });

  it('leaves a repository that it does not serve to another worker, without an attempt', async () => {
    const queue = await openQueue();
    const other = startWorker({ allowedRepos: ['/srv/git/other'], execute: neverCalled });
    const jobs = [makeJob(), makeJob()];
    for (const job of jobs) await enqueueRollback(queue, job);
    while ((await queue.jobs.getDelayedCount()) < jobs.length) await sleep(5);
    const served = startWorker({
      allowedRepos: ['/srv/git/desired-state'],
      execute: ({ requestId }) => Promise.resolve(resultOf(requestId)),
    });
    const retries: unknown[] = [];
    const onRetry = (retry: unknown) => retries.push(retry);
    const results = await Promise.all(jobs.map((job) => followRollback(queue, job.requestId, { onRetry })));
    expect(results.map(({ status }) => status)).toEqual(jobs.map(() => 'completed'));
    expect(retries).toEqual([]);
    expect(served.find('rollback started').every((line) => line.includes('"attempt":1'))).toBe(true);
    expect(other.find('left to another worker')).not.toEqual([]);
    expect(other.find('rollback started')).toEqual([]);
  });

  it('refuses a repository for good when for a minute nobody served it', async () => {
    const queue = await openQueue();
    const job = makeJob();
    await enqueueRollback(queue, job);
    // BullMQ counts here how often a job was taken: once a second by workers that leave it. The next one is the last (run-job.ts).
    await redis.client.hset(queue.jobs.toKey(job.requestId), 'ats', 80);
    startWorker({ allowedRepos: ['/srv/git/other'], execute: neverCalled });
    await expect(followRollback(queue, job.requestId)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      hint: expect.stringContaining('without --repo'),
    });
  });

  it('says its name once a line', async () => {
    const worker = startWorker({ name: 'tested', execute: neverCalled });
    await worker.close();
    expect(worker.find('worker st')).toHaveLength(2);
    for (const line of worker.lines) expect(line.match(/"name":/g)).toHaveLength(1);
  });

  it('leaves no stack, no cause and no payload of an error in Redis', async () => {
    const queue = await openQueue();
    startWorker({ execute: () => Promise.reject(new Error('password: hunter2')) });
    const job = makeJob();
    await enqueueRollback(queue, job);
    await expect(followRollback(queue, job.requestId)).rejects.toMatchObject({ code: 'INTERNAL' });
    const stored = JSON.stringify(await redis.client.hgetall(queue.jobs.toKey(job.requestId)));
    expect(stored).toContain('INTERNAL');
    expect(stored).not.toMatch(/hunter2|\.ts:\d/);
  });

  it('runs as many rollbacks at a time as it may, and no more', async () => {
    const queue = await openQueue();
    let running = 0;
    let most = 0;
    startWorker({
      concurrency: 2,
      execute: async ({ requestId }) => {
        running += 1;
        most = Math.max(most, running);
        await sleep(30);
        running -= 1;
        return resultOf(requestId);
      },
    });
    const jobs = Array.from({ length: 8 }, () => makeJob());
    for (const job of jobs) await enqueueRollback(queue, job);
    await Promise.all(jobs.map((job) => followRollback(queue, job.requestId)));
    expect(most).toBe(2);
  });

  it('gives what it has in hand back when it closes, and a second one carries on at once', async () => {
    const queue = await openQueue();
    const first = startWorker({
      concurrency: 2,
      execute: async ({ requestId, onStep, signal }) => {
        for (const step of STEPS) {
          await sleep(50);
          await onStep({ step });
          signal.throwIfAborted();
        }
        return resultOf(requestId);
      },
    });
    const jobs = Array.from({ length: 5 }, () => makeJob());
    for (const job of jobs) await enqueueRollback(queue, job);
    while ((await queue.jobs.getActiveCount()) < 2) await sleep(5);
    await first.close();
    expect(await queue.jobs.getJobCounts('active', 'waiting')).toEqual({ active: 0, waiting: 5 });
    expect(first.find('given back')).toHaveLength(2);
    startWorker({ concurrency: 5, execute: ({ requestId }) => Promise.resolve(resultOf(requestId)) });
    const results = await Promise.all(jobs.map((job) => followRollback(queue, job.requestId)));
    expect(results.map(({ status }) => status)).toEqual(jobs.map(() => 'completed'));
  });

  it('does not start with an address that is none', () => {
    expect(() =>
      start({ redisUrl: 'localhost', execute: neverCalled, logger: recordingLogger().logger }),
    ).toThrow(/not valid/);
  });

  it('is counted as there, whatever its name', async () => {
    const queue = await openQueue();
    startWorker({ name: 'build host 7', execute: ({ requestId }) => Promise.resolve(resultOf(requestId)) });
    for (const end = Date.now() + SOON; (await queue.jobs.getWorkersCount()) === 0 && Date.now() < end; )
      await sleep(20);
    expect(await queue.jobs.getWorkersCount()).toBeGreaterThan(0);
  });
});
