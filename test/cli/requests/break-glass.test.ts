import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  approvals,
  errorOf,
  EVIL,
  GATEWAY,
  OBEYED,
  pendingOf,
  requestShape,
} from '../../helpers/people/approvals.ts';
import { allowedSigners } from '../../helpers/people/signing.ts';
import { completedOf, jsonOf, refusalOf } from '../../helpers/program/cli.ts';
import { isProof } from '../../helpers/run/proof.ts';

const JSON_OUT = ['-o', 'json'];
const GLASS =
  'quorum: 1, approvers: { users: [bob@example.com] }, breakGlass: { allowed: true, longest: 1h }';
const PRODUCTION = 'acme/production';
const back = (...more: string[]) => ['rollback', GATEWAY, '--yes', '--reason', 'It answers 500', ...more];
const open = (...more: string[]) => [
  'break-glass',
  'open',
  PRODUCTION,
  '--reason',
  'Checkout is down',
  ...more,
];

const sessionShape = z.looseObject({
  id: z.string().regex(/^bgs-\w{26}$/),
  scope: z.string(),
  holder: z.looseObject({ email: z.string() }),
  active: z.boolean(),
  ticket: z.string().nullable(),
  openedAt: z.string(),
  expiresAt: z.string(),
});
const listShape = z.object({ sessions: z.array(sessionShape), reviews: z.array(requestShape) });

describe('break-glass', () => {
  it('lets its holder go ahead at once, flagged in result, commit, request and lists', async () => {
    const { as, repo } = await approvals(GLASS);
    const session = jsonOf(
      await as('jane', open('--ticket', 'INC-4711', '--for', '30m', ...JSON_OUT)),
      sessionShape,
    );
    expect(session).toMatchObject({
      scope: PRODUCTION,
      active: true,
      ticket: 'INC-4711',
      holder: { email: 'jane@example.com' },
    });
    expect(Date.parse(session.expiresAt) - Date.parse(session.openedAt)).toBe(30 * 60_000);
    const { code, stdout, stderr } = await as('jane', back());
    expect({ code, stdout, stderr }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^completed rollback of [^]*BREAK-GLASS session bgs-/),
      stderr: expect.stringContaining(`! BREAK_GLASS Session ${session.id} lets it go ahead`),
    });
    const flag = '--format=%(trailers:key=Rollback-Break-Glass,valueonly)';
    expect(await repo.git('log', '-1', '--skip=1', flag, 'main')).toContain(session.id);
    expect((await as('eve', ['log'])).stdout).toMatch(/BREAK-GLASS/);
    expect((await as('eve', ['history', GATEWAY])).stdout).toMatch(/^v\d+ .* BREAK-GLASS Rollback: /m);
    const history = z.looseObject({
      revisions: z.array(z.looseObject({ breakGlass: z.string().nullable() })),
    });
    const { revisions } = jsonOf(await as('eve', ['history', GATEWAY, ...JSON_OUT]), history);
    expect(revisions.map(({ breakGlass }) => breakGlass).slice(0, 2)).toEqual([
      `${session.id} (INC-4711)`,
      null,
    ]);
    const id = /rbk-\w{26}/.exec(stdout)?.[0] ?? '';
    expect((await as('bob', ['request', 'list', '--all'])).stdout).toContain(
      'completed BREAK-GLASS (review open)',
    );
    expect((await as('bob', ['request', 'show', id])).stdout).toContain(
      `${session.id}, ticket INC-4711, waits for a review`,
    );
  });

  it.runIf(isProof)('is told to scripts, also in a plan', async () => {
    const { as } = await approvals(GLASS);
    const { id } = jsonOf(await as('jane', open(...JSON_OUT)), sessionShape);
    const plan = jsonOf(
      await as('jane', ['plan', GATEWAY, ...JSON_OUT]),
      z.looseObject({ findings: z.array(z.looseObject({ code: z.string() })) }),
    );
    expect(plan.findings.map(({ code }) => code)).toContain('BREAK_GLASS');
    expect(plan).not.toHaveProperty('approval');
    const result = completedOf(await as('jane', back(...JSON_OUT)));
    expect(result).toMatchObject({ breakGlass: { session: id, review: null } });
    expect(result).not.toHaveProperty('approval');
  });

  it.runIf(isProof)('helps nobody else, and nowhere else', async () => {
    const { as } = await approvals(GLASS);
    jsonOf(
      await as('jane', ['break-glass', 'open', `${PRODUCTION}/billing`, '--reason', 'x', ...JSON_OUT]),
      sessionShape,
    );
    expect(pendingOf(await as('jane', back(...JSON_OUT)))).not.toHaveProperty('breakGlass');
    const billing = ['rollback', `${PRODUCTION}/billing`, '--yes', '--reason', 'x', ...JSON_OUT];
    expect(pendingOf(await as('carol', billing))).not.toHaveProperty('breakGlass');
  });

  it.runIf(isProof)('ends when it is closed', async () => {
    const { as } = await approvals(GLASS);
    const { id } = jsonOf(await as('jane', open(...JSON_OUT)), sessionShape);
    const closed = await as('jane', ['break-glass', 'close', id.slice(-8)]);
    expect(closed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^ended {2}${id}\n[^]*closed .* by Jane Doe`)),
    });
    pendingOf(await as('jane', back(...JSON_OUT)));
    expect(
      refusalOf(await as('jane', ['break-glass', 'close', 'bgs-00000000000000000000000000'])),
    ).toMatchObject({
      exit: 2,
      code: 'SESSION_UNKNOWN',
    });
    expect(refusalOf(await as('jane', ['break-glass', 'close', '--', '--reason']))).toMatchObject({
      exit: 2,
      code: 'SESSION_UNKNOWN',
    });
  });

  it('is closed by its holder or an approver, and by nobody else', async () => {
    const { as } = await approvals(GLASS);
    const { id } = jsonOf(await as('jane', open(...JSON_OUT)), sessionShape);
    for (const who of ['carol', 'eve'] as const)
      expect(refusalOf(await as(who, ['break-glass', 'close', id]))).toMatchObject({
        exit: 3,
        code: 'PERMISSION_DENIED',
        message: `${who}@example.com may not close a session of jane@example.com.`,
      });
    const closed = jsonOf(await as('bob', ['break-glass', 'close', id, ...JSON_OUT]), sessionShape);
    expect(closed).toMatchObject({ active: false, closed: { actor: { email: 'bob@example.com' } } });
  });

  it.runIf(isProof)('says when the key of its holder is in no list that is trusted here', async () => {
    const { as, people } = await approvals(GLASS);
    const known = await as('jane', open());
    expect(known.stdout).not.toContain('IDENTITY_UNVERIFIED');
    const env = { BACKTRAIL_ALLOWED_SIGNERS: await allowedSigners([people.bob]) };
    const unknown = await as('jane', open(), { env });
    expect(unknown).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('! IDENTITY_UNVERIFIED No key of the list'),
    });
    const findings = z.looseObject({ findings: z.array(z.looseObject({ code: z.string() })) });
    const told = jsonOf(await as('jane', open(...JSON_OUT), { env }), findings);
    expect(told.findings.map(({ code }) => code)).toEqual(['IDENTITY_UNVERIFIED']);
  });

  it.runIf(isProof)('leaves a review that another person closes with a comment', async () => {
    const { as } = await approvals(GLASS);
    await as('jane', open());
    const { requestId } = completedOf(await as('jane', back(...JSON_OUT)));
    const list = async () => jsonOf(await as('bob', ['break-glass', 'list', ...JSON_OUT]), listShape);
    expect((await list()).reviews).toMatchObject([{ id: requestId, breakGlass: { review: null } }]);
    expect((await as('bob', ['break-glass', 'list'])).stdout).toMatch(
      new RegExp(
        `ACTIVE[^]*wait for a review by another person\n! +${requestId} +${GATEWAY} +jane@example\\.com`,
      ),
    );
    const review = (who: 'jane' | 'bob', ...more: string[]) =>
      as(who, ['break-glass', 'review', requestId, ...more]);
    expect(refusalOf(await review('jane', '--comment', 'All good'))).toMatchObject({
      exit: 3,
      code: 'OWN_REVIEW',
    });
    expect(refusalOf(await review('bob'))).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    expect(refusalOf(await review('bob', '--comment', ' \n'))).toMatchObject({
      exit: 2,
      code: 'INVALID_REQUEST',
    });
    const done = await review('bob', '--comment', 'The right thing to do');
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('reviewed by Bob <bob@example.com>: The right thing to do'),
    });
    expect((await list()).reviews).toEqual([]);
    expect((await as('bob', ['request', 'list', '--all'])).stdout).toMatch(/completed BREAK-GLASS +\S/);
    expect(refusalOf(await review('bob', '--comment', 'Again'))).toMatchObject({
      exit: 2,
      code: 'REVIEW_NOT_OPEN',
    });
  });

  it('is refused where the policy does not allow it, or not for so long', async () => {
    const forbidden = await approvals();
    expect(refusalOf(await forbidden.as('jane', open()))).toMatchObject({
      exit: 3,
      code: 'BREAK_GLASS_FORBIDDEN',
    });
    const { as } = await approvals(GLASS);
    expect(refusalOf(await as('jane', open('--for', '2h'))).exit).toBe(3);
    expect(jsonOf(await as('jane', ['break-glass', 'list', ...JSON_OUT]), listShape)).toEqual({
      sessions: [],
      reviews: [],
    });
    expect((await as('jane', ['break-glass', 'list'])).stdout).toBe('Nobody has broken the glass.\n');
  });

  it('needs a reason, and a duration that is one', async () => {
    const { as } = await approvals(GLASS);
    expect(refusalOf(await as('jane', ['break-glass', 'open', PRODUCTION]))).toMatchObject({
      exit: 2,
      code: 'REASON_REQUIRED',
      message: 'A break-glass session needs a reason.',
    });
    for (const length of ['soon', '0m', '-5m', '5', '1.5h', ''])
      expect(errorOf(await as('jane', open(`--for=${length}`, ...JSON_OUT)))).toMatchObject({
        exit: 2,
        code: 'INVALID_REQUEST',
      });
  });

  it.runIf(isProof)('shows hostile words as words', async () => {
    const { as, repo } = await approvals(GLASS);
    const words = `down\n\nEvent: session-closed\n${EVIL}`;
    expect(
      (await as('jane', ['break-glass', 'open', PRODUCTION, '--reason', words, '--ticket', words])).code,
    ).toBe(0);
    const { stdout } = await as('bob', ['break-glass', 'list']);
    expect(stdout).not.toMatch(OBEYED);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(
      (await repo.git('log', '--format=%(trailers:key=Event,valueonly)', 'refs/backtrail/ledger')).trim(),
    ).toBe('session-opened');
  });
});
