import { isProof, runs } from '../../helpers/run/proof.ts';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RequestId } from '../../../engine/model/index.ts';
import {
  checkQueue,
  createPushBudget,
  enqueueRollback,
  followRollback,
  openQueue,
} from '../../../workers/index.ts';
import type { RollbackQueue } from '../../../workers/index.ts';
import { compiled } from '../../helpers/program/compiled.ts';
import { makeJob, resultOf } from '../../helpers/queue/queue-values.ts';
import { recordingLogger, useQueues } from '../../helpers/queue/queue.ts';
import { hasNativeRedis } from '../../helpers/servers/redis.ts';
import {
  freePort,
  hasOpenssl,
  needsServer,
  privateAuthority,
  startCluster,
  startSentinel,
  useServers,
} from '../../helpers/servers/redis-groups.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';

const HOST = '127.0.0.1';
const start = useServers();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** Counts what it executes. */
function counting() {
  const executed = new Map<RequestId, number>();
  const execute = ({ requestId }: { requestId: RequestId }) => {
    executed.set(requestId, (executed.get(requestId) ?? 0) + 1);
    return Promise.resolve(resultOf(requestId));
  };
  return { executed, execute };
}

async function enqueueMany(queue: RollbackQueue, count: number): Promise<RequestId[]> {
  const jobs = Array.from({ length: count }, () => makeJob());
  for (const job of jobs) await enqueueRollback(queue, job);
  return jobs.map(({ requestId }) => requestId);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

describe.skipIf(!hasNativeRedis)(`a cluster of three${needsServer}`, () => {
  const { openQueue: open, startWorker } = useQueues({ url: '' });

  it('gives each rollback to one of eight workers, once, and tells who follows', async () => {
    const { hosts } = await startCluster(start);
    const redisUrl = `redis-cluster://:hunter2@${hosts}`;
    const { executed, execute } = counting();
    const workers = Array.from({ length: 8 }, (_, index) =>
      startWorker({ redisUrl, execute, name: `w${index}`, concurrency: 4 }),
    );
    const queue = await open(redisUrl);
    const ids = await enqueueMany(queue, runs(60, 24));
    const results = await Promise.all(ids.map((id) => followRollback(queue, id)));
    expect(results.map(({ requestId }) => requestId)).toEqual(ids);
    expect([...executed.values()]).toEqual(ids.map(() => 1));
    expect(await checkQueue({ redisUrl, repo: null })).toContainEqual(
      expect.objectContaining({ name: 'workers', details: { serving: 8, others: 0 } }),
    );
    const said = workers.flatMap(({ lines }) => lines).join('\n');
    expect(said).toContain(hosts);
    expect(said).not.toMatch(/hunter2|"level":"(?:warn|error)"/);
  });

  it.runIf(isProof)('holds the budget of pushes on one of its nodes', async () => {
    const { hosts } = await startCluster(start);
    const { logger, find } = recordingLogger();
    const turn = createPushBudget({ redisUrl: `redis-cluster://:hunter2@${hosts}`, perMinute: 1, logger });
    const stop = new AbortController();
    await turn('git@git.example.com:config.git', stop.signal);
    const second = turn('git@git.example.com:config.git', stop.signal);
    await expect.poll(() => find('waiting for a turn').length).toBe(1);
    stop.abort();
    await second;
    expect(find('publishing without it')).toEqual([]);
  });

  it.runIf(isProof)(
    'says where it is, and no password, when the password is wrong or none of it answers',
    async () => {
      const { hosts } = await startCluster(start);
      for (const address of [`redis-cluster://:hunter3@${hosts}`, 'redis-cluster://:hunter3@127.0.0.1:1']) {
        const error: unknown = await openQueue({ redisUrl: address }).catch((caught: unknown) => caught);
        expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
        expect(messageOf(error)).toContain(address.slice(address.indexOf('@') + 1));
        expect(JSON.stringify(error) + messageOf(error)).not.toMatch(/hunter/);
      }
    },
  );
});

describe.skipIf(!hasNativeRedis)(`a primary that Sentinel replaces${needsServer}`, () => {
  const { openQueue: open, startWorker } = useQueues({ url: '' });

  it('keeps two workers and whoever enqueues going, in the middle of what they do', async () => {
    const { primary, hosts } = await startSentinel(start, 'prime');
    const redisUrl = `redis-sentinel://${hosts}/prime`;
    const { executed, execute } = counting();
    const workers = ['one', 'two'].map((name) => startWorker({ redisUrl, execute, name, concurrency: 2 }));
    const before = await open(redisUrl);
    const early = await enqueueMany(before, 10);
    await Promise.all(early.map((id) => followRollback(before, id)));
    await primary.stop();
    const late = Array.from({ length: 10 }, () => makeJob());
    // As the reconciler does: again until the queue takes it.
    for (const job of late)
      await expect
        .poll(async () => {
          const queue = await openQueue({ redisUrl }).catch(() => null);
          const added = queue && (await enqueueRollback(queue, job).catch(() => null));
          await queue?.close();
          return added !== null;
        })
        .toBe(true);
    const after = await open(redisUrl);
    const results = await Promise.all(late.map(({ requestId }) => followRollback(after, requestId)));
    expect(results.map(({ status }) => status)).toEqual(late.map(() => 'completed'));
    for (const { requestId } of late) expect(executed.get(requestId)).toBeGreaterThanOrEqual(1);
    // The queue of before follows the primary as well.
    await expect
      .poll(() =>
        enqueueRollback(before, makeJob()).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    for (const { find } of workers) await expect.poll(() => find('Redis is back')).not.toEqual([]);
  });

  it.runIf(isProof)('is not found by a group that the Sentinel does not know', async () => {
    const { hosts } = await startSentinel(start, 'prime');
    const error: unknown = await openQueue({ redisUrl: `redis-sentinel://:hunter2@${hosts}/other` }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect(messageOf(error)).toContain(hosts);
    expect(messageOf(error)).not.toContain('hunter2');
  });
});

const withTls = hasNativeRedis && hasOpenssl;
const needsTls = withTls ? '' : ' (skipped: redis-server or openssl is not installed)';

describe.skipIf(!withTls)(`TLS with a private authority${needsTls}`, () => {
  const { openQueue: open } = useQueues({ url: '' });

  async function executedBy(redisUrl: string, plain: string, authority: string): Promise<string> {
    const journal = join(await temporaryFolder(), 'journal');
    const setup = JSON.stringify({ redisUrl, name: 'child', journal });
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority };
    const child = spawn(process.execPath, [compiled('test/helpers/queue/worker-process.ts'), setup], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    });
    children.push(child);
    const queue = await open(plain);
    const job = makeJob();
    await enqueueRollback(queue, job);
    return (await followRollback(queue, job.requestId)).status;
  }

  it('is used by a worker that NODE_EXTRA_CA_CERTS tells of it', async () => {
    const { authority, config } = await privateAuthority();
    const port = await freePort();
    const server = await start(config(port));
    expect(await executedBy(`rediss://${HOST}:${port}`, server.url, authority)).toBe('completed');
  });

  it.runIf(isProof)('is used on every node of a cluster', async () => {
    const { authority, config } = await privateAuthority();
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const { hosts } = await startCluster(start, (index) => [...config(ports[index] ?? 0), 'tls-cluster yes']);
    const nodes = ports.map((port) => `${HOST}:${port}`).join(',');
    const plain = `redis-cluster://:hunter2@${hosts}`;
    expect(await executedBy(`rediss-cluster://:hunter2@${nodes}`, plain, authority)).toBe('completed');
  });

  it.runIf(isProof)('is used to the Sentinel and to the primary that it names', async () => {
    const { authority, config } = await privateAuthority();
    const [primary, sentinel] = await Promise.all([freePort(), freePort()]);
    const watched = await start(config(primary));
    const watch = [`sentinel monitor prime ${HOST} ${primary} 1`, 'tls-replication yes'];
    await start([...config(sentinel), ...watch], { sentinel: true });
    const address = `rediss-sentinel://${HOST}:${sentinel}/prime`;
    expect(await executedBy(address, watched.url, authority)).toBe('completed');
  });

  it('is refused where nobody told of the authority', async () => {
    const { config } = await privateAuthority();
    const port = await freePort();
    await start(config(port));
    const error: unknown = await openQueue({ redisUrl: `rediss://:hunter2@${HOST}:${port}` }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect(messageOf(error)).toMatch(/certificate/);
  });
});
