/** A request by the digest of a plan, until it is published or waits. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exampleRepo, runProcess } from '../../helpers/program/cli.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { configOf, createTeam, policedRepo } from '../../helpers/people/requests.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { codeOf, GATEWAY, planOf, using } from './using.ts';

const team = createTeam();

const asPlan = z.looseObject({ scope: z.string(), target: z.string(), digest: z.string(), base: z.string() });

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

  it.runIf(isProof)('under a policy waits, and goes ahead with the vote of another person', async () => {
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
