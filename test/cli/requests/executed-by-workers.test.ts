import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  approvals,
  environmentOf,
  errorOf,
  GATEWAY,
  makePeople,
  pendingOf,
  requestShape,
} from '../../helpers/people/approvals.ts';
import { backtrail, completedOf, jsonOf, refusalOf, resultShape, start } from '../../helpers/program/cli.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { startTestRedis } from '../../helpers/servers/redis.ts';
import { cloneRepo, isolatedEnv } from '../../helpers/repositories/repo.ts';
import { hasScript, onTerminal, slowGit } from '../../helpers/program/terminal.ts';
import type { RunningRedis } from '../../../scripts/redis.ts';

const JSON_OUT = ['-o', 'json'];
const SERVICE = 'tenants/acme/production/services/api-gateway/service.yaml';
const back = (...more: string[]) => ['rollback', GATEWAY, '--yes', '--reason', 'It answers 500', ...more];
const approve = (id: string, ...more: string[]) => ['request', 'approve', id, '--yes', ...more];

describe('requests that a worker executes', () => {
  let redis: RunningRedis;
  let worker: ReturnType<typeof start>;
  beforeAll(async () => {
    redis = await startTestRedis();
    const [{ env }, { signers }] = await Promise.all([isolatedEnv(), makePeople()]);
    const options = { redisUrl: redis.url, env: { BACKTRAIL_ALLOWED_SIGNERS: signers } };
    worker = start({ folder: '/', env }, ['worker', '--name', 'tested'], options);
  });
  afterAll(async () => {
    worker.child.kill('SIGTERM');
    await worker.ended;
    await redis.stop();
  });
  const queue = () => ({ redisUrl: redis.url });

  it('are followed to their end by whoever approves last', async () => {
    const { as, ask, repo } = await approvals();
    const id = await ask();
    const { code, stdout, stderr } = await as('bob', approve(id), queue());
    expect({ code, stdout, stderr }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^completed rollback of/),
    });
    const lines = stderr.split('\n').filter((line) => /^ {2}(✓|queued)/.test(line));
    expect(lines.slice(0, 2)).toEqual(['  ✓ approved (1 of 1)', expect.stringContaining(`queued ${id} at`)]);
    expect(lines.slice(2)).toEqual(
      ['planned', 'staged', 'delivered', 'published', 'verified'].map((step) => `  ✓ ${step}`),
    );
    expect(await repo.git('show', `main:${SERVICE}`)).toContain('v2.0.5');
  });

  it.runIf(isProof)('give a script the request as it stands afterwards', async () => {
    const { as, ask } = await approvals();
    const done = jsonOf(await as('bob', approve(await ask(), ...JSON_OUT), queue()), requestShape);
    expect(done).toMatchObject({
      status: 'completed',
      result: { status: 'completed', commit: expect.stringMatching(/^\w{40}$/) },
    });
  });

  it.runIf(isProof)('are left alone with --no-wait', async () => {
    const { as, ask, repo } = await approvals();
    const id = await ask();
    const left = jsonOf(await as('bob', approve(id, '--no-wait', ...JSON_OUT), queue()), requestShape);
    expect(['executing', 'completed']).toContain(left.status);
    await expect.poll(() => repo.git('log', '-2', '--format=%B', 'main')).toContain(id);
  });

  it.runIf(isProof)('fail to the letter where the rollback fails, and are executed by retry', async () => {
    const { as, ask, repo } = await approvals();
    const id = await ask();
    await repo.write({ [SERVICE]: 'mine: true\n' });
    expect(refusalOf(await as('bob', approve(id), queue()), { afterPlan: true })).toMatchObject({
      exit: 1,
      code: 'EXECUTION_FAILED',
      message: 'approval saved but rollback execution failed',
      hint: expect.stringContaining('WORKTREE_DIRTY'),
    });
    const retry = ['request', 'retry', id, '--yes', ...JSON_OUT];
    expect(errorOf(await as('bob', retry, queue()))).toMatchObject({ exit: 3, code: 'WORKTREE_DIRTY' });
    await repo.git('checkout', '--', '.');
    // Without a queue it is left to a worker, which is not what was asked for.
    const left = await as('bob', retry);
    expect(left.code).toBe(6);
    const { result, findings } = jsonOf({ ...left, code: 0 }, requestShape);
    expect(result).not.toMatchObject({ status: 'completed' });
    expect(findings).toMatchObject([
      { code: 'QUEUE_UNAVAILABLE', hint: expect.stringContaining(`request retry ${id} --here`) },
    ]);
    expect(jsonOf(await as('bob', retry, queue()), requestShape)).toMatchObject({ id, status: 'completed' });
  });

  it.runIf(isProof)('are made of a rollback --queue too, where no policy asks', async () => {
    const { as } = await approvals();
    const args = ['rollback', 'acme/staging/api-gateway', '--yes', '--reason', 'x', '--queue', ...JSON_OUT];
    const { requestId, commit } = completedOf(await as('jane', args, queue()));
    const request = jsonOf(await as('jane', ['request', 'show', requestId, ...JSON_OUT]), requestShape);
    expect(request).toMatchObject({ status: 'completed', gate: 'no-policy', result: { commit } });
  });

  it('wait for approval with --queue as without', async () => {
    const { as, repo } = await approvals();
    const tip = await repo.git('rev-parse', 'main');
    pendingOf(await as('jane', back('--queue', ...JSON_OUT), queue()));
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it.runIf(isProof)('say `executing` in a list while the queue has them in hand', async () => {
    const { as, ask, people } = await approvals();
    const id = await ask();
    const slow = await slowGit('fast-import', 3);
    const own = await startTestRedis();
    const { env } = await isolatedEnv();
    const options = { redisUrl: own.url, env: { ...slow.env, BACKTRAIL_ALLOWED_SIGNERS: people.signers } };
    const slowly = start({ folder: '/', env }, ['worker'], options);
    try {
      await as('bob', approve(id, '--no-wait'), { redisUrl: own.url });
      await slow.reached();
      const list = await as('carol', ['request', 'list', '--status', 'executing'], { redisUrl: own.url });
      expect(list.stdout).toMatch(new RegExp(`^${id} +executing`, 'm'));
      const show = await as('carol', ['request', 'show', id, ...JSON_OUT], { redisUrl: own.url });
      expect(jsonOf(show, requestShape).status).toBe('executing');
      // Without the queue it is what the ledger says.
      expect(jsonOf(await as('carol', ['request', 'show', id, ...JSON_OUT]), requestShape).status).toBe(
        'approved',
      );
    } finally {
      slowly.child.kill('SIGTERM');
      await slowly.ended;
      await own.stop();
    }
  });
});

describe('a process that is stopped', () => {
  it.runIf(isProof)(
    'on Ctrl-C before it publishes leaves the request approved, and says how it goes on',
    async () => {
      const { as, ask, repo, people } = await approvals();
      const id = await ask();
      const tip = await repo.git('rev-parse', 'main');
      // The first one writes the approval.
      const slow = await slowGit('fast-import', 1, 1);
      const options = { env: { ...environmentOf(people, 'bob'), ...slow.env } };
      const { child, ended } = start(repo, [...approve(id, '--here'), ...JSON_OUT], options);
      await slow.reached();
      child.kill('SIGINT');
      const stopped = errorOf(await ended);
      expect(stopped).toMatchObject({
        exit: 130,
        code: 'INTERRUPTED',
        message: `Stopped by SIGINT; nothing was published, and request ${id} stays approved in the ledger.`,
        hint: expect.stringContaining(`backtrail request retry ${id} --here`),
      });
      expect(await repo.git('rev-parse', 'main')).toBe(tip);
      const done = await as('bob', ['request', 'retry', id, '--here', '--yes', ...JSON_OUT]);
      expect(jsonOf(done, requestShape)).toMatchObject({ id, status: 'completed' });
    },
  );

  it.runIf(isProof)('on Ctrl-C while it publishes gives the result, and the ledger holds it', async () => {
    const { as, repo, people } = await approvals('quorum: 0');
    const slow = await slowGit('merge');
    const options = { env: { ...environmentOf(people, 'jane'), ...slow.env } };
    const { child, ended } = start(repo, [...back(), ...JSON_OUT], options);
    await slow.reached();
    child.kill('SIGINT');
    const result = jsonOf(await ended, resultShape);
    expect(result.status).toBe('completed');
    const request = await as('jane', ['request', 'show', result.requestId, ...JSON_OUT]);
    expect(jsonOf(request, requestShape)).toMatchObject({
      status: 'completed',
      result: { commit: result.commit },
    });
  });
});

describe.runIf(isProof && hasScript)('on a terminal (needs util-linux script)', () => {
  it('approve shows the plan and asks; a no changes nothing, a yes carries it out', async () => {
    const { as, ask, repo, people } = await approvals();
    const id = await ask();
    const here = { ...repo, env: { ...repo.env, ...environmentOf(people, 'bob') } };
    const no = await onTerminal(here, ['request', 'approve', id, '--here'], [['Approve this?', '\r']]);
    expect(no.seen).toContain('v2.1.0');
    expect(no.seen).toContain('not confirmed; nothing was changed.');
    expect(no.code).toBe(2);
    expect(jsonOf(await as('bob', ['request', 'show', id, ...JSON_OUT]), requestShape).reviews).toEqual([]);
    const yes = await onTerminal(here, ['request', 'approve', id, '--here'], [['Approve this?', 'y']]);
    expect(yes.code).toBe(0);
    expect(yes.seen).toMatch(/completed.* rollback of/);
  });

  it.runIf(isProof)('rollback says that it asks for approval, before it does', async () => {
    const { repo, people } = await approvals();
    const here = { ...repo, env: { ...repo.env, ...environmentOf(people, 'jane') } };
    const asked = await onTerminal(
      here,
      ['rollback', GATEWAY],
      [
        ['Why?', 'It answers 500\r'],
        ['Ask for approval?', 'y'],
      ],
    );
    expect(asked.code).toBe(5);
    expect(asked.seen).toMatch(/pending.* rollback of/);
  });
});

describe('people with clones of one remote', () => {
  it.runIf(isProof)(
    'ask, approve and execute there; each clone follows, and can read the ledger',
    async () => {
      const { repo, people } = await approvals();
      const remote = await cloneRepo(repo, { bare: true });
      const clones = { jane: await cloneRepo(remote), bob: await cloneRepo(remote) };
      const as = (who: 'jane' | 'bob', ...args: string[]) =>
        backtrail(clones[who], args, { env: environmentOf(people, who) });
      const { requestId } = pendingOf(await as('jane', ...back(...JSON_OUT)));
      expect(await remote.git('for-each-ref', '--format=%(refname)', 'refs/backtrail')).toBe(
        'refs/backtrail/ledger',
      );
      expect((await as('bob', 'request', 'list')).stdout).toContain(requestId);
      const done = jsonOf(await as('bob', ...approve(requestId, '--here', ...JSON_OUT)), requestShape);
      expect(done).toMatchObject({ id: requestId, status: 'completed' });
      const tip = await remote.git('rev-parse', 'main');
      expect(await remote.git('show', `main:${SERVICE}`)).toContain('v2.0.5');
      expect(await clones.bob.git('rev-parse', 'main')).toBe(tip);
      const seen = jsonOf(await as('jane', 'request', 'show', requestId, ...JSON_OUT), requestShape);
      expect(seen).toMatchObject({ status: 'completed', result: { commit: done.result?.commit } });
      // Somebody without a clone.
      const url = { folder: repo.folder, env: repo.env };
      const shown = await backtrail(url, ['--repo', `file://${remote.folder}`, 'audit', 'log']);
      expect(shown.stdout.split('\n').filter((line) => line.includes(requestId))).toHaveLength(3);
    },
  );
});
