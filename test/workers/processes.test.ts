import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { enqueueRollback, followRollback } from '../../workers/index.ts';
import { compiled } from '../helpers/program/compiled.ts';
import { makeJob } from '../helpers/queue/queue-values.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { isProof } from '../helpers/run/proof.ts';
import { startTestRedis, useRedis } from '../helpers/servers/redis.ts';
import { SOON } from '../helpers/run/soon.ts';

const redis = useRedis();
const { openQueue } = useQueues(redis);
const children: ChildProcess[] = [];
const PROGRAM = 'test/helpers/queue/worker-process.ts';
let folder = '';

// Before any connection is open, which would be without an answer for as long.
beforeAll(() => void compiled(PROGRAM));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backtrail-workers-'));
});
afterEach(async () => {
  const running = children
    .splice(0)
    .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    running.map((child) => {
      child.kill('SIGKILL');
      return once(child, 'exit');
    }),
  );
  rmSync(folder, { recursive: true, force: true });
});

describe('a worker that is killed', () => {
  it.runIf(isProof)(
    'has its rollback taken over sooner than by the defaults of BullMQ, a minute, the second time too',
    async () => {
      const queue = await openQueue();
      const first = await startProcess('first', { holdAt: 'staged', holdMs: 60_000 });
      const job = makeJob();
      const { since } = await enqueueRollback(queue, job);
      await written('first holds staged');
      const second = await startProcess('second', { holdAt: 'delivered', holdMs: 60_000 });
      first.kill('SIGKILL');
      const firstTakeover = await timed(() => written('second starts'));
      await written('second holds delivered');
      await startProcess('third');
      second.kill('SIGKILL');
      const secondTakeover = await timed(() => written('third starts'));
      const steps: string[] = [];
      const result = await followRollback(queue, job.requestId, {
        since,
        onStep: ({ step }) => steps.push(step),
      });
      expect(result.status).toBe('completed');
      expect(steps).toEqual(['planned', 'staged', 'delivered', 'published', 'verified']);
      expect(Math.max(firstTakeover, secondTakeover)).toBeLessThan(45_000);
      expect((await queue.jobs.getJob(job.requestId))?.attemptsMade).toBe(1);
    },
  );
});

describe('SIGTERM', () => {
  it('finishes the step in hand, gives the rollback to another worker at once, and exits with 0', async () => {
    const queue = await openQueue();
    const first = await startProcess('first', { holdAt: 'staged', holdMs: 60_000 });
    const job = makeJob();
    await enqueueRollback(queue, job);
    await written('first holds staged');
    await startProcess('second');
    first.kill('SIGTERM');
    await sleep(400);
    expect(journal()).not.toContain('first staged');
    release();
    const [code] = await once(first, 'exit');
    const handover = await timed(() => written('second starts'));
    expect(await followRollback(queue, job.requestId)).toMatchObject({ status: 'completed' });
    expect(code).toBe(0);
    expect(handover).toBeLessThan(SOON);
    expect(journal()).toContain('first staged');
    expect(journal()).not.toContain('first delivered');
    expect((await queue.jobs.getJob(job.requestId))?.attemptsMade).toBe(1);
    expect((await queue.jobs.getJob(job.requestId))?.stalledCounter).toBe(0);
  });

  it('ends an idle worker at once, with no connection left behind', async () => {
    const before = await connections();
    const worker = await startProcess('idle');
    while ((await connections()) <= before) await sleep(20);
    worker.kill('SIGTERM');
    const duration = await timed(() => once(worker, 'exit'));
    expect(worker.exitCode).toBe(0);
    expect(duration).toBeLessThan(SOON);
    expect(await connections()).toBe(before);
  });

  it('a second time exits in the middle of the step', async () => {
    const queue = await openQueue();
    const worker = await startProcess('first', { holdAt: 'staged', holdMs: 60_000 });
    await enqueueRollback(queue, makeJob());
    await written('first holds staged');
    worker.kill('SIGTERM');
    await sleep(500);
    expect(worker.exitCode).toBeNull();
    worker.kill('SIGTERM');
    await once(worker, 'exit');
    expect(worker.exitCode).toBe(143);
  });

  it.runIf(isProof)('ends a worker whose Redis has gone away, also with a rollback in hand', async () => {
    const own = await startTestRedis();
    const queue = await openQueue(own.url);
    const worker = await startProcess('first', { holdAt: 'staged', holdMs: 1000, redisUrl: own.url });
    await enqueueRollback(queue, makeJob());
    await written('first holds staged');
    await own.stop();
    worker.kill('SIGTERM');
    const duration = await timed(() => once(worker, 'exit'));
    expect(worker.exitCode).toBe(0);
    expect(journal()).toContain('first staged');
    expect(duration).toBeLessThan(SOON);
  });

  it.runIf(isProof)('ends a worker that never reached Redis', async () => {
    const worker = await startProcess('lonely', { redisUrl: 'redis://127.0.0.1:1' });
    await sleep(300);
    worker.kill('SIGTERM');
    expect(await timed(() => once(worker, 'exit'))).toBeLessThan(SOON);
    expect(worker.exitCode).toBe(0);
  });
});

async function startProcess(
  name: string,
  options: { holdAt?: string; holdMs?: number; redisUrl?: string } = {},
) {
  const setup = { redisUrl: redis.url, name, journal: join(folder, 'journal'), ...options };
  const child = spawn(process.execPath, [compiled(PROGRAM), JSON.stringify(setup)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  await written(`${name} up`);
  return child;
}

/** Lets a worker go on that holds in a step. */
const release = () => writeFileSync(join(folder, 'journal.go'), '');

function journal(): string[] {
  const file = join(folder, 'journal');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

async function written(line: string): Promise<void> {
  for (const end = Date.now() + SOON; !journal().includes(line); await sleep(20))
    if (Date.now() > end)
      throw new Error(`"${line}" was not written; the journal holds:\n${journal().join('\n')}`);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

async function connections(): Promise<number> {
  const list = String(await redis.client.client('LIST'));
  return list.trim().split('\n').length;
}
