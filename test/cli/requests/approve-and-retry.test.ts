import { beforeAll, describe, expect, it } from 'vitest';
import {
  approvals,
  type Approvals,
  errorOf,
  pendingOf,
  requestShape,
} from '../../helpers/people/approvals.ts';
import { jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { JSON_OUT, SERVICE, approve, show } from './commands.ts';
import { isProof } from '../../helpers/run/proof.ts';

const subject = (repo: Repo) => repo.git('log', '-1', '--format=%s', 'main');

describe('request approve', () => {
  let shared: Approvals;
  let asked = '';
  /** Nobody approves it but the last of these tests. */
  beforeAll(async () => {
    shared = await approvals();
    asked = await shared.ask();
  });

  it('needs a terminal or --yes, as do retries', async () => {
    for (const verb of ['approve', 'retry'])
      expect(refusalOf(await shared.as('bob', ['request', verb, asked]))).toMatchObject({
        exit: 2,
        code: 'CONFIRMATION_REQUIRED',
      });
    expect((await show(shared, asked)).reviews).toEqual([]);
  });

  it('is denied to whom the policy does not name', async () => {
    expect(refusalOf(await shared.as('eve', approve(asked)), { afterPlan: true })).toMatchObject({
      exit: 3,
      code: 'PERMISSION_DENIED',
    });
  });

  it('carries it out; the commit, the log and the request say who agreed', async () => {
    const { repo, as } = shared;
    const id = asked;
    const { code, stdout, stderr } = await as('bob', approve(id, '--here', '--comment', 'v2.0.5 was fine'));
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('✓ approved (1 of 1)\n  ✓ planned'),
    });
    expect(stderr).toContain('i PLAN_AGREED');
    expect(stdout).toMatch(
      /^completed rollback of acme\/production\/api-gateway \(service\) to 27fea46\n {2}request {3}rbk-/,
    );
    expect(await repo.git('show', `main:${SERVICE}`)).toContain('v2.0.5');
    const approvalsOf = '%(trailers:key=Approval,valueonly)';
    expect(await repo.git('log', '-1', '--skip=1', `--format=${approvalsOf}`, 'main')).toBe(
      'Approved by bob@example.com (quorum: 1/1)\n',
    );
    expect((await as('eve', ['log'])).stdout).toContain('Approved by bob@example.com (quorum: 1/1)');
    expect(await show(shared, id)).toMatchObject({
      status: 'completed',
      reviews: [{ decision: 'approved', comment: 'v2.0.5 was fine', counts: true, identity: 'verified' }],
    });
  });

  it('approves what a script looked at, by its digest, and nothing else', async () => {
    const setting = await approvals('quorum: 2');
    const { as, ask } = setting;
    const id = await ask();
    const byDigest = (digest: string, ...more: string[]) =>
      as('bob', ['request', 'approve', id, '--digest', digest, ...more, ...JSON_OUT]);
    const other = `sha256:${'0'.repeat(64)}`;
    expect(errorOf(await byDigest(other))).toMatchObject({ exit: 4, code: 'PLAN_CHANGED' });
    expect(errorOf(await byDigest('latest'))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    const many = ['request', 'approve', '--incident', 'inc-1', '--digest', other, ...JSON_OUT];
    expect(errorOf(await as('bob', many))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    const { digest } = await show(setting, id);
    expect(errorOf(await byDigest(digest, '--rendered', other))).toMatchObject({ code: 'PLAN_CHANGED' });
    expect(errorOf(await byDigest(digest, '--rendered', 'x'))).toMatchObject({ code: 'INVALID_REQUEST' });
    const alone = ['request', 'approve', id, '--rendered', other, ...JSON_OUT];
    expect(errorOf(await as('bob', alone))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    expect((await show(setting, id)).reviews).toEqual([]);
    const { code, stdout } = await byDigest(digest);
    expect(code).toBe(5);
    expect(requestShape.parse(JSON.parse(stdout))).toMatchObject({ approval: { need: 2, have: 1 } });
  });

  it.runIf(isProof)('needs as many as the policy says, and one of each person', async () => {
    const { as, ask } = await approvals('quorum: 2');
    const id = await ask();
    const first = await as('bob', approve(id, ...JSON_OUT));
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 5, stderr: '' });
    expect(requestShape.parse(JSON.parse(first.stdout))).toMatchObject({
      status: 'pending',
      approval: { need: 2, have: 1 },
    });
    const again = ['you have already reviewed this rollback request', 'ALREADY_REVIEWED', 4] as const;
    expect(errorOf(await as('bob', approve(id, ...JSON_OUT)))).toMatchObject({
      message: again[0],
      code: again[1],
      exit: again[2],
    });
    expect(refusalOf(await as('bob', ['request', 'reject', id]))).toMatchObject({
      exit: 4,
      message: again[0],
    });
    const done = jsonOf(await as('carol', approve(id, '--here', ...JSON_OUT)), requestShape);
    expect(done).toMatchObject({ status: 'completed', approval: { need: 2, have: 2 } });
  });

  it.runIf(isProof)('says on a terminal how many are missing, and who can give them', async () => {
    const { as, ask } = await approvals(
      'quorum: 2, approvers: { users: [bob@example.com, carol@example.com] }',
    );
    const id = await ask();
    const { code, stdout } = await as('bob', approve(id));
    expect({ code, stdout }).toEqual({
      code: 5,
      stdout: `pending request ${id} has 1 of 2; carol@example.com can approve\n`,
    });
  });

  it.runIf(isProof)('refuses that of the author, to the letter', async () => {
    const setting = await approvals('quorum: 1');
    const id = await setting.ask();
    const message = 'cannot approve/reject your own rollback request';
    for (const verb of ['approve', 'reject']) {
      const args = ['request', verb, id, ...(verb === 'approve' ? ['--yes'] : [])];
      expect(refusalOf(await setting.as('jane', args))).toMatchObject({
        exit: 3,
        code: 'OWN_REQUEST',
        message,
      });
      expect(errorOf(await setting.as('jane', [...args, ...JSON_OUT]))).toMatchObject({
        code: 'OWN_REQUEST',
        message,
        exit: 3,
      });
    }
    expect(await show(setting, id)).toMatchObject({ status: 'pending', reviews: [] });
  });

  it.runIf(isProof)('refuses one that is over, to the letter', async () => {
    const setting = await approvals();
    const { as, ask, repo } = setting;
    const id = await ask();
    const tip = await repo.git('rev-parse', 'main');
    const rejected = await as('bob', ['request', 'reject', id, '--comment', 'Not on a Friday']);
    expect({ code: rejected.code, stderr: rejected.stderr }).toEqual({ code: 0, stderr: '' });
    expect(rejected.stdout).toMatch(
      /^rbk-\w+ {2}rejected\n[^]*rejected {2}Bob <bob@example\.com>: Not on a Friday\n/,
    );
    for (const args of [approve(id), ['request', 'reject', id], approve(id, '--here')])
      expect(refusalOf(await as('carol', args))).toMatchObject({
        exit: 2,
        code: 'REQUEST_NOT_PENDING',
        message: 'rollback request is not pending approval',
      });
    expect(errorOf(await as('carol', approve(id, ...JSON_OUT)))).toMatchObject({
      code: 'REQUEST_NOT_PENDING',
      message: 'rollback request is not pending approval',
    });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
  });

  it.runIf(isProof)('counts nothing that no trusted key signed, and says so', async () => {
    const setting = await approvals('quorum: 1');
    const id = await setting.ask();
    const { code, stdout } = await setting.as('eve', approve(id, '--here'));
    expect({ code, stdout }).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(
        / has 0 of 1; [^\n]+\n {2}Yours does not count: [^\n]+eve@example\.com\.\n {2}Sign with/,
      ),
    });
    expect(await show(setting, id)).toMatchObject({
      status: 'pending',
      reviews: [{ counts: false, identity: 'unverified' }],
    });
    expect(await subject(setting.repo)).toBe('Ask for approval');
  });

  it.runIf(isProof)('without a queue keeps the approval, says so, and is no failure', async () => {
    const setting = await approvals();
    const { as, ask, repo } = setting;
    const id = await ask();
    const left = await as('bob', approve(id));
    expect(left).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^approved rollback of acme/),
      stderr: expect.stringContaining(`backtrail request retry ${id} --here`),
    });
    expect(await subject(repo)).toBe('Ask for approval');
    const other = await approvals();
    const quiet = jsonOf(await other.as('bob', approve(await other.ask(), ...JSON_OUT)), requestShape);
    expect(quiet.status).toBe('approved');
    const done = jsonOf(
      await as('bob', ['request', 'retry', id, '--yes', '--here', ...JSON_OUT]),
      requestShape,
    );
    expect(done).toMatchObject({ id, status: 'completed' });
    expect(await repo.git('show', `main:${SERVICE}`)).toContain('v2.0.5');
  });

  it('keeps the approval where the rollback fails, and retry carries it out', async () => {
    const setting = await approvals();
    const { as, ask, repo } = setting;
    const id = await ask();
    await repo.write({ [SERVICE]: 'mine: true\n' });
    const failed = errorOf(await as('bob', approve(id, '--here', ...JSON_OUT)));
    expect(failed).toMatchObject({
      exit: 1,
      code: 'EXECUTION_FAILED',
      message: 'approval saved but rollback execution failed',
      hint: expect.stringContaining(`backtrail request retry ${id}`),
      details: {
        requestId: id,
        cause: { code: 'WORKTREE_DIRTY', message: expect.stringContaining('service.yaml') },
      },
    });
    expect(failed.hint).toContain('WORKTREE_DIRTY');
    expect(await show(setting, id)).toMatchObject({
      status: 'failed',
      approval: { have: 1 },
      result: { status: 'failed', code: 'WORKTREE_DIRTY' },
    });
    await repo.git('checkout', '--', '.');
    const done = jsonOf(
      await as('bob', ['request', 'retry', id, '--yes', '--here', ...JSON_OUT]),
      requestShape,
    );
    expect(done).toMatchObject({ id, status: 'completed' });
    expect(await repo.git('show', `main:${SERVICE}`)).toContain('v2.0.5');
  });
});

describe('request retry', () => {
  it.runIf(isProof)('refuses what did not fail', async () => {
    const { as, ask } = await approvals();
    const id = await ask();
    for (const more of [[], ['--to', 'v1']])
      expect(
        refusalOf(await as('bob', ['request', 'retry', id, '--yes', ...more]), { afterPlan: true }),
      ).toMatchObject({
        exit: 2,
        code: 'REQUEST_NOT_FAILED',
      });
  });

  it.runIf(isProof)('to another revision asks anew, and says what it follows', async () => {
    const setting = await approvals();
    const { as, ask, repo } = setting;
    const id = await ask();
    await repo.write({ [SERVICE]: 'mine: true\n' });
    expect((await as('bob', approve(id, '--here'))).code).toBe(1);
    await repo.git('checkout', '--', '.');
    const retry = ['request', 'retry', id, '--to', 'v6', '--yes', ...JSON_OUT];
    const next = pendingOf(await as('jane', retry));
    expect(next.requestId).not.toBe(id);
    expect(await show(setting, next.requestId)).toMatchObject({
      status: 'pending',
      follows: id,
      justification: 'It answers 500',
      rollbackOf: { version: 6 },
    });
    const reason = ['request', 'retry', id, '--reason', 'x', '--yes'];
    expect(refusalOf(await as('jane', reason))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    expect(refusalOf(await as('jane', ['request', 'retry', id, '--yes', '--to', '']))).toMatchObject({
      exit: 2,
      code: 'TARGET_REQUIRED',
      message: 'targetSha is required',
    });
  });
});
