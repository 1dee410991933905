import { describe, expect, it } from 'vitest';
import { makeRequestId } from '../../../engine/internal.ts';
import { isProof, runs } from '../../helpers/run/proof.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { countingGit } from '../../helpers/repositories/counting-git.ts';
import { stage, askAll } from './batch-repo.ts';

describe('rollbacks that are planned together', () => {
  it('take as many processes of git for many as for some, and are each as planned alone', async () => {
    const names = Array.from({ length: runs(40, 24) }, (_, index) => `svc-${String(index).padStart(2, '0')}`);
    const { repo } = await stage((version) =>
      Object.fromEntries(names.map((name) => [`apps/prod/${name}/app.yaml`, `image: ${version}\n`])),
    );
    const { path, asked } = await countingGit(repo);
    const engine = await engineOf(repo, { location: `file://${repo.folder}`, env: { PATH: path } });
    const asks = names.map((name, index) => ({
      id: makeRequestId(1_790_000_000_000 + index, new Uint8Array(10)),
      scope: `prod/${name}`,
    }));
    const count = async (many: typeof asks) => {
      const before = (await asked()).length;
      const results = await engine.rollbacks.planMany(many, JANE);
      expect(results.map(({ status }) => status)).toEqual(many.map(() => 'fulfilled'));
      return { started: (await asked()).length - before, results };
    };
    await count(asks.slice(0, 12));
    const some = await count(asks.slice(0, 12));
    const many = await count(asks);
    expect(many.started).toBeLessThanOrEqual(some.started);
    const [first] = many.results;
    const alone = await engine.rollbacks.plan({ scope: 'prod/svc-00', author: JANE });
    expect(first).toEqual({ status: 'fulfilled', value: { done: null, request: null, plan: alone } });
  });

  it.runIf(isProof)('say of each what there is of it already, and what is wrong with it alone', async () => {
    const { repo, engine } = await stage();
    const ids = await askAll(engine, ['prod/svc-00', 'prod/svc-01']);
    await engine.requests.executeRequest(ids[0] ?? '');
    const fresh = makeRequestId(1_790_000_000_000, new Uint8Array(10));
    const asks = [...ids, fresh, fresh].map((id, index) => ({
      id,
      scope: `prod/${['svc-00', 'svc-01', 'svc-02', 'svc-99'][index] ?? ''}`,
    }));
    const results = await engine.rollbacks.planMany(asks, JANE);
    expect(results).toMatchObject([
      { value: { done: await repo.git('rev-parse', 'main'), request: null, plan: null } },
      { value: { done: null, request: { id: ids[1], status: 'approved' }, plan: null } },
      { value: { done: null, request: null, plan: { unchanged: false } } },
      { reason: { code: 'SERVICE_UNKNOWN' } },
    ]);
    expect(await engine.findRequests([...ids, fresh])).toEqual(
      new Map([[ids[0], await repo.git('rev-parse', 'main')]]),
    );
  });
});
