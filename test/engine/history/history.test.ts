/** Revisions of a scope, and what history shows of them. */
import { describe, expect, it } from 'vitest';
import { CONFIG, planning, SHARED, versions } from '../../helpers/repositories/plan-repo.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { API, spec, WEB } from './shapes.ts';

const ENV = 'tenants/acme/prod';

describe('revisions of a scope', () => {
  it('are the commits that changed what it selects, numbered from the oldest', async () => {
    const { engine, ids } = await planning([
      { message: 'One', files: { [`${API}/service.yaml`]: spec('1'), 'README.md': '1' } },
      { message: 'Elsewhere', files: { [`${WEB}/service.yaml`]: spec('1') } },
      { message: 'Two', files: { [`${API}/service.yaml`]: spec('2') } },
      { message: 'Empty', files: {} },
      { message: 'Mode', files: { [`${API}/service.yaml`]: { executable: spec('2') } } },
    ]);
    const { revisions, total } = await engine.history({ scope: 'acme/prod/api', limit: 2 });
    expect(total).toBe(3);
    expect(revisions.map(({ version, commit, current }) => [version, commit, current])).toEqual([
      [3, ids[4], true],
      [2, ids[2], false],
    ]);
    expect(await versions(engine, 'acme/prod')).toEqual(['v4 Mode', 'v3 Two', 'v2 Elsewhere', 'v1 One']);
  });

  it('are not made by kept paths, kept parts, delivered manifests or our own configuration', async () => {
    const config = {
      ...CONFIG,
      layout: {
        environment: ['{tenant}/{environment}/**'],
        service: ['{tenant}/{environment}/{service}/**'],
        ignore: { tenant: ['out'] },
      },
      delivery: { output: 'out/{tenant}/{environment}/{service}.yaml' },
    };
    const { engine } = await planning(
      [
        {
          message: 'One',
          files: {
            'acme/prod/api/a.yaml': 'a: 1\n',
            'acme/prod/environment.yaml': 'metadata: {id: 1}\nregion: eu\n',
            'acme/prod/api/all.yaml':
              'kind: ConfigMap\nmetadata: {name: a}\n---\nkind: Secret\nmetadata: {name: s}\ndata: {a: b}\n',
          },
        },
        { message: 'Secret folder', files: { 'acme/prod/api/secrets/x.yaml': 'a: 1\n' } },
        { message: 'Secret manifest', files: { 'acme/prod/api/s.yaml': 'kind: Secret\ndata: {a: b}\n' } },
        { message: 'Sealed', files: { 'acme/prod/api/s.env': 'A=ENC[AES256_GCM,data:x]\nsops_mac=x\n' } },
        { message: 'Kept part', files: { 'acme/prod/environment.yaml': 'metadata: {id: 2}\nregion: eu\n' } },
        {
          message: 'Kept document',
          files: {
            'acme/prod/api/all.yaml':
              'kind: ConfigMap\nmetadata: {name: a}\n---\nkind: Secret\nmetadata: {name: s}\ndata: {a: c}\n',
          },
        },
        { message: 'Manifest', files: { 'out/acme/prod/api.yaml': 'kind: Deployment\n' } },
        { message: 'Configuration', files: { '.backtrail/notes': 'x' } },
        { message: 'Region', files: { 'acme/prod/environment.yaml': 'metadata: {id: 3}\nregion: us\n' } },
      ],
      config,
    );
    expect(await versions(engine, 'acme/prod')).toEqual(['v2 Region', 'v1 One']);
    expect(await versions(engine, 'acme/prod/api')).toEqual(['v1 One']);
  });

  it('are made by a merge, and not by what it brought along', async () => {
    const repo = await createRepo();
    await repo.commit({
      '.backtrail/config.yaml': JSON.stringify(CONFIG),
      [`${API}/service.yaml`]: spec('1'),
    });
    await repo.git('checkout', '--quiet', '-b', 'side');
    const side = await repo.commit({ [`${API}/service.yaml`]: spec('2') }, { message: 'On the side' });
    await repo.git('checkout', '--quiet', 'main');
    await repo.commit({ 'README.md': 'x' });
    await repo.git('merge', '--quiet', '--no-ff', '-m', 'Merge the side', 'side');
    const engine = await engineOf(repo);
    expect(await versions(engine, 'acme/prod/api')).toEqual(['v2 Merge the side', 'v1 Change']);
    for (const to of [side, side.slice(0, 8)]) {
      await expect(engine.plan({ scope: 'acme/prod/api', to })).rejects.toMatchObject({
        code: 'REVISION_NOT_ON_BRANCH',
      });
    }
  });

  it('stand in first-parent order, whatever their dates say and whichever pattern found them', async () => {
    const values = (tag: string) => `services:\n  api: {tag: ${tag}}\n  web: {tag: 1}\n`;
    const { engine } = await planning([
      { message: 'a', date: '2026-01-09T00:00:00Z', files: { [`${API}/service.yaml`]: spec('1') } },
      { message: 'b', date: '2026-01-03T00:00:00Z', files: { [`${ENV}/variables.yaml`]: values('1') } },
      { message: 'c', date: '2026-01-07T00:00:00Z', files: { [`${API}/service.yaml`]: spec('2') } },
      { message: 'd', date: '2026-01-01T00:00:00Z', files: { [`${ENV}/variables.yaml`]: values('2') } },
      {
        message: 'e',
        date: '2026-01-05T00:00:00Z',
        files: { [`${API}/service.yaml`]: spec('3'), [`${ENV}/variables.yaml`]: values('3') },
      },
    ]);
    expect(await versions(engine, 'acme/prod/api')).toEqual(['v5 e', 'v4 d', 'v3 c', 'v2 b', 'v1 a']);
    const { revisions } = await engine.history({ scope: 'acme/prod/api', limit: 1 });
    expect(revisions[0]?.changes).toEqual([
      {
        service: 'api',
        files: [`${API}/service.yaml`, `${ENV}/variables.yaml`],
        fields: [`${API}/service.yaml#/image/tag`, `${ENV}/variables.yaml#/services/api/tag`],
      },
    ]);
  });
});

describe('a revision as history shows it', () => {
  it('has a source: a rule, else the trailer, else unknown', async () => {
    const bot = { name: 'Release bot', email: 'bot@example.com' };
    const { engine } = await planning([
      { message: 'promote api', author: bot, files: { [`${API}/service.yaml`]: spec('1') } },
      { message: 'bump', author: bot, files: { [`${API}/service.yaml`]: spec('2') } },
      { message: 'Deploy\n\nDeployment-Source: deploy', files: { [`${API}/service.yaml`]: spec('3') } },
      { message: 'Deploy\n\nDeployment-Source: Promotion', files: { [`${API}/service.yaml`]: spec('4') } },
      { message: 'Deploy\n\nDeployment-Source: rollback', files: { [`${API}/service.yaml`]: spec('5') } },
      {
        message: 'Deploy\n\nDeployment-Source: deploy\n\nText after it.',
        files: { [`${API}/service.yaml`]: spec('6') },
      },
      {
        message: 'bump\n\nDeployment-Source: deploy',
        author: bot,
        files: { [`${API}/service.yaml`]: spec('7') },
      },
      { message: 'I promote it', files: { [`${API}/service.yaml`]: spec('8') } },
    ]);
    const { revisions } = await engine.history({ scope: 'acme/prod/api', limit: 9 });
    expect(revisions.toReversed().map(({ source }) => source)).toEqual([
      'promotion',
      'release',
      'deploy',
      'promotion',
      'unknown',
      'unknown',
      'release',
      'unknown',
    ]);
  });

  it('says what ran: images, charts and source revisions of the selections', async () => {
    const { engine } = await planning(
      [
        {
          files: {
            'clusters/prod.yaml':
              'releases:\n  - name: api\n    chart: stable/api\n    version: 1.2.3\n  - name: web\n    image: web:9\n',
            'config/prod/api.yaml':
              'image: {repository: reg/api, tag: v2}\nspec:\n  source: {targetRevision: abc}\n  images: [{newTag: v3}]\n',
          },
        },
      ],
      SHARED,
    );
    const { revisions } = await engine.history({ scope: 'prod/api', limit: 1 });
    expect(revisions[0]?.identity).toEqual({
      images: ['reg/api:v2', 'v3'],
      charts: ['stable/api 1.2.3'],
      revisions: ['abc'],
    });
  });

  it('survives what is no text: submodules, links, bytes, and files that are too large to read', async () => {
    const { engine, repo } = await planning([
      { message: 'One', files: { [`${API}/service.yaml`]: spec('1') } },
      {
        message: 'Odd',
        files: {
          [`${API}/link`]: { link: '/etc/passwd' },
          [`${API}/bytes`]: new Uint8Array([0, 255, 254]),
          [`${API}/large.yaml`]: 'a: 1\n'.repeat(1_800_000),
        },
      },
    ]);
    const tip = await repo.git('rev-parse', 'main');
    const module = 'd'.repeat(40);
    const stream = `commit refs/heads/main\ncommitter T <t@example.com> 1767225600 +0000\ndata 6\nModulefrom ${tip}\nM 160000 ${module} ${API}/lib\n\n`;
    await repo.gitWith({ input: stream.replace('Modulefrom', 'Module\nfrom') }, ['fast-import', '--quiet']);
    expect(await versions(engine, 'acme/prod/api')).toEqual(['v3 Module', 'v2 Odd', 'v1 One']);
    const shown = await engine.show({ scope: 'acme/prod/api', revision: 'v3' });
    expect(shown.files.map(({ path, text }) => [path.slice(API.length + 1), text])).toEqual([
      ['bytes', null],
      ['large.yaml', null],
      ['lib', null],
      ['link', '/etc/passwd'],
      ['service.yaml', spec('1')],
    ]);
    const compared = await engine.compare({ scope: 'acme/prod/api', from: 'v1' });
    expect(compared.changes.flatMap(({ files }) => files.map(({ path, change }) => [path, change]))).toEqual([
      [`${API}/bytes`, 'added'],
      [`${API}/large.yaml`, 'added'],
      [`${API}/lib`, 'added'],
      [`${API}/link`, 'added'],
    ]);
  });
});
