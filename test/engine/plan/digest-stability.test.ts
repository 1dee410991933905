import { describe, expect, it } from 'vitest';
import { planning, SHARED } from '../../helpers/repositories/plan-repo.ts';
import type { Files } from '../../helpers/repositories/repo.ts';
import { ENV, API, spec, variables, type Ask, planOf } from './plan-of.ts';
import { someOf } from '../../helpers/run/proof.ts';

describe('the digest of a plan', () => {
  const first = {
    [`${API}/service.yaml`]: spec(1),
    [`${ENV}/variables.yaml`]: variables(1),
    [`${ENV}/environment.yaml`]: 'metadata: {id: 1}\nregion: eu\n',
    [`${API}/all.yaml`]:
      'kind: ConfigMap\nmetadata: {name: a}\nx: 1\n---\nkind: Secret\nmetadata: {name: s}\ndata: {a: b}\n',
  };
  const second = {
    [`${API}/service.yaml`]: spec(2),
    [`${ENV}/variables.yaml`]: variables(2),
    [`${ENV}/environment.yaml`]: 'metadata: {id: 1}\nregion: us\n',
    [`${API}/all.yaml`]:
      'kind: ConfigMap\nmetadata: {name: a}\nx: 2\n---\nkind: Secret\nmetadata: {name: s}\ndata: {a: c}\n',
  };

  it.each(
    someOf<[string, Ask, Files]>(
      [
        [
          'elsewhere in the repository',
          {},
          { 'README.md': 'x', [`${ENV}/services/web/service.yaml`]: spec(9) },
        ],
        [
          'elsewhere in the same file',
          {},
          { [`${ENV}/variables.yaml`]: `# comment\n${variables(2, 7)}more: 1\n` },
        ],
        ['in a kept file', {}, { [`${API}/secrets/x`]: 'y' }],
        ['in a manifest of a Secret', {}, { [`${API}/secret.yaml`]: 'kind: Secret\ndata: {a: b}\n' }],
        [
          'in a kept document of the same file',
          {},
          {
            [`${API}/all.yaml`]:
              'kind: ConfigMap\nmetadata: {name: a}\nx: 2\n---\nkind: Secret\nmetadata: {name: s}\ndata: {a: d}\n',
          },
        ],
        [
          'in a kept part',
          { scope: 'acme/prod' },
          { [`${ENV}/environment.yaml`]: 'metadata: {id: 2}\nregion: us\n' },
        ],
        ['in another field', { fields: ['image'] }, { [`${API}/service.yaml`]: `# x\n${spec(2, 5)}` }],
        ['in our own configuration', {}, { '.backtrail/notes': 'x' }],
      ],
      4,
    ),
  )('stays when something changes %s', async (_, ask, files) => {
    const { engine, repo, ids } = await planning([first, second]);
    const to = ids[0] ?? '';
    const before = await planOf(engine, { ...ask, to });
    await repo.replay([{ files }]);
    const after = await planOf(engine, { ...ask, to });
    expect(after.base).not.toBe(before.base);
    expect(after.digest).toBe(before.digest);
    expect(before.files.length).toBeGreaterThan(0);
  });

  it.each(
    someOf<[string, Ask, Files]>(
      [
        ['a selected file', {}, { [`${API}/service.yaml`]: spec(3) }],
        ['its mode', {}, { [`${API}/service.yaml`]: { executable: spec(2) } }],
        ['a comment of a selected file', {}, { [`${API}/service.yaml`]: `# x\n${spec(2)}` }],
        ['a selected part', {}, { [`${ENV}/variables.yaml`]: variables(3) }],
        [
          'the spelling of a selected part',
          {},
          { [`${ENV}/variables.yaml`]: variables(2).replace('a: 2', 'a: "2"') },
        ],
        ['a selected field', { fields: ['image'] }, { [`${API}/service.yaml`]: spec(3) }],
        [
          'the spelling of a field',
          { fields: ['image'] },
          { [`${API}/service.yaml`]: spec(2).replace('2', "'2'") },
        ],
        [
          'what lies beside a kept part',
          { scope: 'acme/prod' },
          { [`${ENV}/environment.yaml`]: 'metadata: {id: 1}\nregion: ap\n' },
        ],
        ['a file that is new', {}, { [`${API}/new.yaml`]: 'a: 1\n' }],
        ['a file that goes', {}, { [`${API}/service.yaml`]: null }],
      ],
      4,
    ),
  )('changes with %s', async (_, ask, files) => {
    const { engine, repo, ids } = await planning([first, second]);
    const to = ids[0] ?? '';
    const before = await planOf(engine, { ...ask, to });
    await repo.replay([{ files }]);
    expect((await planOf(engine, { ...ask, to })).digest).not.toBe(before.digest);
  });

  it('stays when a neighbour in the shared file differs in what is kept only', async () => {
    const config = { ...SHARED, keep: ['clusters/*.yaml#/releases[name=web]/token'] };
    const file = (api: number, token: number) => ({
      'clusters/prod.yaml': `releases:\n  - {name: api, v: ${api}}\n  - {name: web, token: ${token}}\n`,
    });
    const { engine, repo } = await planning([file(1, 1), file(2, 1)], config);
    const before = await planOf(engine, { scope: 'prod' });
    await repo.replay([{ files: file(2, 2) }]);
    const after = await planOf(engine, { scope: 'prod' });
    expect(after.digest).toBe(before.digest);
    expect(after.kept).toEqual([
      { path: 'clusters/prod.yaml', selector: '/releases[name=web]/token', by: config.keep[0] },
    ]);
  });
});
