import { describe, expect, it } from 'vitest';
import type { Engine, Finding } from '../../../engine/internal.ts';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { planning } from '../../helpers/repositories/plan-repo.ts';

const CONFIG = {
  version: 1,
  layout: {
    environment: ['apps/*/{environment}/**'],
    service: ['apps/{service}/{environment}/**'],
    shared: ['apps/{service}/base/**', 'apps/*/{environment}/common/**', 'components/**'],
  },
};

const warned = async (engine: Engine, scope: string, to = 'v1'): Promise<Finding[]> => {
  const { plan } = await engine.plan({ scope, to });
  return plan.findings.filter(({ code }) => code === 'SHARED_CHANGED');
};

const STEPS = [
  {
    'apps/api/base/d.yaml': 'a: 1\n',
    'apps/api/prod/v.yaml': 'a: 1\n',
    'apps/web/prod/v.yaml': 'a: 1\n',
    'apps/web/stg/v.yaml': 'a: 1\n',
  },
  { 'apps/api/base/d.yaml': 'a: 2\n', 'apps/web/base/d.yaml': 'b: 1\n' },
  {
    'apps/api/prod/v.yaml': 'a: 2\n',
    'apps/api/prod/common/c.yaml': 'a: 1\n',
    'apps/web/stg/v.yaml': 'a: 2\n',
  },
];

describe('shared files', () => {
  it('that changed since the target are named with their revisions, for the services of the scope', async () => {
    const { engine, ids } = await planning(STEPS, CONFIG);
    const [base, change] = [ids[1]?.slice(0, 12), ids[2]?.slice(0, 12)];
    const [api] = await warned(engine, 'prod/api');
    expect(api).toMatchObject({ severity: 'warn' });
    expect(api?.message).toContain(`apps/api/base/d.yaml, apps/api/prod/common/c.yaml (${change}, ${base})`);
    expect((await warned(engine, 'prod'))[0]?.message).toContain('apps/web/base/d.yaml');
    const [stg] = await warned(engine, 'stg');
    expect(stg?.message).toContain(`: apps/web/base/d.yaml (${base})`);
    expect(stg).toMatchObject({ path: 'apps/web/base/d.yaml' });
  });

  it('stay as they are, make no revision and belong to no scope that holds them', async () => {
    const { engine, repo, ids } = await planning(STEPS, CONFIG);
    const { revisions } = await engine.history({ scope: 'prod/api', limit: 10 });
    expect(revisions.map(({ commit }) => commit)).toEqual([ids[2], ids[0]]);
    await rollBack(engine, { scope: 'prod', to: 'v1' });
    const changed = await repo.git('diff', '--name-only', String(ids[2]), 'main');
    expect(changed).toBe('apps/api/prod/v.yaml');
    await expect(engine.plan({ scope: 'base' })).rejects.toMatchObject({ code: 'ENVIRONMENT_UNKNOWN' });
  });

  it('that are again what they were need no warning', async () => {
    const again = { 'apps/api/base/d.yaml': 'a: 1\n' };
    const { engine } = await planning(
      [...STEPS.map((step) => ({ ...step, 'apps/api/prod/common/c.yaml': 'a: 1\n' })), again],
      CONFIG,
    );
    expect(await warned(engine, 'prod/api')).toEqual([]);
  });

  it('are named up to ten, and so are the revisions', async () => {
    const steps = Array.from({ length: 12 }, (_, at) => ({ [`components/c${at}.yaml`]: 'x: 1\n' }));
    const { engine } = await planning([...STEPS, ...steps], CONFIG);
    const [finding] = await warned(engine, 'stg');
    expect(finding?.message).toMatch(/and 3 more \(.* and 3 more\)\.$/);
  });

  it('take no delivery', async () => {
    const delivery = { output: 'components/{environment}/{service}.yaml' };
    const { engine } = await planning(STEPS, { ...CONFIG, delivery });
    await expect(engine.plan({ scope: 'prod/api' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
