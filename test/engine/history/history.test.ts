import { describe, expect, it } from 'vitest';
import { rollBack } from '../../helpers/repositories/engine.ts';
import { CONFIG, planning, SHARED, versions } from '../../helpers/repositories/plan-repo.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { isProof } from '../../helpers/run/proof.ts';

const API = 'tenants/acme/prod/services/api';
const WEB = 'tenants/acme/prod/services/web';
const ENV = 'tenants/acme/prod';
const spec = (tag: string, replicas = 1) => `image:\n  tag: ${tag}\nreplicas: ${replicas}\n`;

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

describe('revisions of a part of a shared file', () => {
  const cluster = (api: string, web: string, rest = '') =>
    `# releases\nreleases:\n  - name: api\n    version: ${api}\n  - name: web\n    version: ${web}\n${rest}`;

  it('are made by changes of the part only', async () => {
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': cluster('1', '1') } },
        { message: 'Neighbour', files: { 'clusters/prod.yaml': cluster('1', '2') } },
        { message: 'Comment', files: { 'clusters/prod.yaml': `# more\n${cluster('1', '2')}` } },
        { message: 'Two', files: { 'clusters/prod.yaml': cluster('2', '2') } },
        { message: 'Spelling', files: { 'clusters/prod.yaml': cluster('"2"', '2') } },
        {
          message: 'Order',
          files: {
            'clusters/prod.yaml':
              'releases:\n  - name: web\n    version: 2\n  - version: "2"\n    name: api\n',
          },
        },
        { message: 'Elsewhere', files: { 'clusters/prod.yaml': cluster('"2"', '3', 'more: 1\n') } },
        { message: 'Beside', files: { 'config/prod/api.yaml': 'a: 1\n' } },
        { message: 'Other environment', files: { 'clusters/dev.yaml': cluster('9', '9') } },
      ],
      SHARED,
    );
    expect(await versions(engine, 'prod/api')).toEqual(['v4 Beside', 'v3 Spelling', 'v2 Two', 'v1 One']);
    expect(await versions(engine, 'prod/web')).toEqual(['v3 Elsewhere', 'v2 Neighbour', 'v1 One']);
    expect(await versions(engine, 'prod')).toEqual([
      'v6 Beside',
      'v5 Elsewhere',
      'v4 Spelling',
      'v3 Two',
      'v2 Neighbour',
      'v1 One',
    ]);
  });

  it('are made by every change of a text that cannot be read', async () => {
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': cluster('1', '1') } },
        { message: 'Broken', files: { 'clusters/prod.yaml': `${cluster('1', '1')}\t: [\n` } },
        { message: 'Broken too', files: { 'clusters/prod.yaml': `${cluster('1', '2')}\t: [\n` } },
        { message: 'Mended', files: { 'clusters/prod.yaml': cluster('1', '2') } },
        { message: 'Gone', files: { 'clusters/prod.yaml': null } },
        { message: 'Back', files: { 'clusters/prod.yaml': cluster('1', '2') } },
        { message: 'A link', files: { 'clusters/prod.yaml': { link: 'dev.yaml' } } },
        { message: 'Another link', files: { 'clusters/prod.yaml': { link: 'other.yaml' } } },
        { message: 'Text again', files: { 'clusters/prod.yaml': cluster('1', '2') } },
      ],
      SHARED,
    );
    expect(await versions(engine, 'prod/api')).toEqual([
      'v8 Text again',
      'v7 A link',
      'v6 Back',
      'v5 Gone',
      'v4 Mended',
      'v3 Broken too',
      'v2 Broken',
      'v1 One',
    ]);
  });

  it.runIf(isProof)('belong to the service that the path names, also where two files are alike', async () => {
    const config = {
      version: 1,
      layout: { service: ['apps/{service}/{environment}.yaml#/deploy'] },
      keep: [],
    };
    const file = (tag: string) => `deploy:\n  tag: ${tag}\nowner: me\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'apps/api/prod.yaml': file('1'), 'apps/web/prod.yaml': file('1') } },
        { message: 'Two', files: { 'apps/api/prod.yaml': file('2'), 'apps/web/prod.yaml': file('2') } },
        { message: 'Owner', files: { 'apps/api/prod.yaml': `${file('2')}x: 1\n` } },
      ],
      config,
    );
    expect(await versions(engine, 'prod')).toEqual(['v2 Two', 'v1 One']);
    const { plan } = await engine.plan({ scope: 'prod', to: 'v1' });
    expect(plan.changes.map(({ service, files }) => [service, files.map(({ path }) => path)])).toEqual([
      ['api', ['apps/api/prod.yaml']],
      ['web', ['apps/web/prod.yaml']],
    ]);
    expect(plan.impact.services).toEqual(['api', 'web']);
    await rollBack(engine, { scope: 'prod/web', to: 'v1' });
    expect(await versions(engine, 'prod/api')).toEqual(['v2 Two', 'v1 One']);
  });

  it.runIf(isProof)(
    'are looked for under the name that the path gives, in files that are alike too',
    async () => {
      const config = {
        version: 1,
        layout: { service: ['apps/{service}/{environment}.yaml#/deploy/{service}'] },
        keep: [],
      };
      const file = (tag: string) => `deploy:\n  api: ${tag}\n  web: ${tag}\n`;
      const { engine } = await planning(
        [
          { message: 'One', files: { 'apps/api/prod.yaml': file('1'), 'apps/web/prod.yaml': file('1') } },
          { message: 'Two', files: { 'apps/api/prod.yaml': file('2'), 'apps/web/prod.yaml': file('2') } },
        ],
        config,
      );
      const { plan } = await engine.plan({ scope: 'prod', to: 'v1' });
      const fields = plan.changes.flatMap(({ service, files }) =>
        files.flatMap(({ path, fields: changed = [] }) =>
          changed.map((field) => [service, `${path}#${field.selector}`]),
        ),
      );
      expect(fields).toEqual([
        ['api', 'apps/api/prod.yaml#/deploy/api'],
        ['web', 'apps/web/prod.yaml#/deploy/web'],
      ]);
    },
  );

  it.runIf(isProof)('are noticed where another item takes the name, however its key is written', async () => {
    const config = {
      version: 1,
      layout: { service: ['{environment}.yaml#/list[a.b.c={service}]/v'] },
      keep: [],
    };
    const file = (other: string) =>
      `list:\n  - a:\n      b.c: x\n    v: 1\n  - a:\n      b.c: ${other}\n    v: 1\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'prod.yaml': file('y') } },
        { message: 'Taken', files: { 'prod.yaml': file('x') } },
        { message: 'Free', files: { 'prod.yaml': file('z') } },
      ],
      config,
    );
    expect(await versions(engine, 'prod/x')).toEqual(['v3 Free', 'v2 Taken', 'v1 One']);
  });

  it('leave out what is kept within the part', async () => {
    const config = { ...SHARED, keep: ['clusters/*.yaml#/releases[name=api]/token'] };
    const file = (version: number, token: string) =>
      `releases:\n  - name: api\n    version: ${version}\n    token: ${token}\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': file(1, 'a') } },
        { message: 'Two', files: { 'clusters/prod.yaml': file(2, 'b') } },
        { message: 'Rotated', files: { 'clusters/prod.yaml': file(2, 'c') } },
      ],
      config,
    );
    expect(await versions(engine, 'prod/api')).toEqual(['v2 Two', 'v1 One']);
    const { plan } = await engine.plan({ scope: 'prod/api' });
    expect(plan.target.version).toBe(1);
    expect(plan.kept).toEqual([
      { path: 'clusters/prod.yaml', selector: '/releases[name=api]/token', by: config.keep[0] },
    ]);
  });

  it.runIf(isProof)('leave out a shared file that is kept as a whole', async () => {
    const file = (version: number) => `kind: Secret\nreleases:\n  - name: api\n    version: ${version}\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': file(1), 'config/prod/api.yaml': 'a: 1\n' } },
        { message: 'Two', files: { 'clusters/prod.yaml': file(2) } },
      ],
      { ...SHARED, keep: ['kind:Secret'] },
    );
    expect(await versions(engine, 'prod/api')).toEqual(['v1 One']);
  });
});

describe('rollbacks in the history', () => {
  it('mark what they left behind', async () => {
    const { engine, ids } = await planning([
      { message: 'One', files: { [`${API}/service.yaml`]: spec('1'), [`${WEB}/service.yaml`]: spec('1') } },
      { message: 'Web', files: { [`${WEB}/service.yaml`]: spec('2') } },
      { message: 'Bad', files: { [`${API}/service.yaml`]: spec('2') } },
      { message: 'Worse', files: { [`${API}/service.yaml`]: spec('3') } },
    ]);
    const { commit } = await rollBack(engine, { scope: 'acme/prod/api', to: ids[0] ?? '' });
    const { revisions } = await engine.history({ scope: 'acme/prod/api', limit: 9 });
    expect(
      revisions.map(({ version, status, rolledBackBy, source }) => [version, status, rolledBackBy, source]),
    ).toEqual([
      [4, 'unknown', null, 'rollback'],
      [3, 'rolledBack', commit, 'unknown'],
      [2, 'rolledBack', commit, 'unknown'],
      [1, 'unknown', null, 'unknown'],
    ]);
    const all = await engine.history({ scope: 'acme/prod', limit: 9 });
    expect(all.revisions.map(({ version, status }) => [version, status])).toEqual([
      [5, 'unknown'],
      [4, 'rolledBack'],
      [3, 'rolledBack'],
      [2, 'unknown'],
      [1, 'unknown'],
    ]);
    expect(await versions(engine, 'acme/prod/web')).toEqual(['v2 Web', 'v1 One']);
  });

  it.runIf(isProof)('of one field leave other fields and other services of the same file alone', async () => {
    const file = (api: number, web: number, replicas = 1) =>
      `releases:\n  - name: api\n    version: ${api}\n    replicas: ${replicas}\n  - name: web\n    version: ${web}\n`;
    const { engine } = await planning(
      [
        { message: 'One', files: { 'clusters/prod.yaml': file(1, 1) } },
        { message: 'Bad', files: { 'clusters/prod.yaml': file(2, 1) } },
        { message: 'Replicas', files: { 'clusters/prod.yaml': file(2, 1, 5) } },
        { message: 'Web', files: { 'clusters/prod.yaml': file(2, 2, 5) } },
      ],
      SHARED,
    );
    const { commit } = await rollBack(engine, { scope: 'prod/api', fields: ['#/version'], to: 'v1' });
    const marks = async (scope: string) =>
      (await engine.history({ scope, limit: 9 })).revisions.map(({ subject, rolledBackBy }) => [
        subject.slice(0, 8),
        rolledBackBy,
      ]);
    expect(await marks('prod/api')).toEqual([
      ['Rollback', null],
      ['Replicas', null],
      ['Bad', commit],
      ['One', null],
    ]);
    expect(await marks('prod')).toEqual([
      ['Rollback', null],
      ['Web', null],
      ['Replicas', null],
      ['Bad', commit],
      ['One', null],
    ]);
    expect(await marks('prod/web')).toEqual([
      ['Web', null],
      ['One', null],
    ]);
  });

  it('are followed only as far as their trailers can be true', async () => {
    const trailers = (target: string, rest = '') =>
      `Revert\n\nMode: field\nService: api\nRollback-Request-ID: rbk-01JD2M00000000000000000000\nRollback-Tenant: acme\n` +
      `Rollback-Environment: prod\nRollback-Target: ${target}\n${rest}`;
    const { engine, repo, ids } = await planning([
      { message: 'One', files: { [`${API}/service.yaml`]: spec('1') } },
      { message: 'Two', files: { [`${API}/service.yaml`]: spec('2') } },
    ]);
    await repo.replay([
      { message: trailers('b'.repeat(40)), files: { [`${API}/service.yaml`]: spec('3') } },
      {
        message: trailers(ids[0] ?? '', 'Rollback-Field: services/api/service.yaml#/image[\n'),
        files: { [`${API}/service.yaml`]: spec('4') },
      },
    ]);
    const { revisions } = await engine.history({ scope: 'acme/prod/api', limit: 9 });
    expect(revisions.map(({ rolledBackBy }) => rolledBackBy)).toEqual([null, null, null, null]);
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
