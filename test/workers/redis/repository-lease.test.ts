import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestId } from '../../../engine/model/index.ts';
import { executeInBatches, type ExecuteRollback, type RollbackJob } from '../../../workers/index.ts';
import { enqueueMany, enqueueRollback, followRollback } from '../../../workers/index.ts';
import { createRepositoryLease } from '../../../workers/redis/repository-lease.ts';
import { compiled } from '../../helpers/program/compiled.ts';
import { makeJob, resultOf } from '../../helpers/queue/queue-values.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { SOON } from '../../helpers/run/soon.ts';
import { useRedis } from '../../helpers/servers/redis.ts';

const REPO = 'https://jane:hunter2@git.example.com/config.git';
const TIMES = { lease: 400, renew: 100, quiet: 60_000 };

const redis = useRedis();
const { openQueue, startWorker } = useQueues(redis);
const children: ChildProcess[] = [];
const PROGRAM = 'test/helpers/queue/worker-process.ts';
// Before any connection is open, which would be without an answer for as long.
beforeAll(() => void (isProof && compiled(PROGRAM)));
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

describe('the lease of a repository', () => {
  const leases: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const lease of leases.splice(0)) await lease.close();
  });
  const leaseOf = (id: string, { hasRoom = true, times = TIMES } = {}) => {
    const lease = createRepositoryLease({ redis: redis.client, id, hasRoom: () => hasRoom, times });
    leases.push(lease);
    return lease;
  };

  it('is held by one worker, for longer than it lasts, until it gives it back', async () => {
    const [one, two] = [leaseOf('one'), leaseOf('two')];
    expect(await one.claim(REPO)).toBe('here');
    expect(await two.claim(REPO)).toBe('elsewhere');
    expect(await two.claim('/srv/git/other')).toBe('here');
    await sleep(3 * TIMES.lease);
    expect(await two.claim(REPO)).toBe('elsewhere');
    expect(await one.claim(REPO)).toBe('here');
    await one.release(REPO);
    expect(await two.claim(REPO)).toBe('here');
    expect(await one.claim(REPO)).toBe('elsewhere');
  });

  it('says that its holder takes no more', async () => {
    await leaseOf('one', { hasRoom: false }).claim(REPO);
    expect(await leaseOf('two').claim(REPO)).toBe('busy');
  });

  it('ends where its holder says nothing any more', async () => {
    const one = leaseOf('one', { times: { lease: 400, renew: 100, quiet: 300 } });
    await one.claim(REPO);
    await expect.poll(() => leaseOf('two').claim(REPO), { timeout: SOON }).toBe('here');
    one.progress(REPO);
    expect(await one.claim(REPO)).toBe('elsewhere');
  });

  it('is lost by a holder that stood still while another one took it', async () => {
    const one = leaseOf('one');
    await one.claim(REPO);
    const [key = ''] = await redis.client.keys('{backtrail}:holder:*');
    await redis.client.set(key, 'two room');
    await expect.poll(() => one.claim(REPO), { timeout: SOON }).toBe('elsewhere');
  });

  it('comes back to its holder after a flush', async () => {
    await leaseOf('one').claim(REPO);
    await redis.client.flushall();
    await expect.poll(() => redis.client.keys('{backtrail}:holder:*'), { timeout: SOON }).toHaveLength(1);
    expect(await leaseOf('two').claim(REPO)).toBe('elsewhere');
  });

  it('is asked for from nobody where Redis is away', async () => {
    const away = redis.client.duplicate({ lazyConnect: true });
    const lease = createRepositoryLease({ redis: away, id: 'one', hasRoom: () => true, times: TIMES });
    expect(await lease.claim(REPO)).toBe('here');
    await lease.close();
    away.disconnect();
  });

  it('does not show the address', async () => {
    await leaseOf('one').claim(REPO);
    expect((await redis.client.keys('*')).filter((key) => key.includes('git.example.com'))).toEqual([]);
  });
});

/** A worker that executes in batches, each of which waits until it is let go. */
function startBatching(letGo: () => boolean, concurrency = 500) {
  const batches: RequestId[][] = [];
  const taken: RequestId[] = [];
  const inBatches = executeInBatches(() =>
    Promise.resolve({
      rollbacks: {
        executeMany: async (asks) => {
          const ids = asks.map(({ id }) => id);
          batches.push(ids);
          while (!letGo()) await sleep(10);
          return new Map(ids.map((id) => [id, { status: 'fulfilled', value: resultOf(id) }]));
        },
      },
      close: () => Promise.resolve(),
    }),
  );
  const execute: ExecuteRollback = (job) => {
    taken.push(job.requestId);
    return inBatches(job);
  };
  const worker = startWorker({ execute, concurrency });
  return { batches, taken, worker };
}

const jobsOf = (count: number, repo = '/srv/git/desired-state'): RollbackJob[] =>
  Array.from({ length: count }, () => ({ ...makeJob(), repo }));

describe('of two workers', () => {
  it('one takes all rollbacks of a repository, and none of them counts as tried before', async () => {
    const queue = await openQueue();
    const jobs = jobsOf(40);
    const ids = jobs.map(({ requestId }) => requestId);
    const workers: ReturnType<typeof startBatching>[] = [];
    const isAllIn = () =>
      workers.some(({ batches, taken }) => batches.length > 0 && ids.every((id) => taken.includes(id)));
    workers.push(startBatching(isAllIn), startBatching(isAllIn));
    const { since } = await enqueueMany(queue, jobs);
    await Promise.all(ids.map((id) => followRollback(queue, id, { since })));
    const atWork = workers.filter(({ batches }) => batches.length > 0);
    expect(atWork).toHaveLength(1);
    expect(atWork.flatMap(({ batches }) => batches.flat()).toSorted()).toEqual(ids.toSorted());
    for (const id of ids) expect(await queue.jobs.getJob(id)).toMatchObject({ attemptsMade: 1 });
    expect(await redis.client.keys('{backtrail}:holder:*')).toEqual([]);
  });

  it('the other one takes those of another repository meanwhile, also where the first takes no more', async () => {
    const queue = await openQueue();
    let isDone = false;
    const workers = [startBatching(() => isDone, 1), startBatching(() => isDone, 1)];
    const jobs = [...jobsOf(1, '/srv/git/one'), ...jobsOf(1, '/srv/git/two')];
    await enqueueMany(queue, jobs);
    await expect.poll(() => workers.flatMap(({ batches }) => batches).length, { timeout: SOON }).toBe(2);
    isDone = true;
    for (const { requestId } of jobs) await followRollback(queue, requestId);
  });

  it.runIf(isProof)('the other one takes those of a repository whose worker takes no more', async () => {
    const queue = await openQueue();
    let isDone = false;
    const workers = [startBatching(() => isDone, 1), startBatching(() => isDone, 1)];
    const jobs = jobsOf(2);
    await enqueueMany(queue, jobs);
    await expect.poll(() => workers.flatMap(({ batches }) => batches).length, { timeout: SOON }).toBe(2);
    isDone = true;
    for (const { requestId } of jobs) await followRollback(queue, requestId);
  });

  it('the other one takes over where the first stops', async () => {
    const queue = await openQueue();
    let isStopped = false;
    const first = startBatching(() => isStopped);
    const [job, ...more] = jobsOf(5);
    if (!job) throw new Error('five were made');
    await enqueueRollback(queue, job);
    await expect.poll(() => first.batches.length, { timeout: SOON }).toBe(1);
    const second = startBatching(() => true);
    const closing = first.worker.close();
    await enqueueMany(queue, more);
    for (const { requestId } of more) await followRollback(queue, requestId);
    expect(first.batches).toHaveLength(1);
    expect(second.batches.flat()).toHaveLength(4);
    isStopped = true;
    await closing;
  });

  it.runIf(isProof)(
    'the other one takes over where the first is killed in the middle, and each rollback is executed once',
    async () => {
      const queue = await openQueue();
      const folder = await temporaryFolder();
      const first = await startProcess(folder, 'first', { holdAt: 'staged', holdMs: 600_000 });
      const jobs = jobsOf(20);
      const ids = jobs.map(({ requestId }) => requestId);
      const { since } = await enqueueMany(queue, jobs);
      await written(folder, 'first holds staged');
      await startProcess(folder, 'second');
      const [late] = jobsOf(1);
      if (!late) throw new Error('one was made');
      // Of a living holder, nothing is taken.
      await enqueueRollback(queue, late);
      await expect.poll(() => queue.jobs.getActiveCount(), { timeout: SOON }).toBeGreaterThanOrEqual(21);
      expect(journal(folder)).not.toContain('second starts');
      first.kill('SIGKILL');
      const killed = performance.now();
      await Promise.all([...ids, late.requestId].map((id) => followRollback(queue, id, { since })));
      expect(performance.now() - killed).toBeLessThan(SOON);
      const executed = journal(folder).filter((line) => line.includes(' executed '));
      expect(executed.toSorted()).toEqual(
        [...ids, late.requestId].map((id) => `second executed ${id}`).toSorted(),
      );
      for (const id of ids) expect(await queue.jobs.getJob(id)).toMatchObject({ attemptsMade: 1 });
    },
  );
});

async function startProcess(
  folder: string,
  name: string,
  options: { holdAt?: string; holdMs?: number } = {},
) {
  const setup = { redisUrl: redis.url, name, journal: join(folder, 'journal'), batches: true, ...options };
  const child = spawn(process.execPath, [compiled(PROGRAM), JSON.stringify(setup)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  await written(folder, `${name} up`);
  return child;
}

function journal(folder: string): string[] {
  const file = join(folder, 'journal');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

async function written(folder: string, line: string): Promise<void> {
  await expect.poll(() => journal(folder), { timeout: SOON }).toContain(line);
}
