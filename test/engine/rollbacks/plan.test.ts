/** A plan: a value, and what it says of who may do what with it. */
import { describe, expect, it } from 'vitest';
import { type PlanAsk } from '../../../engine/index.ts';
import { backtrail, exampleRepo } from '../../helpers/program/cli.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { configOf, createTeam, policedRepo } from '../../helpers/people/requests.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { codeOf, GATEWAY, planOf, using } from './using.ts';

const team = createTeam();

describe('a plan', () => {
  it.each(
    someOf<[string, PlanAsk]>(
      [
        ['of a service', { scope: GATEWAY }],
        ['of an environment', { scope: 'acme/production', to: 'v1' }],
        ['of a field', { scope: GATEWAY, fields: ['image'] }],
        ['of whole files', { scope: GATEWAY, fields: ['image'], wholeFile: true }],
        ['that has nothing to do', { scope: GATEWAY, to: 'HEAD' }],
        ['with what people see', { scope: GATEWAY, revisions: true }],
      ],
      2,
    ),
  )('%s is a value that JSON loses nothing of', async (_, ask) => {
    const plan = await planOf(await exampleRepo(), ask);
    const read: unknown = JSON.parse(JSON.stringify(plan));
    // Strictly: a key that is undefined is another value than one that is not there.
    expect(read).toStrictEqual(plan);
    expect(Object.keys(plan)).not.toContain('snapshot');
  });

  it('under a policy is one too, and what the command line prints, and the gate', async () => {
    const repo = await policedRepo();
    const { jane } = await team;
    const { gate, ...plan } = await planOf(repo, { scope: 'prod/api', author: jane }, { env: jane.env });
    expect(JSON.parse(JSON.stringify(gate))).toStrictEqual(gate);
    const env = { ...jane.env, GIT_AUTHOR_NAME: jane.name, GIT_AUTHOR_EMAIL: jane.email };
    const printed = await backtrail(repo, ['plan', 'prod/api', '-o', 'json'], { env });
    expect(JSON.parse(printed.stdout)).toStrictEqual(plan);
    expect(plan).toMatchObject({ approval: { need: 1, have: 0, approvers: [] } });
  });

  it('that is blocked is one too, and says why nobody may ask for it', async () => {
    const repo = await policedRepo();
    const first = await repo.git('rev-list', '--max-parents=0', 'main');
    await repo.commit({ 'apps/prod/new/app.yaml': 'image: v1\n' });
    const plan = await planOf(repo, { scope: 'prod/new', to: first });
    expect(JSON.parse(JSON.stringify(plan))).toStrictEqual(plan);
    const [blocking] = plan.findings.filter(({ severity }) => severity === 'block');
    expect(blocking?.code).toBe('TARGET_ABSENT');
    expect(plan.gate.may.request).toMatchObject({ allowed: false, code: 'TARGET_ABSENT' });
  });

  it.runIf(isProof)('takes the names of a scope one by one, and means no others by them', async () => {
    const repo = await exampleRepo();
    const names = { tenant: 'acme', environment: 'production', service: 'api-gateway' };
    expect((await planOf(repo, { scope: names })).digest).toBe(
      (await planOf(repo, { scope: GATEWAY })).digest,
    );
    const { tenant: _, ...wrong } = names;
    expect(await codeOf(planOf(repo, { scope: wrong }))).toBe('SCOPE_INVALID');
    expect(await codeOf(planOf(repo, { scope: GATEWAY, override: ['everything'] }))).toBe('INVALID_REQUEST');
  });

  it('says what this person may do with it, and why not', async () => {
    const grants = [
      { allow: ['propose'], users: ['jane@example.com'], in: ['prod'] },
      { allow: ['deploy'], users: ['bob@example.com'], in: ['prod'] },
    ];
    const repo = await policedRepo(
      configOf({ environments: [{ match: 'prod', quorum: 1 }], permissions: grants }),
    );
    const { jane, bob, carol } = await team;
    const as = async (author: typeof jane, env: Readonly<Record<string, string>> = author.env) =>
      (await planOf(repo, { scope: 'prod/api', author }, { env })).gate;
    expect(await as(jane)).toMatchObject({
      needsApproval: true,
      quorum: 1,
      approvers: ['bob@example.com'],
      ledgered: true,
      session: null,
      person: { email: 'jane@example.com' },
      may: {
        request: { allowed: true },
        execute: { allowed: false, code: 'AWAITING_APPROVAL' },
        approve: { allowed: false, code: 'OWN_REQUEST' },
      },
    });
    // Nobody would execute what she has not signed.
    expect((await as(jane, {})).may.request).toMatchObject({
      allowed: false,
      code: 'IDENTITY_UNVERIFIED',
      hint: expect.stringContaining('user.signingKey'),
    });
    expect((await as(bob)).may.request).toMatchObject({ allowed: false, code: 'PERMISSION_DENIED' });
    expect((await as(carol)).may.request).toMatchObject({ allowed: false, code: 'PERMISSION_DENIED' });
  });
});

describe('a configuration from outside', () => {
  it('serves a rollback in this process, and none that needs a record', async () => {
    const repo = await policedRepo(configOf({}));
    await repo.commit({ '.backtrail/config.yaml': null });
    const outside = { config: { name: 'outside.yaml', text: configOf({}) } };
    const { target, digest } = await planOf(repo, { scope: 'prod/api' }, outside);
    const ask = { scope: 'prod/api', target, digest, reason: 'v2 answers 500', author: JANE };
    for (const more of [{ ledger: true }, { propose: true }])
      expect(
        await codeOf(using(repo, ({ rollbacks }) => rollbacks.request({ ...ask, ...more }), outside)),
      ).toBe('FORBIDDEN');
    const policed = { config: { name: 'outside.yaml', text: configOf() } };
    expect(await codeOf(using(repo, ({ rollbacks }) => rollbacks.request(ask), policed))).toBe('FORBIDDEN');
    const result = await using(repo, ({ rollbacks }) => rollbacks.request(ask), outside);
    expect(result.status).toBe('completed');
  });
});
