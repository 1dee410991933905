import { describe, expect, it } from 'vitest';
import { planning } from '../../helpers/repositories/plan-repo.ts';
import { ENV, API, spec, planOf, blocks } from './plan-of.ts';
import { isProof } from '../../helpers/run/proof.ts';

describe('a target that lacks what stands there now', () => {
  it('blocks the removal of a service by a full rollback, naming it, unless removal is allowed', async () => {
    const { engine } = await planning([
      { [`${API}/service.yaml`]: spec(1) },
      { [`${ENV}/services/web/service.yaml`]: spec(1), [`${ENV}/services/job/service.yaml`]: spec(1) },
      { [`${API}/service.yaml`]: spec(2), [`${ENV}/variables.yaml`]: 'services: {only: {a: 1}}\n' },
    ]);
    const plan = await planOf(engine, { scope: 'acme/prod' });
    const at = plan.target.commit.slice(0, 7);
    expect(blocks(plan)).toEqual(
      ['job', 'only', 'web'].map(
        (name) => `TARGET_ABSENT: Service ${name} of acme/prod did not exist at ${at}.`,
      ),
    );
    const allowed = await planOf(engine, { scope: 'acme/prod', allowRemoval: true });
    expect(blocks(allowed)).toEqual([]);
    expect(allowed.findings.filter(({ code }) => code === 'REMOVAL_ALLOWED')).toHaveLength(3);
    expect(allowed.digest).toBe(plan.digest);
  });

  it('blocks it also where the environment owns the whole of the shared file', async () => {
    const config = {
      version: 1,
      layout: { environment: ['c/{environment}.yaml'], service: ['c/{environment}.yaml#/s/{service}'] },
      keep: [],
    };
    const { engine } = await planning(
      [{ 'c/prod.yaml': 's:\n  api: 1\n' }, { 'c/prod.yaml': 's:\n  api: 2\n  web: 1\n' }],
      config,
    );
    const plan = await planOf(engine, { scope: 'prod' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^TARGET_ABSENT: Service web of prod /)]);
    expect(plan.changes.map(({ service }) => service)).toEqual(['api', 'web']);
  });

  it.runIf(isProof)('does not take what is kept for the service', async () => {
    const { engine, ids } = await planning([
      { [`${API}/secrets/db.yaml`]: 'a: 1\n', [`${API}/s.yaml`]: 'kind: Secret\ndata: {a: b}\n' },
      { [`${ENV}/services/web/service.yaml`]: spec(1) },
      { [`${API}/service.yaml`]: spec(1) },
    ]);
    const to = ids[1] ?? '';
    const at = to.slice(0, 7);
    expect(blocks(await planOf(engine, { to }))).toEqual([
      `TARGET_ABSENT: acme/prod/api did not exist at ${at}.`,
    ]);
    expect(blocks(await planOf(engine, { scope: 'acme/prod', to }))).toEqual([
      `TARGET_ABSENT: Service api of acme/prod did not exist at ${at}.`,
    ]);
  });

  it('does not miss a service of which only kept files are there now', async () => {
    const { engine } = await planning([
      { [`${ENV}/services/web/service.yaml`]: spec(1) },
      { [`${ENV}/services/web/service.yaml`]: spec(2), [`${API}/secrets/db.yaml`]: 'a: 1\n' },
    ]);
    expect(blocks(await planOf(engine, { scope: 'acme/prod' }))).toEqual([]);
  });

  it('names the old path where the service was renamed', async () => {
    const folder = `${ENV}/services/gateway`;
    const old = `${folder}/service.yaml`;
    const { engine, ids } = await planning([
      { [old]: `${spec(1)}${'# the same\n'.repeat(20)}` },
      { [old]: null, [`${API}/service.yaml`]: `${spec(1)}${'# the same\n'.repeat(20)}` },
      { [`${API}/service.yaml`]: `${spec(2)}${'# the same\n'.repeat(20)}` },
    ]);
    const plan = await planOf(engine, { to: ids[0] ?? '' });
    expect(blocks(plan)).toEqual([
      `TARGET_ABSENT: acme/prod/api did not exist at ${ids[0]?.slice(0, 7)}; it was at ${folder} then.`,
    ]);
  });

  it('blocks the removal of a field, and names a field that never was', async () => {
    const { engine, ids } = await planning([
      { [`${API}/service.yaml`]: 'image: {tag: 1}\n' },
      { [`${API}/service.yaml`]: spec(2) },
    ]);
    const to = ids[0] ?? '';
    const plan = await planOf(engine, { fields: ['replicas', 'image'], to });
    expect(blocks(plan)).toEqual([
      `TARGET_ABSENT: ${API}/service.yaml#/replicas did not exist at ${to.slice(0, 7)}.`,
    ]);
    for (const fields of [['service.yaml#/imgae/tag', 'image'], ['service.yaml#/imgae/tag']])
      await expect(engine.plan({ scope: 'acme/prod/api', fields, to })).rejects.toMatchObject({
        code: 'FIELD_UNKNOWN',
        message: expect.stringContaining('service.yaml#/imgae/tag'),
      });
  });
});
