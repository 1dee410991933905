import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  approvals,
  type Approvals,
  errorOf,
  EVIL,
  GATEWAY,
  OBEYED,
  pendingOf,
  requestShape,
  setPolicy,
} from '../helpers/approvals.ts';
import { backtrail, completedOf, exampleRepo, jsonOf, refusalOf } from '../helpers/cli.ts';
import type { Repo } from '../helpers/repo.ts';

const JSON_OUT = ['-o', 'json'];
const SERVICE = 'tenants/acme/production/services/api-gateway/service.yaml';
const back = (...more: string[]) => ['rollback', GATEWAY, '--yes', '--reason', 'It answers 500', ...more];
const approve = (id: string, ...more: string[]) => ['request', 'approve', id, '--yes', ...more];
const subject = (repo: Repo) => repo.git('log', '-1', '--format=%s', 'main');
const listShape = z.object({ requests: z.array(requestShape) });

async function show({ as }: Approvals, id: string) {
  return jsonOf(await as('carol', ['request', 'show', id, ...JSON_OUT]), requestShape);
}

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

  it('gives a script the usual result, and the approvals', async () => {
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

  it('says beforehand that it will, in a plan and a dry run', async () => {
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

  it('takes the place of an older one on the same scope, and says of which', async () => {
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

describe('request approve', () => {
  it('carries it out; the commit, the log and the request say who agreed', async () => {
    const setting = await approvals();
    const { repo, as, ask } = setting;
    const id = await ask();
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
    expect(await show(setting, id)).toMatchObject({
      status: 'completed',
      reviews: [{ decision: 'approved', comment: 'v2.0.5 was fine', counts: true, identity: 'verified' }],
    });
  });

  it('needs as many as the policy says, and one of each person', async () => {
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

  it('says on a terminal how many are missing, and who can give them', async () => {
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

  it('refuses that of the author, to the letter', async () => {
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

  it('refuses one that is over, to the letter', async () => {
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

  it('is denied to whom the policy does not name', async () => {
    const { as, ask } = await approvals();
    const id = await ask();
    expect(refusalOf(await as('eve', approve(id)), { afterPlan: true })).toMatchObject({
      exit: 3,
      code: 'PERMISSION_DENIED',
    });
  });

  it('counts nothing that no trusted key signed, and says so', async () => {
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

  it('without a queue keeps the approval, says so, and is no failure', async () => {
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

  it('needs a terminal or --yes, as do retries', async () => {
    const setting = await approvals();
    const id = await setting.ask();
    for (const verb of ['approve', 'retry'])
      expect(refusalOf(await setting.as('bob', ['request', verb, id]))).toMatchObject({
        exit: 2,
        code: 'CONFIRMATION_REQUIRED',
      });
    expect((await show(setting, id)).reviews).toEqual([]);
  });
});

describe('request retry', () => {
  it('refuses what did not fail', async () => {
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

  it('to another revision asks anew, and says what it follows', async () => {
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

describe('request list, show and plan', () => {
  it('list the open ones, or those of some status, or all', async () => {
    const { as, ask } = await approvals();
    const rejected = await ask();
    await as('bob', ['request', 'reject', rejected]);
    const pending = await ask();
    const ids = async (...more: string[]) =>
      jsonOf(await as('bob', ['request', 'list', ...JSON_OUT, ...more]), listShape).requests.map(
        ({ id }) => id,
      );
    expect(await ids()).toEqual([pending]);
    expect(await ids('--all')).toEqual([pending, rejected]);
    expect(await ids('--status', 'rejected')).toEqual([rejected]);
    expect(await ids('--status', 'rejected', 'pending')).toEqual([pending, rejected]);
    expect(await ids('acme/production')).toEqual([pending]);
    expect(await ids('globex/production')).toEqual([]);
    const { stdout } = await as('bob', ['request', 'list']);
    expect(stdout).toMatch(
      new RegExp(
        `^request +status +approvals +scope +to +author +asked \\(UTC\\) +why\n${pending} +pending +0 of 1 +${GATEWAY} +v7 \\(27fea46\\) +jane@example.com +[-\\d]+ [\\d:]+ +It answers 500\n$`,
      ),
    );
    expect(refusalOf(await as('bob', ['request', 'list', '--status', 'done']))).toMatchObject({
      exit: 2,
      message: expect.stringContaining('pending, approved, executing'),
    });
  });

  it('say that there is none', async () => {
    const { as } = await approvals();
    expect(await as('bob', ['request', 'list'])).toMatchObject({
      code: 0,
      stdout: 'No request is open; --all shows those that ended.\n',
    });
    expect(jsonOf(await as('bob', ['request', 'list', ...JSON_OUT]), listShape).requests).toEqual([]);
  });

  it('show whose identity no key proves', async () => {
    const { as } = await approvals();
    const asked = pendingOf(await as('eve', back(...JSON_OUT)));
    const { stdout } = await as('bob', ['request', 'show', asked.requestId]);
    expect(stdout).toContain('Eve <eve@example.com> (identity unverified)');
  });

  it('plan it again, and say whether it is still what reviewers are asked about', async () => {
    const { as, ask, repo } = await approvals();
    const id = await ask();
    const shape = z.looseObject({
      requestId: z.literal(id),
      status: z.string(),
      changed: z.boolean(),
      digest: z.string(),
    });
    const before = jsonOf(await as('bob', ['request', 'plan', id, ...JSON_OUT]), shape);
    expect(before).toMatchObject({ status: 'pending', changed: false });
    expect((await as('bob', ['request', 'plan', id])).stdout).toContain('i PLAN_AGREED');
    await repo.commit({ [SERVICE]: 'image: { tag: v9 }\n' });
    const after = jsonOf(await as('bob', ['request', 'plan', id, ...JSON_OUT]), shape);
    expect(after.changed).toBe(true);
    expect(after.digest).not.toBe(before.digest);
    expect((await as('bob', ['request', 'plan', id])).stdout).toContain('! PLAN_CHANGED');
  });
});

describe('request cancel and note', () => {
  it('cancel withdraws it, with a reason', async () => {
    const setting = await approvals();
    const id = await setting.ask();
    expect(refusalOf(await setting.as('eve', ['request', 'cancel', id])).exit).toBe(3);
    const { code, stdout } = await setting.as('jane', ['request', 'cancel', id, '--reason', 'Fixed forward']);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^rbk-\w+ {2}cancelled\n/),
    });
    expect((await show(setting, id)).status).toBe('cancelled');
  });

  it('note adds a line of its kind, also afterwards', async () => {
    const setting = await approvals();
    const { as, ask } = setting;
    const id = await ask();
    await as('bob', approve(id, '--here'));
    const note = (...args: string[]) => as('carol', ['request', 'note', id, ...args]);
    expect((await note('A null pointer in the parser', '--kind', 'root-cause')).code).toBe(0);
    expect((await note('https://incidents.example.com/4711', '--kind', 'incident')).code).toBe(0);
    expect((await show(setting, id)).notes).toMatchObject([
      { kind: 'root-cause', text: 'A null pointer in the parser' },
      { kind: 'incident', text: 'https://incidents.example.com/4711' },
    ]);
    expect(refusalOf(await note('x', '--kind', 'rumour'))).toMatchObject({
      exit: 2,
      code: 'INVALID_REQUEST',
    });
    expect(refusalOf(await note(' '))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    expect((await show(setting, id)).status).toBe('completed');
  });
});

describe('ids', () => {
  it('may be shortened while one request has them, in any case', async () => {
    const setting = await approvals();
    const id = await setting.ask();
    for (const short of [id.slice(-6), id.slice(4, 20), `rbk-${id.slice(-7)}`, id.toLowerCase(), id.slice(4)])
      expect((await show(setting, short)).id).toBe(id);
  });

  it('that several requests begin with name them', async () => {
    const { as } = await approvals();
    const now = Date.now();
    const ask = async () => pendingOf(await as('jane', back(...JSON_OUT), { now })).requestId;
    const [one, other] = [await ask(), await ask()];
    // A time and chance: asked for in the same millisecond, they begin alike.
    const start = one.slice(4, 14);
    expect(other.startsWith(`rbk-${start}`)).toBe(true);
    const refusal = refusalOf(await as('bob', ['request', 'show', start]));
    expect(refusal).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    expect(refusal.message).toContain(one);
    expect(refusal.message).toContain(other);
  });

  it.each([
    ['--', '--yes'],
    ['00000'],
    ['../../etc/passwd'],
    ['rbk-'],
    [''],
    ['refs/heads/main'],
    [`x\n${EVIL}`],
    ['rbk-00000000000000000000000000'],
  ])('that are none are refused: %j', async (...words) => {
    const { as, ask } = await approvals();
    await ask();
    const transcript = await as('bob', ['request', 'show', ...words]);
    expect(refusalOf(transcript)).toMatchObject({ exit: 2, code: 'REQUEST_UNKNOWN' });
    expect(transcript.stderr).not.toMatch(OBEYED);
  });

  it('a group without a command, or with one that is none, says where help is', async () => {
    const { as } = await approvals();
    expect(refusalOf(await as('bob', ['request', 'aprove']))).toMatchObject({
      exit: 2,
      hint: 'Did you mean approve? See `backtrail request --help`.',
    });
    expect(refusalOf(await as('bob', ['request']))).toMatchObject({
      exit: 2,
      hint: 'See `backtrail request --help`.',
    });
    expect(refusalOf(await as('bob', ['request', 'note', 'x']))).toMatchObject({
      exit: 2,
      hint: 'See `backtrail request note --help`.',
    });
  });
});

describe('free text', () => {
  const FORGED = `It fails\n\nEvent: approved\nActor: Eve <eve@example.com>\nApproval: Approved by eve@example.com\n---\n${EVIL}`;

  it('forges no trailer and moves no terminal, wherever it stands', async () => {
    const setting = await approvals('quorum: 2');
    const { as, repo } = setting;
    const asked = pendingOf(
      await as('jane', ['rollback', GATEWAY, '--yes', '--reason', FORGED, ...JSON_OUT]),
    );
    const id = asked.requestId;
    await as('bob', approve(id, '--comment', FORGED));
    await as('carol', ['request', 'note', id, FORGED]);
    const format =
      '%(trailers:key=Event,valueonly,separator=|)%x00%(trailers:key=Event-Actor,valueonly,separator=|)%x00%(trailers:key=Approval,valueonly)';
    const events = (await repo.git('log', `--format=${format}`, 'refs/backtrail/ledger')).split('\n');
    expect(events).toEqual([
      'noted\0Carol <carol@example.com>\0',
      'approved\0Bob <bob@example.com>\0',
      'opened\0Jane Doe <jane@example.com>\0',
    ]);
    for (const args of [
      ['request', 'list'],
      ['request', 'show', id],
      ['request', 'plan', id],
      ['audit', 'log'],
    ]) {
      const { code, stdout } = await as('carol', args);
      expect({ args, code, obeyed: OBEYED.test(stdout) }).toEqual({ args, code: 0, obeyed: false });
      const json = await as('carol', [...args, ...JSON_OUT]);
      expect(json.stdout).not.toMatch(OBEYED);
    }
    // What people read is one line each, so that none pretends to be another's.
    const { stdout } = await as('carol', ['request', 'show', id]);
    expect(stdout).not.toMatch(/^\s*(Event|Actor|Approval): /m);
    await as('carol', approve(id, '--here'));
    const trailers = await repo.git(
      'log',
      '-1',
      '--skip=1',
      '--format=%(trailers:key=Approval,valueonly)',
      'main',
    );
    expect(
      trailers
        .trim()
        .split('\n')
        .every((line) => /^Approved by (bob|carol)@example\.com \(quorum: 2\/2\)$/.test(line)),
    ).toBe(true);
  });

  it('of any length is taken, and cut', async () => {
    const setting = await approvals('quorum: 2');
    const long = 'slow '.repeat(20_000);
    const asked = pendingOf(
      await setting.as('jane', ['rollback', GATEWAY, '--yes', '--reason', long, ...JSON_OUT]),
    );
    expect((await setting.as('bob', approve(asked.requestId, '--comment', long))).code).toBe(5);
    expect((await setting.as('bob', ['request', 'note', asked.requestId, long])).code).toBe(0);
    const { justification, reviews, notes } = await show(setting, asked.requestId);
    for (const text of [justification, reviews[0]?.comment, notes[0]?.text])
      expect(text).toMatch(/^slow slow .*…$/s);
  });

  it('without a letter in it is no reason', async () => {
    const { as } = await approvals();
    for (const reason of ['', ' \n ', '\u202e'])
      expect(refusalOf(await as('jane', ['rollback', GATEWAY, '--yes', '--reason', reason]))).toMatchObject({
        exit: 2,
        code: 'REASON_REQUIRED',
      });
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

  it('that grants something to some denies it to others; a plan is shown all the same', async () => {
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
  });

  it('that changes while a request is pending counts as it is now', async () => {
    const setting = await approvals('quorum: 2');
    const id = await setting.ask();
    expect((await setting.as('bob', approve(id))).code).toBe(5);
    await setPolicy(setting.repo, 'quorum: 3');
    expect((await show(setting, id)).approval).toMatchObject({ have: 1, need: 3 });
  });
});
