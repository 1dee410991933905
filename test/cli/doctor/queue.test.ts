import { beforeAll, describe, expect, it } from 'vitest';
import { BacktrailError } from '../../../engine/internal.ts';
import { enqueueRollback } from '../../../workers/index.ts';
import { exampleRepo } from '../../helpers/program/cli.ts';
import { diagnose } from '../../helpers/program/doctor.ts';
import { makeJob, resultOf } from '../../helpers/queue/queue-values.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { hasNativeRedis, useRedis } from '../../helpers/servers/redis.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';

const redis = useRedis();
const { openQueue, startWorker } = useQueues(redis);
let repo: Repo;
beforeAll(async () => {
  repo = await exampleRepo();
});
const look = (redisUrl = redis.url) => diagnose(repo, { redisUrl });

/** Looks until the workers that come and go are as wanted. */
async function workers(status: 'ok' | 'warn') {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const check = (await look()).one('workers');
    if (check.status === status) return check;
  }
  throw new Error(`The workers never were ${status}.`);
}

describe('a Redis', () => {
  it('is there, and nobody listens', async () => {
    const found = await look();
    expect(found.code).toBe(0);
    expect(found.one('queue')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^Redis [\d.]+ answers at /),
    });
    for (const name of ['queue-persistence', 'queue-jobs']) expect(found.one(name).status).toBe('ok');
    expect(found.one('workers')).toMatchObject({ status: 'warn', hint: 'Start one: backtrail worker' });
  });

  it.runIf(hasNativeRedis)(
    'may throw rollbacks away when its memory is full, until its policy is what the hint says',
    async () => {
      await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const { status, hint = '', message } = (await look()).one('queue-memory');
      expect([status, message]).toEqual(['warn', expect.stringContaining('allkeys-lru')]);
      const [, ...command] = hint.split(' ');
      expect(command).toEqual(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
      await redis.client.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      expect((await look()).one('queue-memory').status).toBe('ok');
    },
  );

  it.runIf(isProof)('tells of workers: of any repository, of this one, and not of another', async () => {
    const execute = ({ requestId }: Parameters<Parameters<typeof startWorker>[0]['execute']>[0]) =>
      Promise.resolve(resultOf(requestId));
    const other = startWorker({ name: 'else', allowedRepos: ['/srv/git/other'], execute });
    const message = () => look().then((found) => found.one('workers').message);
    await expect.poll(message).toContain('1 serves other repositories');
    expect((await workers('warn')).message).toContain('No worker listens for this repository');
    const here = startWorker({ name: 'here', allowedRepos: [repo.folder], execute });
    expect((await workers('ok')).message).toBe('1 worker listens; 1 serves other repositories.');
    await here.close();
    await workers('warn');
    startWorker({ execute });
    await workers('ok');
    await other.close();
  });

  it.runIf(isProof)('tells of rollbacks that failed, and where to look', async () => {
    const queue = await openQueue();
    const job = makeJob();
    const worker = startWorker({
      execute: () => Promise.reject(new BacktrailError('TARGET_ABSENT', 'Gone.')),
    });
    await enqueueRollback(queue, job);
    const status = async () => (await look()).one('queue-jobs');
    await expect.poll(async () => (await status()).status).toBe('warn');
    expect(await status()).toMatchObject({
      message: expect.stringContaining('1 failed'),
      hint: expect.stringContaining(job.requestId),
    });
    await worker.close();
  });
});

it('without Redis is a warning: rollbacks run in the process that asks', async () => {
  const found = await look('redis://:s3cret@127.0.0.1:1');
  expect(found.code).toBe(0);
  expect(found.one('queue')).toMatchObject({ status: 'warn', hint: expect.stringContaining('REDIS_URL') });
  expect(JSON.stringify(found.checks)).not.toContain('s3cret');
  expect(found.of('workers')).toEqual([]);
});
