import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type EngineOptions, isFailure, openEngine, type PlanAsk } from '../../engine/index.ts';
import { backtrail, exampleRepo, runProcess } from '../helpers/program/cli.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { configOf, createTeam, policedRepo } from '../helpers/people/requests.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const GATEWAY = 'acme/production/api-gateway';
const team = createTeam();

const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'done',
    (error: unknown) => {
      if (isFailure(error)) return error.code;
      throw error;
    },
  );

/** Opens as the public does, works, and closes. */
async function using<T>(
  repo: Pick<Repo, 'folder' | 'env'>,
  work: (engine: Awaited<ReturnType<typeof openEngine>>) => Promise<T>,
  options: Partial<EngineOptions> = {},
): Promise<T> {
  const cacheFolder = join(await temporaryFolder(), 'cache');
  const env = { ...repo.env, ...options.env };
  const engine = await openEngine({ repo: repo.folder, cacheFolder, ...options, env });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

const planOf = (repo: Repo, ask: PlanAsk, options?: Partial<EngineOptions>) =>
  using(repo, (engine) => engine.rollbacks.plan({ author: JANE, ...ask }), options);

const asPlan = z.looseObject({ scope: z.string(), target: z.string(), digest: z.string(), base: z.string() });

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

describe('a request', () => {
  it('goes by the digest of a plan that another process made', async () => {
    const repo = await exampleRepo();
    const printed = await runProcess(repo, ['plan', GATEWAY, '-o', 'json']);
    const { scope, target, digest } = asPlan.parse(JSON.parse(printed.stdout));
    const { request, ...result } = await using(repo, (engine) =>
      engine.rollbacks.request({ scope, target, digest, reason: 'It answers 500', author: JANE }),
    );
    expect(request).toBeNull();
    expect(result).toMatchObject({ status: 'completed', scope: GATEWAY });
    expect(await repo.git('rev-parse', 'main~1')).toBe(result.commit);
    expect(await repo.git('for-each-ref', 'refs/backtrail/ledger')).toBe('');
  });

  it.runIf(isProof)(
    'takes fields as they were typed or as the plan has them, and the target as the plan or as git says',
    async () => {
      const repo = await exampleRepo();
      await using(repo, async ({ rollbacks }) => {
        const plan = await rollbacks.plan({ scope: GATEWAY, fields: ['image'], author: JANE });
        const { digest, target } = plan;
        const ask = { scope: GATEWAY, digest, reason: 'It answers 500', author: JANE, ledger: true };
        const id = 'rbk-01KAJ000000000000000000001';
        const typed = await rollbacks.request({ ...ask, id, fields: ['image'], target: { commit: target } });
        const given = await rollbacks.request({ ...ask, id, fields: plan.fields ?? [], target });
        expect(typed.request?.scope).toEqual(given.request?.scope);
        expect(typed.status).toBe('approved');
      });
    },
  );

  it.runIf(isProof)(
    'is refused where the scope is another one by now, and is not where only others changed',
    async () => {
      const repo = await policedRepo(configOf({}));
      const { target, digest } = await planOf(repo, { scope: 'prod/api' });
      const ask = { scope: 'prod/api', target, digest, reason: 'v2 answers 500', author: JANE };
      const asked = () => using(repo, ({ rollbacks }) => rollbacks.request(ask));
      await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\n' });
      const tip = await repo.git('rev-parse', 'main');
      expect(await codeOf(asked())).toBe('PLAN_CHANGED');
      expect(await repo.git('rev-parse', 'main')).toBe(tip);
      await repo.git('reset', '--quiet', '--hard', 'main~1');
      await repo.commit({ 'apps/dev/api/app.yaml': 'image: v3\n' });
      expect((await asked()).status).toBe('completed');
    },
  );

  it('with the same id is the same rollback, and another person’s is refused', async () => {
    const repo = await policedRepo(configOf({}));
    const { target, digest } = await planOf(repo, { scope: 'prod/api' });
    const id = 'rbk-01KAJ000000000000000000001';
    const ask = { scope: 'prod/api', target, digest, reason: 'v2 answers 500', author: JANE, id };
    const asked = (more: object = {}) =>
      using(repo, ({ rollbacks }) => rollbacks.request({ ...ask, ...more }));
    const result = await asked();
    expect(await asked()).toMatchObject({ status: 'completed', commit: result.commit });
    expect(await codeOf(asked({ author: { name: 'Eve', email: 'eve@example.com' } }))).toBe('REQUEST_EXISTS');
    expect(await repo.git('rev-parse', 'main')).toBe(result.deliveryCommit ?? result.commit);
  });

  it('under a policy waits, and goes ahead with the vote of another person', async () => {
    const repo = await policedRepo();
    const { jane, bob, signers } = await team;
    const { target, digest } = await planOf(repo, { scope: 'prod/api', author: jane });
    const tip = await repo.git('rev-parse', 'main');
    const trusting = { allowedSigners: signers };
    const id = await using(
      repo,
      async ({ rollbacks }) => {
        const ask = { scope: 'prod/api', target, digest, reason: 'v2 answers 500', author: jane };
        const { request, ...result } = await rollbacks.request(ask);
        expect([request?.status, result.status]).toEqual(['pending', 'pending']);
        expect(request?.message).toContain('revision v1 (');
        const asked = request?.id ?? '';
        expect(await codeOf(rollbacks.execute(asked))).toBe('AWAITING_APPROVAL');
        return asked;
      },
      { ...trusting, env: jane.env },
    );
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    const voting = { ...trusting, env: bob.env };
    await using(
      repo,
      async ({ rollbacks, requests }) => {
        await requests.approve({ id, actor: bob });
        expect(await rollbacks.execute(id)).toMatchObject({ status: 'completed' });
      },
      voting,
    );
  });

  it('where a policy comes to the branch between plan and publishing is not executed', async () => {
    const repo = await policedRepo(configOf({}));
    const { target, digest } = await planOf(repo, { scope: 'prod/api' });
    const ask = { scope: 'prod/api', target, digest, reason: 'v2 answers 500', author: JANE };
    let came = '';
    const onStep = async () => {
      if (came === '') came = await repo.commit({ '.backtrail/config.yaml': configOf() });
    };
    const asked = using(repo, ({ rollbacks }) => rollbacks.request(ask, { onStep }));
    expect(await codeOf(asked)).toBe('AWAITING_APPROVAL');
    expect(await repo.git('rev-parse', 'main')).toBe(came);
  });
});

describe('a rollback that is only proposed', () => {
  const propose = (repo: Repo, author = JANE, options?: Partial<EngineOptions>) =>
    using(
      repo,
      async ({ rollbacks }) => {
        const { target, digest, gate } = await rollbacks.plan({ scope: 'prod/api', author, propose: true });
        expect(gate).toMatchObject({ needsApproval: true, quorum: 1 });
        const ask = { scope: 'prod/api', target, digest, reason: 'v2 answers 500', author, propose: true };
        const { request, ...result } = await rollbacks.request(ask);
        expect(result.status).toBe('pending');
        return request?.id ?? '';
      },
      options,
    );

  it('waits where no policy asks for approval, for its author’s own yes as well, and no worker goes ahead', async () => {
    const repo = await policedRepo(configOf({}));
    const id = await propose(repo);
    const tip = await repo.git('rev-parse', 'main');
    const worker = await engineOf(repo);
    expect(await codeOf(worker.rollbacks.execute(id))).toBe('AWAITING_APPROVAL');
    expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
    expect(await worker.requests.show({ id })).toMatchObject({ status: 'pending', propose: true });
    expect(await repo.git('rev-parse', 'main')).toBe(tip);
    await worker.requests.approve({ id, actor: JANE });
    expect(await worker.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
  });

  it('is decided on by whoever may deploy, whoever proposed it', async () => {
    const { jane, bob, signers } = await team;
    const permissions = [
      { allow: ['propose'], users: ['jane@example.com'], in: ['prod'] },
      { allow: ['deploy'], users: ['bob@example.com'], in: ['prod'] },
    ];
    const repo = await policedRepo(configOf({ permissions }));
    const trusting = { allowedSigners: signers };
    const id = await propose(repo, jane, { ...trusting, env: jane.env });
    const janes = await engineOf(repo, { ...trusting, env: jane.env });
    expect(await codeOf(janes.requests.approve({ id, actor: jane }))).toBe('PERMISSION_DENIED');
    // Jane's key makes no vote of Bob's.
    await janes.requests.approve({ id, actor: bob });
    expect(await codeOf(janes.rollbacks.execute(id))).toBe('AWAITING_APPROVAL');
    const bobs = await engineOf(repo, { ...trusting, env: bob.env });
    await bobs.requests.approve({ id, actor: bob });
    expect(await bobs.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
  });

  it('is not its author’s to approve where the policy of the environment says so', async () => {
    const { jane } = await team;
    const environments = [{ match: 'prod', quorum: 0, unsignedApprovals: true }];
    const repo = await policedRepo(configOf({ environments }));
    const id = await propose(repo, jane);
    const engine = await engineOf(repo);
    expect(await codeOf(engine.requests.approve({ id, actor: jane }))).toBe('OWN_REQUEST');
    await engine.requests.approve({ id, actor: { name: 'Bob', email: 'bob@example.com' } });
    expect(await engine.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
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

describe('a request that is known already', () => {
  const LAWLESS = configOf({ environments: [] });
  const wished = async (engine: Awaited<ReturnType<typeof openEngine>>, scope = 'prod/api') => {
    const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE });
    return { scope, target, digest, reason: 'v2 answers 500', author: JANE };
  };

  it('does not get past a policy that comes while it is executed', async () => {
    const repo = await policedRepo(LAWLESS);
    await using(repo, async (engine) => {
      const { requestId: id } = await engine.rollbacks.request({ ...(await wished(engine)), ledger: true });
      let policy: string | undefined;
      const onStep = async ({ step }: { step: string }) => {
        if (step !== 'staged' || policy !== undefined) return;
        policy = await repo.commit({
          '.backtrail/config.yaml': configOf({
            environments: [{ match: 'prod', quorum: 2, unsignedRequests: true }],
          }),
        });
      };
      expect(await codeOf(engine.rollbacks.execute(id, { onStep }))).toBe('AWAITING_APPROVAL');
      expect(await repo.git('rev-parse', 'main')).toBe(policy);
    });
  });

  it('stays for a person to decide on when it is asked for again without that, and closed when it was rejected', async () => {
    const repo = await policedRepo(LAWLESS);
    const { bob } = await team;
    await using(repo, async (engine) => {
      const wish = await wished(engine);
      const tip = await repo.git('rev-parse', 'main');
      const { requestId: id } = await engine.rollbacks.request({ ...wish, propose: true });
      expect(await engine.rollbacks.request({ ...wish, id })).toMatchObject({ status: 'pending' });
      await engine.requests.reject({ id, actor: bob, comment: 'no' });
      expect(await codeOf(engine.rollbacks.request({ ...wish, id }))).toBe('REQUEST_CLOSED');
      expect(await repo.git('rev-parse', 'main')).toBe(tip);
    });
  });

  it('lends its id to nothing else', async () => {
    const repo = await policedRepo();
    const { jane } = await team;
    const lend = async (engine: Awaited<ReturnType<typeof openEngine>>) => {
      const { requestId: id } = await engine.rollbacks.request(await wished(engine));
      const other = await wished(engine, 'dev/api');
      expect(await codeOf(engine.rollbacks.request({ ...other, id }))).toBe('REQUEST_EXISTS');
      const mine = await wished(engine);
      expect(await codeOf(engine.rollbacks.request({ ...mine, id, allowRemoval: true }))).toBe(
        'REQUEST_EXISTS',
      );
    };
    await using(repo, lend, { env: jane.env });
  });
});

describe('what a caller without types gives', () => {
  it('is refused with a code, or left out where it is no option', async () => {
    const repo = await policedRepo(configOf({ environments: [] }));
    await using(repo, async (engine) => {
      const { target, digest } = await engine.rollbacks.plan({ scope: 'prod/api', author: JANE });
      const wish = { scope: 'prod/api', target, digest, reason: 'x', author: JANE };
      const asked = (more: object) => codeOf(engine.rollbacks.request({ ...wish, ...more }));
      expect(await asked({ scope: null })).toBe('SCOPE_INVALID');
      expect(await asked({ target: null })).toBe('TARGET_REQUIRED');
      expect(await asked({ reason: undefined })).toBe('REASON_REQUIRED');
      expect(await asked({ author: { name: 'x' } })).toBe('INVALID_REQUEST');
      expect(await asked({ override: 'allow-removal' })).toBe('INVALID_REQUEST');
      // @ts-expect-error -- no id
      expect(await codeOf(engine.rollbacks.execute(undefined))).toBe('REQUEST_UNKNOWN');
      const mallory = { committer: { name: 'Mallory', email: 'mallory@example.com' }, observe: () => null };
      const { commit } = await engine.rollbacks.request(wish, mallory as object);
      expect(await repo.git('log', '-1', '--format=%ce', commit ?? '')).toBe('backtrail@localhost');
    });
  });
});
