import { describe, expect, it } from 'vitest';
import type { Engine, Plan } from '../../../engine/internal.ts';
import { rollBack } from '../../helpers/engine.ts';
import { CONFIG, planning, SHARED } from '../../helpers/plan-repo.ts';
import type { Files, Repo } from '../../helpers/repo.ts';

const ENV = 'tenants/acme/prod';
const API = `${ENV}/services/api`;
const spec = (tag: number, replicas = 1) => `image:\n  tag: ${tag}\nreplicas: ${replicas}\n`;
const variables = (api: number, web = 1) => `services:\n  api: {a: ${api}}\n  web: {a: ${web}}\n`;

interface Ask {
  readonly scope?: string;
  readonly fields?: string[];
  readonly to?: string;
  readonly allowRemoval?: boolean;
}

async function planOf(
  engine: Engine,
  { scope = 'acme/prod/api', to = 'v1', ...rest }: Ask = {},
): Promise<Plan> {
  return (await engine.plan({ scope, to, ...rest })).plan;
}

const blocks = ({ findings }: Plan) =>
  findings.filter(({ severity }) => severity === 'block').map(({ code, message }) => `${code}: ${message}`);
const changed = ({ files }: Plan) => files.map(({ path }) => path);

/** A commit written entry by entry: what no worktree could hold. */
async function commitEntries(repo: Repo, entries: readonly string[]): Promise<string> {
  const tip = await repo.git('rev-parse', 'refs/heads/main');
  const stream = `commit refs/heads/main\ncommitter T <t@example.com> 1790000000 +0000\ndata 3\nOdd\nfrom ${tip}\n${entries.join('\n')}\n\n`;
  await repo.gitWith({ input: Buffer.from(stream, 'latin1') }, ['fast-import', '--quiet']);
  return repo.git('rev-parse', 'refs/heads/main');
}

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

  it.each<[string, Ask, Files]>([
    ['elsewhere in the repository', {}, { 'README.md': 'x', [`${ENV}/services/web/service.yaml`]: spec(9) }],
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
  ])('stays when something changes %s', async (_, ask, files) => {
    const { engine, repo, ids } = await planning([first, second]);
    const to = ids[0] ?? '';
    const before = await planOf(engine, { ...ask, to });
    await repo.replay([{ files }]);
    const after = await planOf(engine, { ...ask, to });
    expect(after.base).not.toBe(before.base);
    expect(after.digest).toBe(before.digest);
    expect(before.files.length).toBeGreaterThan(0);
  });

  it.each<[string, Ask, Files]>([
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
  ])('changes with %s', async (_, ask, files) => {
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

  it('does not take what is kept for the service', async () => {
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

describe('what is kept', () => {
  it('stays while the rest of its folder is restored, and the plan says so', async () => {
    const { engine, repo } = await planning([
      { [`${API}/a.yaml`]: 'a: 1\n', [`${API}/secrets/db`]: 'old', [`${API}/gone.yaml`]: 'a: 1\n' },
      {
        [`${API}/a.yaml`]: 'a: 2\n',
        [`${API}/secrets/db`]: 'new',
        [`${API}/gone.yaml`]: null,
        [`${API}/secrets/more`]: 'x',
      },
    ]);
    const plan = await planOf(engine);
    expect(changed(plan)).toEqual([`${API}/a.yaml`, `${API}/gone.yaml`]);
    expect(plan.kept.map(({ path }) => path)).toEqual([`${API}/secrets/db`, `${API}/secrets/more`]);
    await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' });
    expect(await repo.git('ls-tree', '-r', '--name-only', 'main', `${API}/`)).toBe(
      [`${API}/a.yaml`, `${API}/gone.yaml`, `${API}/secrets/db`, `${API}/secrets/more`].join('\n'),
    );
    expect(await repo.git('show', `main:${API}/secrets/db`)).toBe('new');
  });

  it.each<[string, Files, Files, string]>([
    [
      'a file in the place of its folder',
      { [`${API}/x`]: '1', [`${API}/a`]: '1' },
      { [`${API}/x`]: null, [`${API}/x/secrets/s`]: '2' },
      'KEPT',
    ],
    [
      'a folder in the place of its file',
      { [`${API}/x/y`]: '1', [`${API}/a`]: '1' },
      { [`${API}/x/y`]: null, [`${API}/x`]: 'kind: Secret\ndata: {a: b}\n' },
      'KEPT',
    ],
  ])('blocks where %s would have to go', async (_, then, now, code) => {
    const { engine } = await planning([then, now]);
    const plan = await planOf(engine);
    expect(blocks(plan)).toEqual([expect.stringMatching(new RegExp(`^${code}: .* is in the way\\.$`, 'u'))]);
  });

  it('needs the part on both sides, and says what can be done', async () => {
    const { engine } = await planning([
      { [`${ENV}/environment.yaml`]: 'region: eu\n', [`${API}/a`]: '1' },
      { [`${ENV}/environment.yaml`]: 'metadata: {id: 1}\nregion: us\n' },
    ]);
    const plan = await planOf(engine, { scope: 'acme/prod' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^KEPT: .*environment\.yaml/)]);
    expect(plan.findings.find(({ code }) => code === 'KEPT')?.hint).toContain(
      '**/environment.yaml#/metadata',
    );
  });

  it('stays in a file whose other parts come back, byte for byte', async () => {
    const file = (id: string, region: string) =>
      `# one\nmetadata: {id: ${id}} # stays\nregion: ${region} # comes\n`;
    const { engine, repo } = await planning([
      { [`${ENV}/environment.yaml`]: file("'0644'", 'eu') },
      { [`${ENV}/environment.yaml`]: file('0x1F', 'us') },
    ]);
    await rollBack(engine, { scope: 'acme/prod', to: 'v1' });
    expect(await repo.git('show', `main:${ENV}/environment.yaml`)).toBe(file('0x1F', 'eu').trimEnd());
  });

  it('is spliced by an anchor only where nothing else hangs on it', async () => {
    const file = (id: string, region: string) => `metadata: &m {id: ${id}}\nregion: ${region}\ncopy: *m\n`;
    const { engine } = await planning([
      { [`${ENV}/environment.yaml`]: file('1', 'eu') },
      { [`${ENV}/environment.yaml`]: file('2', 'us') },
    ]);
    const plan = await planOf(engine, { scope: 'acme/prod' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^KEPT: /)]);
  });

  it('inside a part with an anchor is refused and never thrown', async () => {
    const config = { ...SHARED, keep: ['clusters/*.yaml#/releases[name=api]/token'] };
    const file = (v: number, token: number) => ({
      'clusters/prod.yaml': `releases:\n  - name: api\n    v: ${v}\n    token: &t x${token}\nother: *t\n`,
    });
    const { engine } = await planning([file(1, 1), file(2, 2)], config);
    const plan = await planOf(engine, { scope: 'prod/api' });
    expect(blocks(plan)).toEqual([expect.stringMatching(/^EDIT_REFUSED: /)]);
  });
});

describe('something that is in the way', () => {
  it('outside the scope blocks, and is named', async () => {
    const { engine } = await planning([
      { [`${API}/service.yaml`]: spec(1) },
      { [`${API}/service.yaml`]: null, [`${ENV}/services`]: 'a file now' },
    ]);
    const { plan } = await engine.plan({ scope: 'acme/prod/api' });
    expect(blocks(plan)).toEqual([
      `PATH_COLLISION: ${API}/service.yaml cannot be restored: ${ENV}/services is in the way.`,
    ]);
    expect(blocks(await planOf(engine, { scope: 'acme/prod' }))).toEqual([]);
  });
});

describe('odd entries', () => {
  it('of another kind in the place of a folder that the scope owns come and go as the folder does', async () => {
    const layout = { version: 1, layout: { environment: ['overlays/{environment}/**'] }, keep: [] };
    const { engine, repo, ids } = await planning(
      [
        { 'overlays/staging/v.yaml': 's: 1\n', 'overlays/prod': { link: 'staging' } },
        { 'overlays/prod': null, 'overlays/prod/v.yaml': 'p: 1\n', 'overlays/prod/deep/w.yaml': 'p: 1\n' },
        { 'overlays/prod/v.yaml': 'p: 2\n' },
      ],
      layout,
    );
    const [link = '', folder = '', newest = ''] = ids;
    const tree = (commit: string) => repo.git('rev-parse', `${commit}^{tree}`);
    for (const to of [link, folder, link, newest]) {
      await rollBack(engine, { scope: 'prod', to, allowRemoval: true });
      expect(await tree('main')).toBe(await tree(to));
    }
    expect(await engine.plan({ scope: 'prod', to: link })).toMatchObject({
      plan: { files: [{ path: 'overlays/prod', after: { mode: '120000' } }, {}, {}] },
    });
  });

  it('come back as they were: a submodule with a warning, names that are not UTF-8 without', async () => {
    const { engine, repo, ids } = await planning([{ [`${API}/a`]: '1' }, { [`${API}/a`]: '2' }]);
    const entries = [
      `M 160000 ${'d'.repeat(40)} ${API}/lib`,
      `M 100644 inline "${API}/\\377.yaml"\ndata 4\na: 1`,
      `M 100644 inline "${API}/\\303\\050/x"\ndata 4\na: 1`,
    ];
    const odd = await commitEntries(repo, entries);
    const tree = await repo.git('rev-parse', `${odd}:${API}`);
    await repo.replay([{ files: { [API]: null, [`${API}/a`]: '3' } }]);
    expect((await engine.history({ scope: 'acme/prod/api', limit: 9 })).total).toBe(4);
    const plan = await planOf(engine, { to: odd });
    expect(plan.findings.filter(({ severity }) => severity !== 'info')).toEqual([
      expect.objectContaining({ code: 'SUBMODULE_IN_SCOPE', severity: 'warn', path: `${API}/lib` }),
    ]);
    expect(plan.files.map(({ path }) => path)).toEqual([
      `${API}/a`,
      `${API}/lib`,
      `${API}/\udcc3(/x`,
      `${API}/\udcff.yaml`,
    ]);
    await rollBack(engine, { scope: 'acme/prod/api', to: odd });
    expect(await repo.git('rev-parse', `main:${API}`)).toBe(tree);
    await rollBack(engine, { scope: 'acme/prod', to: ids[0] ?? '' });
    expect(await repo.git('ls-tree', '-r', '--name-only', 'main', `${API}/`)).toBe(`${API}/a`);
  });

  it('outside the scope do not matter', async () => {
    const { engine, repo } = await planning([{ [`${API}/a`]: '1' }, { [`${API}/a`]: '2' }]);
    await commitEntries(repo, [
      `M 160000 ${'d'.repeat(40)} ${ENV}/services/web/lib`,
      `M 100644 inline "\\377"`,
      'data 1',
      'a',
    ]);
    expect(blocks(await planOf(engine))).toEqual([]);
    expect((await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' })).status).toBe('completed');
  });

  it('are no links: a link comes back as a link, and is never followed', async () => {
    const { engine, repo } = await planning([
      { [`${API}/link`]: { link: '../../../../etc/passwd' }, [`${API}/dir`]: { link: '/' } },
      { [`${API}/link`]: 'text', [`${API}/dir`]: null, [`${API}/dir/file`]: '1' },
    ]);
    const plan = await planOf(engine);
    expect(blocks(plan)).toEqual([]);
    expect(JSON.stringify(plan.changes)).not.toContain('root:');
    await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' });
    const tree = await repo.git('ls-tree', '-r', 'main', `${API}/`);
    expect(tree.split('\n').map((line) => line.slice(0, 6))).toEqual(['120000', '120000']);
  });

  it('that are too large to be shown are restored all the same', async () => {
    const large = (text: string) => text.repeat(3_000_000);
    const { engine, repo } = await planning([
      { [`${API}/x.yaml`]: large('a: 1\n') },
      { [`${API}/x.yaml`]: large('b: 1\n') },
    ]);
    const plan = await planOf(engine);
    expect(blocks(plan)).toEqual([]);
    await rollBack(engine, { scope: 'acme/prod/api', to: 'v1' });
    expect(await repo.git('rev-parse', `main:${API}/x.yaml`)).toBe(plan.files[0]?.after?.id);
  });
});

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
