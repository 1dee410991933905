import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { CONFIG, planning } from '../../helpers/repositories/plan-repo.ts';
import { ENV, API, spec, variables, planOf, changed } from './plan-of.ts';

describe('a plan', () => {
  it('says what changes by service, file and field, and what it touches besides', async () => {
    const { engine } = await planning([
      {
        [`${API}/service.yaml`]: spec(1),
        [`${ENV}/variables.yaml`]: `region: eu\n${variables(1)}`,
        [`${ENV}/bindings/ingress.yaml`]: 'host: a\n',
        [`${ENV}/notes.txt`]: 'one\n',
        [`${ENV}/services/web/service.yaml`]: spec(1),
      },
      {
        [`${API}/service.yaml`]: spec(2, 3),
        [`${ENV}/variables.yaml`]: `region: us\n${variables(2)}`,
        [`${ENV}/bindings/ingress.yaml`]: 'host: b\n',
        [`${ENV}/notes.txt`]: 'two\n',
      },
    ]);
    const { changes, impact } = await planOf(engine, { scope: 'acme/prod' });
    const flat = changes.flatMap(({ service, files }) =>
      files.map(({ path, fields, diff }) => [
        service,
        path.slice(ENV.length + 1),
        fields?.map(({ selector, before, after }) => `${selector} ${before} ${after}`) ??
          diff?.split('\n').slice(-3),
      ]),
    );
    expect(flat).toEqual([
      [null, 'bindings/ingress.yaml', ['/host b a']],
      [null, 'notes.txt', ['-two', '+one', '']],
      [null, 'variables.yaml', ['/region us eu']],
      ['api', 'services/api/service.yaml', ['/image/tag 2 1', '/replicas 3 1']],
      ['api', 'variables.yaml', ['/services/api/a 2 1']],
    ]);
    expect(impact).toEqual({
      services: ['api', 'web'],
      bindings: [`${ENV}/bindings/ingress.yaml`],
      variables: [`${ENV}/variables.yaml`],
      files: 4,
      fields: 5,
    });
  });

  it('counts every service of a shared file whose difference no fields can tell', async () => {
    const config = {
      version: 1,
      layout: { environment: ['c/{environment}.yaml'], service: ['c/{environment}.yaml#/s/{service}'] },
      keep: [],
    };
    const { engine } = await planning(
      [{ 'c/prod.yaml': 's: {api: 1, web: 1}\n' }, { 'c/prod.yaml': 's: [}\n' }],
      config,
    );
    const { impact } = await planOf(engine, { scope: 'prod' });
    expect(impact.services).toEqual(['api', 'web']);
  });

  it('shows the selected fields only in field mode', async () => {
    const { engine } = await planning([
      { [`${API}/service.yaml`]: spec(1) },
      { [`${API}/service.yaml`]: spec(2, 3) },
    ]);
    const plan = await planOf(engine, { fields: ['image'] });
    expect(plan.changes).toEqual([
      {
        service: 'api',
        files: [
          {
            path: `${API}/service.yaml`,
            change: 'modified',
            fields: [{ selector: '/image/tag', op: 'replace', before: '2', after: '1' }],
          },
        ],
      },
    ]);
  });

  it('says that there is nothing to do', async () => {
    const { engine } = await planning([{ [`${API}/a`]: '1' }, { [`${API}/a`]: '2' }, { [`${API}/a`]: '1' }]);
    const plan = await planOf(engine);
    expect(plan.files).toEqual([]);
    expect(plan.writes).toEqual([]);
    expect(plan.findings.map(({ code }) => code)).toEqual(['NOTHING_TO_DO']);
  });

  it('holds each file once where a pattern selects the whole of it and another a part', async () => {
    const config = {
      version: 1,
      layout: {
        environment: ['envs/{environment}/*.yaml'],
        service: ['envs/{environment}/apps.yaml#/apps/{service}'],
      },
      keep: [],
    };
    const { engine, repo } = await planning(
      [
        { 'envs/prod/apps.yaml': 'apps: {api: 1}\nx: 1\n' },
        { 'envs/prod/apps.yaml': 'apps: {api: 2}\nx: 2\n' },
      ],
      config,
    );
    expect(changed(await planOf(engine, { scope: 'prod' }))).toEqual(['envs/prod/apps.yaml']);
    await rollBack(engine, { scope: 'prod', to: 'v1' });
    expect(await repo.git('show', 'main:envs/prod/apps.yaml')).toBe('apps: {api: 1}\nx: 1');
  });

  it('writes a whole folder by its tree where nothing in it is kept', async () => {
    const { engine, repo, ids } = await planning([
      { [`${API}/a/b`]: '1', [`${API}/c`]: '1' },
      { [`${API}/a`]: null, [`${API}/a/b/c`]: '2', [`${API}/c`]: null, [`${API}/d`]: '2' },
    ]);
    const plan = await planOf(engine);
    expect(plan.writes).toEqual([
      { path: API, after: { mode: '040000', id: await repo.git('rev-parse', `${ids[0]}:${API}`) } },
    ]);
    expect(changed(plan)).toEqual([`${API}/a/b`, `${API}/a/b/c`, `${API}/c`, `${API}/d`]);
  });

  it('is the same value whoever makes it', async () => {
    const { engine } = await planning([{ [`${API}/a`]: '1' }, { [`${API}/a`]: '2' }]);
    expect(await planOf(engine)).toEqual(await planOf(engine));
  });

  it('takes a path that is the name of a method for a path', async () => {
    const config = { ...CONFIG, keep: [] };
    const file = (v: number) => ({
      [`${ENV}/services/__proto__/constructor`]: `toString: ${v}\n__proto__: {a: ${v}}\n`,
    });
    const { engine, repo } = await planning([file(1), file(2)], config);
    const plan = await planOf(engine, { scope: 'acme/prod/__proto__' });
    expect(plan.changes[0]?.files[0]?.fields?.map(({ selector }) => selector)).toEqual([
      '/toString',
      '/__proto__/a',
    ]);
    await rollBack(engine, { scope: 'acme/prod/__proto__', to: 'v1' });
    expect(await repo.git('show', `main:${ENV}/services/__proto__/constructor`)).toBe(
      'toString: 1\n__proto__: {a: 1}',
    );
  });
});

describe('what a plan touches', () => {
  it('includes services to which only an alias carries the change', async () => {
    const config = {
      version: 1,
      layout: { environment: ['c/{environment}.yaml'], service: ['c/{environment}.yaml#/{service}'] },
      keep: [],
    };
    const file = (tag: number) => ({
      'c/prod.yaml': `api: &x { tag: ${tag} }\nweb: { <<: *x, y: 1 }\ndb: { tag: 1 }\n`,
    });
    const { engine } = await planning([file(1), file(2)], config);
    const { impact, changes } = await planOf(engine, { scope: 'prod' });
    expect(impact.services).toEqual(['api', 'web']);
    expect(changes.map(({ service }) => service)).toEqual(['api', 'web']);
  });
});
