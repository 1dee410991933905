/** `rollback --queue`: executed by a worker, as if it was executed here. */
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { isProof } from '../../helpers/run/proof.ts';
import { startTestRedis, useRedis } from '../../helpers/servers/redis.ts';
import { createRepo, isolatedEnv, temporaryFolder } from '../../helpers/repositories/repo.ts';
import type { RunningRedis } from '../../../scripts/redis.ts';
import { SOON } from '../../helpers/run/soon.ts';
import { back, GATEWAY } from './asking.ts';

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

  it.runIf(isProof)('gives a script the same result as without the queue, and nothing besides', async () => {
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
    // To a queue that no worker takes from.
    const idle = { redisUrl: `${redis.url}/1` };
    const text = await backtrail(await exampleRepo(), back('--no-wait'), idle);
    expect(text).toMatchObject({ code: 0, stdout: expect.stringMatching(/^executing rollback of/) });
  });

  it.runIf(isProof)('from a process of its own ends when it is done', async () => {
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
