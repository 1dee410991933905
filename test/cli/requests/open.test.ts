import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  approvals,
  errorOf,
  GATEWAY,
  pendingOf,
  requestShape,
  setPolicy,
} from '../../helpers/people/approvals.ts';
import { backtrail, completedOf, exampleRepo, jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import { JSON_OUT, SERVICE, back, approve, listShape, show } from './commands.ts';
import { isProof } from '../../helpers/run/proof.ts';

describe('rollback where the policy asks for approval', () => {
  it('asks for it, says who can give it and how, and leaves the branch alone', async () => {
    const { repo, as } = await approvals();
    const tip = await repo.git('rev-parse', 'main');
    const { code, stdout, stderr } = await as('jane', back());
    const id = /rbk-\w{26}/.exec(stdout)?.[0] ?? '';
    expect(code).toBe(5);
    expect(stderr).toContain(
      'APPROVAL_NEEDED It needs the approval of one person: bob@example.com, carol@example.com',
    );
    expect(stdout.split('\n').slice(-5)).toEqual([
      'pending rollback of acme/production/api-gateway (service) to 27fea46',
      `  request   ${id}`,
      '  approval  0 of 1; bob@example.com, carol@example.com can approve',
      `            backtrail request approve ${id}`,
      '',
    ]);
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    expect(await repo.git('status', '--porcelain')).toBe('');
  });

  it.runIf(isProof)('needs no Redis to ask for it, also where a worker is to execute it', async () => {
    const { as } = await approvals();
    pendingOf(await as('jane', back('--queue', ...JSON_OUT)));
    const free = ['rollback', 'acme/staging/api-gateway', '--yes', '--reason', 'x', '--queue', ...JSON_OUT];
    expect(errorOf(await as('jane', free))).toMatchObject({ exit: 6, code: 'QUEUE_UNAVAILABLE' });
  });

  it.runIf(isProof)('gives a script the usual result, and the approvals', async () => {
    const { as } = await approvals();
    const result = pendingOf(await as('jane', back(...JSON_OUT)));
    const without = completedOf(await backtrail(await exampleRepo(), back(...JSON_OUT)));
    expect(Object.keys(result).toSorted()).toEqual([...Object.keys(without), 'approval'].toSorted());
    expect(result.approval).toEqual({
      need: 1,
      have: 0,
      approvers: ['bob@example.com', 'carol@example.com'],
    });
  });

  it.runIf(isProof)('says beforehand that it will, in a plan and a dry run', async () => {
    const { as, repo } = await approvals();
    for (const args of [
      ['plan', GATEWAY],
      ['rollback', GATEWAY, '--dry-run'],
    ]) {
      const { code, stdout } = await as('jane', args);
      expect({ code, stdout }).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('i APPROVAL_NEEDED'),
      });
      const shape = z.looseObject({ approval: z.looseObject({ need: z.number() }) });
      expect(jsonOf(await as('jane', [...args, ...JSON_OUT]), shape).approval.need).toBe(1);
    }
    expect((await as('jane', ['plan', 'acme/staging/api-gateway'])).stdout).not.toContain('APPROVAL_NEEDED');
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it('runs at once where no environment of the policy matches', async () => {
    const { as, repo } = await approvals();
    const args = ['rollback', 'acme/staging/api-gateway', '--yes', '--reason', 'x', ...JSON_OUT];
    completedOf(await as('jane', args));
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it('goes through the ledger, and at once, where the policy asks nobody', async () => {
    const { as, repo } = await approvals('quorum: 0');
    const result = completedOf(await as('jane', back(...JSON_OUT)));
    expect(await repo.git('show', `main:${SERVICE}`)).toContain('v2.0.5');
    expect(
      jsonOf(await as('jane', ['request', 'show', result.requestId, ...JSON_OUT]), requestShape),
    ).toMatchObject({
      status: 'completed',
      result: { commit: result.commit },
    });
  });

  it('with nothing to do asks nobody', async () => {
    const { as, repo } = await approvals();
    const tip = await repo.git('rev-parse', 'main');
    const { code, stdout } = await as('jane', back('--to', tip));
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^unchanged rollback/) });
  });

  it.runIf(isProof)('takes the place of an older one on the same scope, and says of which', async () => {
    const setting = await approvals();
    const older = await setting.ask();
    const { code, stdout } = await setting.as('jane', back());
    expect({ code, stdout }).toMatchObject({
      code: 5,
      stdout: expect.stringContaining(`takes the place of ${older},`),
    });
    const [newer] = jsonOf(await setting.as('bob', ['request', 'list', ...JSON_OUT]), listShape).requests;
    expect(await show(setting, older)).toMatchObject({ status: 'superseded', supersededBy: newer?.id });
    expect(pendingOf(await setting.as('jane', back(...JSON_OUT))).supersedes).toBe(newer?.id);
  });
});

describe('options without a value', () => {
  it.each([
    [['--to', ''], 'TARGET_REQUIRED', 'targetSha is required'],
    [['--to', ' '], 'TARGET_REQUIRED', 'targetSha is required'],
    [['--field', ''], 'FIELDS_REQUIRED', 'selected fields cannot be empty for field mode'],
    [['--field', 'image', ''], 'FIELDS_REQUIRED', 'selected fields cannot be empty for field mode'],
  ])('%j is refused, to the letter', async (more, code, message) => {
    const repo = await exampleRepo();
    for (const args of [['plan', GATEWAY, ...more], back(...more)]) {
      expect(refusalOf(await backtrail(repo, args))).toMatchObject({ exit: 2, code, message });
      expect(errorOf(await backtrail(repo, [...args, ...JSON_OUT]))).toMatchObject({
        exit: 2,
        code,
        message,
      });
    }
  });
});

describe('a policy', () => {
  it('that nobody can satisfy is refused, with the reason', async () => {
    const { as } = await approvals('quorum: 2, approvers: { users: [bob@example.com] }').catch(() =>
      approvals(),
    );
    const transcript = await as('jane', back());
    expect(refusalOf(transcript)).toMatchObject({ exit: 3, code: 'POLICY_UNSATISFIABLE' });
  });

  it.runIf(isProof)(
    'that grants something to some denies it to others; a plan is shown all the same',
    async () => {
      const permissions =
        '  permissions: [ { allow: [propose], users: [bob@example.com], in: ["**"] }, { allow: [deploy], users: [carol@example.com], in: ["**"] } ]\n';
      const { as } = await approvals('quorum: 1, approvers: { users: [carol@example.com] }', permissions);
      expect(refusalOf(await as('jane', back()))).toMatchObject({ exit: 3, code: 'PERMISSION_DENIED' });
      const plan = await as('jane', ['plan', GATEWAY]);
      expect(plan).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('! PERMISSION_DENIED It could not go ahead'),
      });
      pendingOf(await as('bob', back(...JSON_OUT)));
    },
  );

  it.runIf(isProof)('that changes while a request is pending counts as it is now', async () => {
    const setting = await approvals('quorum: 2');
    const id = await setting.ask();
    expect((await setting.as('bob', approve(id))).code).toBe(5);
    await setPolicy(setting.repo, 'quorum: 3');
    expect((await show(setting, id)).approval).toMatchObject({ have: 1, need: 3 });
  });
});
