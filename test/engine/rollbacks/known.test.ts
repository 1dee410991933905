/** Rollbacks that are only proposed, and requests that are known already. */
import { describe, expect, it } from 'vitest';
import type { EngineOptions, openEngine } from '../../../engine/index.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { type Repo } from '../../helpers/repositories/repo.ts';
import { configOf, createTeam, policedRepo } from '../../helpers/people/requests.ts';
import { codeOf, using } from './using.ts';

const team = createTeam();

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

  it.runIf(isProof)(
    'is not its author’s to approve where the policy of the environment says so',
    async () => {
      const { jane } = await team;
      const environments = [{ match: 'prod', quorum: 0, unsignedApprovals: true }];
      const repo = await policedRepo(configOf({ environments }));
      const id = await propose(repo, jane);
      const engine = await engineOf(repo);
      expect(await codeOf(engine.requests.approve({ id, actor: jane }))).toBe('OWN_REQUEST');
      await engine.requests.approve({ id, actor: { name: 'Bob', email: 'bob@example.com' } });
      expect(await engine.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
    },
  );
});

describe('a request that is known already', () => {
  const LAWLESS = configOf({ environments: [] });
  const wished = async (engine: Awaited<ReturnType<typeof openEngine>>, scope = 'prod/api') => {
    const { target, digest } = await engine.rollbacks.plan({ scope, author: JANE });
    return { scope, target, digest, reason: 'v2 answers 500', author: JANE };
  };

  it.runIf(isProof)('does not get past a policy that comes while it is executed', async () => {
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

  it.runIf(isProof)(
    'stays for a person to decide on when it is asked for again without that, and closed when it was rejected',
    async () => {
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
    },
  );

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
