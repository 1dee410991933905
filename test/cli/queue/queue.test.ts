import { symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnrecoverableError, Worker } from 'bullmq';
import { z } from 'zod';
import {
  backtrail,
  completedOf,
  exampleRepo,
  jsonOf,
  refusalOf,
  resultShape,
  runProcess,
  start,
  stateOf,
} from '../../helpers/program/cli.ts';
import { openIn } from '../../../cli/commands/worker.ts';
import { executeInBatches } from '../../../workers/index.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { useQueues } from '../../helpers/queue/queue.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { startTestRedis, useRedis } from '../../helpers/servers/redis.ts';
import { createRepo, isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import type { RunningRedis } from '../../../scripts/redis.ts';
import { SOON } from '../../helpers/run/soon.ts';

const GATEWAY = 'acme/production/api-gateway';
const back = (...more: string[]) => [
  'rollback',
  GATEWAY,
  '--yes',
  '--reason',
  'It answers 500',
  '--queue',
  ...more,
];

describe('rollback --queue', () => {
  let redis: RunningRedis;
  let worker: ReturnType<typeof start>;
  beforeAll(async () => {
    redis = await startTestRedis();
    const { env } = await isolatedEnv();
    worker = start({ folder: '/', env }, ['worker', '--name', 'tested'], { redisUrl: redis.url });
  });
  afterAll(async () => {
    worker.child.kill('SIGTERM');
    await worker.ended;
    await redis.stop();
  });
  const options = () => ({ redisUrl: redis.url });

  it('follows a worker of another process live, each step once and in order', async () => {
    const repo = await exampleRepo();
    const { code, stdout, stderr } = await backtrail(repo, back(), options());
    expect(code).toBe(0);
    const lines = stderr.split('\n').filter((line) => line.startsWith('  ✓') || line.startsWith('  queued'));
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}queued rbk-\w{26} at 127\.0\.0\.1:\d+$/),
      ...['planned', 'staged', 'delivered', 'published', 'verified'].map((step) => `  ✓ ${step}`),
    ]);
    expect(stdout).toMatch(/^completed rollback of acme\/production\/api-gateway \(service\) to 27fea46\n/);
    expect(
      await repo.git('show', 'main:tenants/acme/production/services/api-gateway/service.yaml'),
    ).toContain('v2.0.5');
  });

  it('gives a script the same result as without the queue, and nothing besides', async () => {
    const [queued, direct] = [await exampleRepo(), await exampleRepo()];
    const config = await queued.git('show', 'main:.backtrail/config.yaml');
    const style =
      '\ncommit: { subject: "fix({service}): back to {target}", signoff: true, trailers: { Ticket: OPS-1 } }\n';
    for (const repo of [queued, direct]) await repo.commit({ '.backtrail/config.yaml': `${config}${style}` });
    const env = { GIT_AUTHOR_NAME: 'Jane', GIT_AUTHOR_EMAIL: 'jane@example.com' };
    const now = Date.parse('2026-12-01T00:00:00Z');
    const one = completedOf(
      await backtrail(queued, back('-o', 'json', '--no-hold'), { ...options(), env, now }),
    );
    // A hold is named by its request.
    const args = back('-o', 'json', '--no-hold').filter((word) => word !== '--queue');
    const other = completedOf(await backtrail(direct, args, { env, now }));
    // Two requests have two ids, and so two commits of the same tree.
    const { requestId: _, commit: one1, deliveryCommit: one2, ...rest } = one;
    const { requestId: __, commit: other1, deliveryCommit: other2, ...same } = other;
    expect(rest).toEqual({ ...same, destination: { remote: null, address: queued.folder, branch: 'main' } });
    expect(Object.keys(one)).toEqual(Object.keys(other));
    for (const [mine, theirs] of [
      [one1, other1],
      [one2, other2],
    ])
      expect(await queued.git('rev-parse', `${mine}^{tree}`)).toBe(
        await direct.git('rev-parse', `${theirs}^{tree}`),
      );
    // The queued one went through the ledger, and says so.
    const messageOf = async (repo: typeof direct, commit: string | null | undefined) =>
      (await repo.git('log', '-1', '--format=%B', commit ?? ''))
        .replace(/rbk-\w{26}|[0-9a-f]{40}/g, 'ID')
        .replace('Rollback-Ledger: ID\n', '');
    expect(await messageOf(queued, one1)).toBe(await messageOf(direct, other1));
    expect(await messageOf(queued, one2)).toBe(await messageOf(direct, other2));
    expect(await messageOf(queued, one1)).toMatch(
      /^fix\(api-gateway\): back to 27fea46\n[^]*\nTicket: OPS-1\nSigned-off-by: Jane <jane@example.com>\n/,
    );
  });

  it.runIf(isProof)('takes a relative path: the worker stands elsewhere', async () => {
    const repo = await exampleRepo();
    const cwd = join(repo.folder, '..');
    completedOf(await backtrail(repo, ['--repo', 'config', ...back('-o', 'json')], { ...options(), cwd }));
    const again = await exampleRepo();
    const inside = join(again.folder, 'tenants/acme');
    completedOf(
      await backtrail(again, ['--repo', '..', ...back('-o', 'json')], { ...options(), cwd: inside }),
    );
    expect(await again.git('status', '--porcelain')).toBe('');
  });

  it('refuses a configuration from outside before it plans on, which rolls back in this process', async () => {
    const repo = await createRepo();
    await repo.commit({ 'apps/production/web.yaml': 'image: v1\n' });
    await repo.commit({ 'apps/production/web.yaml': 'image: v2\n' });
    const config = join(await temporaryFolder(), 'layout.yaml');
    await writeFile(config, 'version: 1\nlayout: { service: [ "apps/{environment}/{service}.yaml" ] }\n');
    const args = [
      '--config',
      config,
      'rollback',
      'production/web',
      '--yes',
      '--reason',
      'x',
      '--queue',
      '-o',
      'json',
    ];
    const state = await stateOf(repo);
    expect(refusalOf(await backtrail(repo, args.slice(0, -2), options()))).toMatchObject({
      exit: 3,
      code: 'FORBIDDEN',
      hint: expect.stringContaining('.backtrail/config.yaml'),
    });
    expect(await stateOf(repo)).toBe(state);
    const here = args.filter((argument) => argument !== '--queue');
    completedOf(await backtrail(repo, here, options()));
    expect(await repo.git('show', 'main:apps/production/web.yaml')).toBe('image: v1');
  });

  it('takes a long reason, hostile text and all', async () => {
    const repo = await exampleRepo();
    const reason = `It fails\nApproval: me\n\u001b[31m\ud800 ${'slow '.repeat(20_000)}`;
    const args = ['rollback', GATEWAY, '--yes', '--reason', reason, '--queue', '-o', 'json'];
    const { commit } = completedOf(await backtrail(repo, args, options()));
    const trailers = await repo.git('log', '-1', '--format=%(trailers:only,unfold)', commit);
    expect(trailers).toMatch(/^Justification: It fails Approval: me \[31m\ufffd slow .*…$/m);
    expect(trailers).not.toMatch(/^Approval:/m);
  });

  it('gives the failure of the worker as its own: code, exit code and hint', async () => {
    const repo = await exampleRepo();
    await repo.write({ 'tenants/acme/production/services/api-gateway/service.yaml': 'mine: true\n' });
    const tip = await repo.git('rev-parse', 'main');
    const refusal = refusalOf(await backtrail(repo, back(), options()), { afterPlan: true });
    expect(refusal).toMatchObject({
      exit: 3,
      code: 'WORKTREE_DIRTY',
      message: expect.stringContaining('service.yaml'),
    });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    expect(await repo.git('status', '--porcelain')).toMatch(/^.M [^\n]+service\.yaml$/);
    expect(await repo.git('log', '-1', '--format=%B', 'refs/backtrail/ledger')).toMatch(/^Event: failed$/m);
  });

  it('with nothing to do says so at once, and queues nothing', async () => {
    const repo = await exampleRepo();
    const tip = await repo.git('rev-parse', 'main');
    const result = jsonOf(await backtrail(repo, back('--to', tip, '-o', 'json'), options()), resultShape);
    expect(result).toMatchObject({ status: 'unchanged', commit: null });
  });

  it('--no-wait says `executing` and leaves; the worker does it', async () => {
    const repo = await exampleRepo();
    const result = jsonOf(await backtrail(repo, back('--no-wait', '-o', 'json'), options()), resultShape);
    expect(result).toMatchObject({ status: 'executing', commit: null, deliveryCommit: null });
    await expect
      .poll(() => repo.git('log', '-1', '--skip=1', '--format=%B', 'main'))
      .toContain(result.requestId);
    const text = await backtrail(await exampleRepo(), back('--no-wait'), options());
    expect(text).toMatchObject({ code: 0, stdout: expect.stringMatching(/^executing rollback of/) });
  });

  it('from a process of its own ends when it is done', async () => {
    const repo = await exampleRepo();
    const started = Date.now();
    const transcript = await runProcess(repo, back('-o', 'json'), options());
    completedOf(transcript);
    expect(Date.now() - started).toBeLessThan(SOON);
  });

  it('the worker logs JSON lines that name the request, and no reason', async () => {
    const lines = worker.taken.stdout.split('\n').filter((line) => line !== '');
    const shape = z.looseObject({ name: z.literal('tested'), level: z.unknown() });
    for (const line of lines) expect(shape.safeParse(JSON.parse(line)).success).toBe(true);
    expect(worker.taken.stdout).toMatch(/rbk-\w{26}/);
    expect(worker.taken.stdout).not.toContain('It answers 500');
  });
});

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

describe('rollback --queue with workers of single repositories', () => {
  const redis = useRedis();

  it.runIf(isProof)('reaches the one that serves it, from a folder inside and through a link', async () => {
    const [mine, other] = [await exampleRepo(), await exampleRepo()];
    const link = join(await temporaryFolder(), 'link');
    await symlink(mine.folder, link);
    const serve = (repo: string) =>
      start({ folder: '/', env: mine.env }, ['--repo', repo, 'worker'], { redisUrl: redis.url });
    const workers = [serve(other.folder), serve(link)];
    await expect.poll(() => workers.every(({ taken }) => taken.stdout.includes('worker started'))).toBe(true);
    const options = { redisUrl: redis.url, cwd: join(mine.folder, 'tenants/acme') };
    completedOf(await backtrail(mine, back('-o', 'json'), options));
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ ended }) => ended));
    expect(workers[0]?.taken.stdout).not.toContain('rollback started');
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
