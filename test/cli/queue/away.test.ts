/** `rollback --queue` where the queue is away, flushed, or says what is not so. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { UnrecoverableError, Worker } from 'bullmq';
import { backtrail, completedOf, exampleRepo, refusalOf, start, stateOf } from '../../helpers/program/cli.ts';
import { openIn } from '../../../cli/commands/worker.ts';
import { executeInBatches } from '../../../workers/index.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { startTestRedis, useRedis } from '../../helpers/servers/redis.ts';
import { isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { SOON } from '../../helpers/run/soon.ts';
import { back, GATEWAY } from './asking.ts';

/** Nothing was planned or asked before. */
const refusedFirst = (stderr: string) =>
  /^(?:backtrail: [^\n]+\n {2}code: QUEUE_UNAVAILABLE\n|\{"error":\{"code":"QUEUE_UNAVAILABLE")/.test(stderr);

describe('rollback --queue on a queue that is flushed', () => {
  const redis = useRedis();
  const { startWorker } = useQueues(redis);
  const executeRequest = async () => {
    const { env } = await isolatedEnv();
    const committer = { name: 'Backtrail', email: 'backtrail@localhost' };
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    return executeInBatches(openIn({ env, cacheFolder: await temporaryFolder(), committer, clock }));
  };

  it.runIf(isProof)('reports as completed what was published before, and does it once', async () => {
    const repo = await exampleRepo();
    const before = Number(await repo.git('rev-list', '--count', 'main'));
    const execute = await executeRequest();
    startWorker({
      execute: async (input) => {
        const result = await execute(input);
        await redis.client.flushall();
        return result;
      },
    });
    const { commit, deliveryCommit } = completedOf(
      await backtrail(repo, back('-o', 'json'), { redisUrl: redis.url }),
    );
    expect(await repo.git('rev-parse', 'main~1', 'main')).toBe(`${commit}\n${deliveryCommit}`);
    expect(Number(await repo.git('rev-list', '--count', 'main'))).toBe(before + 2);
  });

  it.runIf(isProof)(
    'puts what the ledger holds into the queue again, and follows it to its end',
    async () => {
      const repo = await exampleRepo();
      const before = Number(await repo.git('rev-list', '--count', 'main'));
      const execute = await executeRequest();
      const held = new AbortController();
      const letGo = once(held.signal, 'abort');
      let attempts = 0;
      startWorker({
        execute: async (input) => {
          attempts += 1;
          if (attempts > 1) return execute(input).finally(() => held.abort());
          // Whoever has it in hand goes on, when the job is gone and is added again.
          await redis.client.flushall();
          await letGo;
          return execute(input);
        },
      });
      const { code, stderr, stdout } = await backtrail(repo, back(), { redisUrl: redis.url });
      expect({ code, stderr, stdout }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('It is queued again.'),
        stdout: expect.stringMatching(/^completed/),
      });
      expect(attempts).toBe(2);
      expect(Number(await repo.git('rev-list', '--count', 'main'))).toBe(before + 2);
    },
  );

  it.runIf(isProof)('says that the ledger holds it where the queue loses it again and again', async () => {
    const repo = await exampleRepo();
    const tip = await repo.git('rev-parse', 'main');
    const execute = await executeRequest();
    const held = new AbortController();
    const letGo = once(held.signal, 'abort');
    startWorker({
      concurrency: 4,
      execute: async (input) => {
        await redis.client.flushall();
        await letGo;
        return execute(input);
      },
    });
    const refusal = refusalOf(await backtrail(repo, back(), { redisUrl: redis.url }), { afterPlan: true });
    expect(refusal).toMatchObject({
      exit: 6,
      code: 'QUEUE_UNAVAILABLE',
      hint: expect.stringMatching(/in the ledger.*`backtrail request show rbk-\w{26}`/),
    });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    // Three workers have it in hand now, and make one rollback of it.
    held.abort();
    const [id = ''] = /rbk-\w{26}/.exec(refusal.hint) ?? [];
    const record = () => repo.git('log', '-1', '--format=%B', 'refs/backtrail/ledger');
    await expect.poll(record).toMatch(/^Event: completed$/m);
    const grep = `--grep=^Rollback-Request-ID: ${id}$`;
    expect(await repo.git('log', '--format=%H', grep, 'main')).toMatch(/^[0-9a-f]+$/);
  });
});

describe('rollback --queue without a queue', () => {
  it.each(someOf(['-o json', '-o text'], 1))(
    'Redis is down: exit 6, QUEUE_UNAVAILABLE, soon, and no ref moved (%s)',
    async (format) => {
      const repo = await exampleRepo();
      const before = await stateOf(repo);
      const started = Date.now();
      const { code, stdout, stderr } = await backtrail(repo, back(...format.split(' ')));
      expect(code).toBe(6);
      expect(stdout).toMatch(format === '-o json' ? /"code": "QUEUE_UNAVAILABLE"/ : /^$/);
      expect(refusedFirst(stderr)).toBe(true);
      expect(Date.now() - started).toBeLessThan(SOON);
      expect(await stateOf(repo)).toBe(before);
    },
  );

  it.runIf(isProof)('something answers that is no Redis: the same', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const repo = await exampleRepo();
    const started = Date.now();
    const { code, stderr } = await backtrail(repo, back('-o', 'json'), {
      redisUrl: `redis://127.0.0.1:${port}`,
    });
    expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
      code: 6,
      error: { error: { code: 'QUEUE_UNAVAILABLE' } },
    });
    expect(Date.now() - started).toBeLessThan(SOON);
    silent.close();
  });

  it('an address that is none: exit 2', async () => {
    const repo = await exampleRepo();
    const transcript = await backtrail(repo, back('-o', 'json'), { redisUrl: 'http://x' });
    expect(transcript.code).toBe(2);
    expect(JSON.parse(transcript.stdout)).toEqual(JSON.parse(transcript.stderr));
  });

  it.runIf(isProof)('nobody works: says so while it waits', async () => {
    const redis = await startTestRedis();
    try {
      const repo = await exampleRepo();
      const { child, taken, ended } = start(repo, back(), { redisUrl: redis.url });
      await expect.poll(() => taken.stderr).toContain('no worker is connected');
      child.kill('SIGINT');
      const { code, stderr } = await ended;
      expect({ code, stderr }).toMatchObject({
        code: 130,
        stderr: expect.stringMatching(
          /rbk-\w{26} is no longer followed; it continues in the queue\.\n.*INTERRUPTED/,
        ),
      });
    } finally {
      await redis.stop();
    }
  });
});

describe('a result that another person writes into the queue', () => {
  it.each(someOf(['unchanged', 'completed', 'approved', 'failed'], 1))(
    'counts for nothing where the branch does not hold the rollback: %s',
    async (status) => {
      const redis = await startTestRedis();
      const id = 'a'.repeat(40);
      const forger = new Worker(
        'rollbacks',
        (job) =>
          Promise.resolve({
            requestId: job.id,
            status,
            mode: 'service',
            scope: GATEWAY,
            base: id,
            target: id,
            commit: status === 'completed' ? id : null,
            deliveryCommit: null,
            digest: `sha256:${'0'.repeat(64)}`,
            findings: [],
          }),
        { connection: { url: redis.url, maxRetriesPerRequest: null }, prefix: '{backtrail}' },
      );
      try {
        const repo = await exampleRepo();
        const tip = await repo.git('rev-parse', 'main');
        const { code, stdout, stderr } = await backtrail(repo, back('-o', 'json'), { redisUrl: redis.url });
        expect(code).toBe(1);
        expect(stdout).not.toContain('"status"');
        expect(stderr).toMatch(/VERIFY_FAILED/);
        expect(await repo.git('rev-parse', 'main')).toBe(tip);
      } finally {
        await forger.close(true);
        await redis.stop();
      }
    },
  );

  it('does not hide a rollback that stands on the branch: a failure', async () => {
    const redis = await startTestRedis();
    const repo = await exampleRepo();
    const engine = await engineOf(repo);
    const forger = new Worker(
      'rollbacks',
      async (job) => {
        await engine.requests.executeRequest(job.id ?? '');
        throw new UnrecoverableError(
          JSON.stringify({
            code: 'VERIFY_FAILED',
            message: 'It was refused.',
            hint: 'Try it again.',
            details: {},
          }),
        );
      },
      { connection: { url: redis.url, maxRetriesPerRequest: null }, prefix: '{backtrail}' },
    );
    try {
      const result = completedOf(await backtrail(repo, back('-o', 'json'), { redisUrl: redis.url }));
      expect(await repo.git('log', '--format=%H', '--grep=^Rollback-Request-ID:', 'main')).toBe(
        result.commit,
      );
    } finally {
      await forger.close(true);
      await redis.stop();
    }
  });
});
