import { describe, expect, it } from 'vitest';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';

const config = (more: object = {}) =>
  `${JSON.stringify({
    version: 1,
    layout: {
      environment: ['apps/{environment}/env.yaml'],
      service: ['apps/{environment}/{service}/**', 'values/{environment}.yaml#/{service}'],
    },
    keep: ['**/secret.yaml'],
    ...more,
  })}\n`;

const at = (version: string) => ({
  'apps/prod/env.yaml': `region: ${version}\n`,
  'apps/prod/api/app.yaml': `image: ${version}\nreplicas: 1\n`,
  'apps/prod/api/secret.yaml': `key: ${version}\n`,
  'apps/prod/web/app.yaml': `image: ${version}\nreplicas: 1\n`,
  'values/prod.yaml': `api:\n  tag: ${version}\n  size: 1\nweb:\n  tag: ${version}\n`,
});

async function scene(more: object = {}) {
  const repo = await createRepo({ bare: true });
  await repo.replay([
    { files: { '.backtrail/config.yaml': config(more), 'README.md': 'one\n', ...at('v1') } },
    { files: at('v2') },
    { files: { 'README.md': 'two\n' } },
  ]);
  const engine = await engineOf(repo);
  return { repo, engine };
}

describe('an audit', () => {
  it('finds nothing wrong with rollbacks of all modes', async () => {
    const { engine } = await scene();
    await rollBack(engine, { scope: 'prod/api' }, { reason: 'First line\n\n  and  more: of it\n' });
    await rollBack(engine, { scope: 'prod/web', fields: ['values/prod.yaml#/web/tag'] });
    await rollBack(engine, { scope: 'prod' });
    for (const reader of ['git', 'isomorphic'] as const) {
      const report = await engine.audit.verify({ reader });
      expect(report.rows.flatMap(({ problems }) => problems)).toEqual([]);
      expect(report).toMatchObject({ reader, checked: 3, honest: 3, tampered: 0, unverifiable: 0 });
    }
  });
});
