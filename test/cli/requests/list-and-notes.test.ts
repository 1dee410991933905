import { beforeAll, describe, expect, it } from 'vitest';
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
} from '../../helpers/people/approvals.ts';
import { jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import { JSON_OUT, SERVICE, back, approve, listShape, show } from './commands.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

/** With one request, which is pending. */
let shared: Approvals;
let pending = '';
beforeAll(async () => {
  shared = await approvals();
  pending = await shared.ask();
});

describe('request list, show and plan', () => {
  it.runIf(isProof)('list the open ones, or those of some status, or all', async () => {
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
    expect(await ids('--author', 'Jane@example.com')).toEqual([pending]);
    expect(await ids('--author', 'bob@example.com', '--all')).toEqual([]);
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

  it.runIf(isProof)('name the fields that are asked for', async () => {
    const { as, ask } = await approvals();
    await ask('--field', 'image');
    const { stdout } = await as('bob', ['request', 'list']);
    expect(stdout).toContain(`${GATEWAY} (${SERVICE}#/`);
  });

  it.runIf(isProof)(
    'say of what nobody decided on in time that it expired, before anybody wrote so',
    async () => {
      const { as, ask } = await approvals();
      const id = await ask();
      const later = { now: Date.now() + 73 * 3_600_000 };
      const ids = async (...more: string[]) =>
        jsonOf(await as('bob', ['request', 'list', ...JSON_OUT, ...more], later), listShape).requests.map(
          (request) => `${request.id} ${request.status}`,
        );
      const show = async () =>
        jsonOf(await as('bob', ['request', 'show', id, ...JSON_OUT], later), requestShape);
      expect(await show()).toMatchObject({ status: 'expired', approval: { approvers: [] } });
      expect(await ids()).toEqual([]);
      expect(await ids('--status', 'pending')).toEqual([]);
      expect(await ids('--status', 'expired')).toEqual([`${id} expired`]);
      expect(await ids('--all')).toEqual([`${id} expired`]);
      expect(refusalOf(await as('bob', approve(id), later)).code).toBe('REQUEST_NOT_PENDING');
      await as('bob', ['reconcile'], later);
      expect(await ids('--all')).toEqual([`${id} expired`]);
    },
  );

  it('say that there is none', async () => {
    const { as } = await approvals();
    expect(await as('bob', ['request', 'list'])).toMatchObject({
      code: 0,
      stdout: 'No request is open; --all shows those that ended.\n',
    });
    expect(jsonOf(await as('bob', ['request', 'list', ...JSON_OUT]), listShape).requests).toEqual([]);
  });

  it.runIf(isProof)('show whose identity no key proves, where the policy lets them ask at all', async () => {
    const { as, repo } = await approvals();
    expect(errorOf(await as('eve', back(...JSON_OUT)))).toMatchObject({
      exit: 3,
      code: 'IDENTITY_UNVERIFIED',
      hint: expect.stringMatching(/user\.signingKey FILE; or set `unsignedRequests: true`/),
    });
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
    await setPolicy(repo, 'quorum: 1, unsignedRequests: true');
    const asked = pendingOf(await as('eve', back(...JSON_OUT)));
    const { stdout } = await as('bob', ['request', 'show', asked.requestId]);
    expect(stdout).toContain('Eve <eve@example.com> (identity unverified)');
  });

  it.runIf(isProof)('show where it is for, and what is for elsewhere', async () => {
    const { as, ask, repo } = await approvals('quorum: 2', `repository: git.example.com/acme/copy\n`);
    expect(errorOf(await as('jane', back(...JSON_OUT)))).toMatchObject({ exit: 3, code: 'PLACE_DIFFERS' });
    const naming = (where: string) => setPolicy(repo, 'quorum: 2', `repository: ${where}\n`);
    await naming(repo.folder);
    const id = await ask();
    await as('bob', ['request', 'approve', id, '--yes']);
    const { stdout } = await as('bob', ['request', 'show', id]);
    expect(stdout).toContain(`place       ${repo.folder} (main)\n`);
    expect(stdout).toMatch(/approved {2}Bob <bob@example\.com>\n/);
    await naming('git.example.com/acme/copy');
    const moved = (await as('bob', ['request', 'show', id])).stdout;
    expect(moved).toContain(`(main): another one than this, where it is not executed (PLACE_DIFFERS)\n`);
    expect(moved).toContain(`(does not count: for ${repo.folder})`);
  });

  it('plan it again, and say whether it is still what reviewers are asked about', async () => {
    const { as, repo } = shared;
    const id = pending;
    const shape = z.looseObject({
      requestId: z.literal(id),
      status: z.string(),
      changed: z.boolean(),
      digest: z.string(),
    });
    const before = jsonOf(await as('bob', ['request', 'plan', id, ...JSON_OUT]), shape);
    expect(before).toMatchObject({ status: 'pending', changed: false });
    expect((await as('bob', ['request', 'plan', id])).stdout).toContain('i PLAN_AGREED');
    // What Flux marks in the service is held.
    expect((await as('bob', ['request', 'show', id])).stdout).toMatch(/hold +until it is resumed/);
    await repo.commit({ [SERVICE]: 'image: { tag: v9 }\n' });
    const after = jsonOf(await as('bob', ['request', 'plan', id, ...JSON_OUT]), shape);
    expect(after.changed).toBe(true);
    expect(after.digest).not.toBe(before.digest);
    expect((await as('bob', ['request', 'plan', id])).stdout).toContain('! PLAN_CHANGED');
  });
});

describe('request cancel and note', () => {
  it('cancel withdraws it, with a reason; note adds a line of its kind, also afterwards', async () => {
    const setting = await approvals();
    const { as, ask } = setting;
    const id = await ask();
    expect(refusalOf(await setting.as('eve', ['request', 'cancel', id])).exit).toBe(3);
    const { code, stdout } = await setting.as('jane', ['request', 'cancel', id, '--reason', 'Fixed forward']);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^rbk-\w+ {2}cancelled\n/),
    });
    expect(stdout).toMatch(
      /^ +cancelled +\d{4}-\d\d-\d\d \d\d:\d\d by Jane Doe <jane@example\.com>: Fixed forward$/m,
    );
    expect(await show(setting, id)).toMatchObject({
      status: 'cancelled',
      cancelled: { actor: { email: 'jane@example.com' }, reason: 'Fixed forward' },
    });

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
    expect((await show(setting, id)).status).toBe('cancelled');
  });
});

describe('ids', () => {
  it.runIf(isProof)('may be shortened while one request has them, in any case', async () => {
    const setting = await approvals();
    const id = await setting.ask();
    for (const short of [id.slice(-6), id.slice(4, 20), `rbk-${id.slice(-7)}`, id.toLowerCase(), id.slice(4)])
      expect((await show(setting, short)).id).toBe(id);
  });

  it.runIf(isProof)('that several requests begin with name them', async () => {
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

  it.each(
    someOf(
      [
        ['--', '--yes'],
        ['00000'],
        ['../../etc/passwd'],
        ['rbk-'],
        [''],
        ['refs/heads/main'],
        [`x\n${EVIL}`],
        ['rbk-00000000000000000000000000'],
      ],
      2,
    ),
  )('that are none are refused: %j', async (...words) => {
    const transcript = await shared.as('bob', ['request', 'show', ...words]);
    expect(refusalOf(transcript)).toMatchObject({ exit: 2, code: 'REQUEST_UNKNOWN' });
    expect(transcript.stderr).not.toMatch(OBEYED);
  });

  it('a group without a command, or with one that is none, says where help is', async () => {
    const { as } = shared;
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
