import { describe, expect, it } from 'vitest';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const CONFIG = 'version: 1\nlayout: { service: ["envs/{environment}/{service}/**"] }\n';
const FILE = 'envs/prod/api/app.yaml';

async function threeVersions(): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit({ '.backtrail/config.yaml': CONFIG, [FILE]: 'v: 1\n' });
  await repo.commit({ [FILE]: 'v: 2\n' });
  await repo.commit({ [FILE]: 'v: 3\n' });
  return repo;
}

describe('the log of rollbacks', () => {
  it('finds nothing wrong with a rollback of ours', async () => {
    const repo = await threeVersions();
    const engine = await engineOf(repo);
    const { commit } = await rollBack(engine, { scope: 'prod/api' });
    expect(await engine.log({ limit: 10 })).toMatchObject([{ commit, problems: [] }]);
  });

  it('says of a copied record that it stands in the wrong place', async () => {
    const repo = await threeVersions();
    const engine = await engineOf(repo);
    const { commit } = await rollBack(engine, { scope: 'prod/api' });
    await repo.commit({ [FILE]: 'v: 3\n' });
    await repo.git('cherry-pick', '-x', commit ?? '');
    const [copy, original] = await engine.log({ limit: 10 });
    expect(original).toMatchObject({ commit, problems: [] });
    expect(copy?.problems.join(' ')).toMatch(
      new RegExp(`Commit ${commit} carries the same request.*does not follow its Rollback-Base`),
    );
  });
});

describe('scopes that go back again and again', () => {
  it.runIf(isProof)(
    'are listed with their rollbacks to one revision, once there are as many as the limit says',
    async () => {
      const repo = await threeVersions();
      // A day after the time that rollbacks have here.
      const clock = { now: () => 1_790_000_000_000 + 86_400_000, sleep: () => Promise.resolve() };
      const engine = await engineOf(repo, { clock });
      const ids: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        expect(await engine.recurring({ limit: 10 })).toEqual([]);
        expect(await engine.recurring({ limit: 10 })).toEqual([]);
        const { requestId } = await rollBack(engine, { scope: 'prod/api', to: 'v1' });
        ids.unshift(requestId);
        await repo.commit({ [FILE]: `v: ${round + 4}\n` });
      }
      await rollBack(engine, { scope: 'prod/api', to: 'v2' });
      const [found, ...others] = await engine.recurring({ limit: 10 });
      expect(others).toEqual([]);
      expect(found).toMatchObject({ scope: 'prod/api', mode: 'service' });
      expect(found?.rollbacks.map(({ requestId }) => requestId)).toEqual(ids);
    },
  );
});

describe('the history after going forward again', () => {
  it('leaves nothing behind for the sake of a rollback that was itself gone back behind', async () => {
    const repo = await threeVersions();
    const engine = await engineOf(repo);
    await rollBack(engine, { scope: 'prod/api', to: 'v1' });
    await rollBack(engine, { scope: 'prod/api', to: 'v3' });
    const { revisions } = await engine.history({ scope: 'prod/api', limit: 10 });
    expect(revisions.map(({ version, status }) => `v${version} ${status}`)).toEqual([
      'v5 unknown',
      'v4 rolledBack',
      'v3 unknown',
      'v2 unknown',
      'v1 unknown',
    ]);
  });
});

describe('a kept file that is gone', () => {
  it('is said to stay missing', async () => {
    const repo = await createRepo();
    await repo.commit({
      '.backtrail/config.yaml': `${CONFIG}keep: ["**/*.enc"]\n`,
      [FILE]: 'v: 1\n',
      'envs/prod/api/a.enc': 'x\n',
    });
    await repo.commit({ [FILE]: 'v: 2\n', 'envs/prod/api/a.enc': null });
    const engine = await engineOf(repo);
    const { plan } = await engine.plan({ scope: 'prod/api' });
    expect(plan.findings).toMatchObject([
      { code: 'KEPT_PATH', severity: 'warn', message: expect.stringContaining('stays missing') as unknown },
    ]);
  });
});
