import { describe, expect, it } from 'vitest';
import { type Coordinates, isFailure } from '../../../engine/model/index.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { discover, requireScopeExists } from '../../../engine/layout/discover.ts';
import {
  compileLayout,
  type Layout,
  parseScope,
  recordField,
  selectionsOf,
  serviceOfPath,
} from '../../../engine/layout/layout.ts';
import { formatSelector } from '../../../engine/yaml/core/selector.ts';
import { type Held, memoryTree } from '../../helpers/trees/memory-tree.ts';

const layoutOf = (layout: object, rest: object = {}) =>
  compileLayout(parseConfig(JSON.stringify({ version: 1, layout, ...rest }), 'c.yaml'));
const written = ({ tenant, environment, service }: Coordinates) =>
  [tenant, environment, service].filter((name) => name !== undefined).join('/');

async function found(layout: Layout, files: Record<string, Held>, within: Partial<Coordinates> = {}) {
  const tree = memoryTree(files);
  const coordinates = await discover(tree.view, layout, within);
  return { names: coordinates.map(written), reads: tree.reads };
}

const DESIGN = layoutOf({
  environment: ['tenants/{tenant}/{environment}/**'],
  service: [
    'tenants/{tenant}/{environment}/services/{service}/**',
    'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
  ],
});

describe('discovery', () => {
  it('finds tenants, environments and services that are folders or keys of a shared map', async () => {
    const { names } = await found(DESIGN, {
      'tenants/acme/prod/services/api/service.yaml': 'a: 1',
      'tenants/acme/prod/services/README.md': 'x',
      'tenants/acme/prod/variables.yaml': 'services:\n  web: {a: 1}\n  api: {a: 1}\n  "-x": {}\n',
      'tenants/acme/staging/x.yaml': 'a: 1',
      'tenants/acme/CODEOWNERS': 'x',
      'tenants/beta/prod/variables.yaml': 'services: [no, map]\n',
      'tenants/.hidden/prod/x': 'a',
      'README.md': 'x',
    });
    expect(names).toEqual(['acme/prod', 'acme/prod/api', 'acme/prod/web', 'acme/staging', 'beta/prod']);
  });

  it('finds no environment and no service of a name that the configuration ignores', async () => {
    const layout = layoutOf({
      environment: ['apps/{environment}/**'],
      service: ['apps/{environment}/{service}.yaml'],
      ignore: { environment: ['base'], service: ['kustomization'] },
    });
    const files = {
      'apps/base/kustomization.yaml': '',
      'apps/base/api.yaml': '',
      'apps/prod/kustomization.yaml': '',
      'apps/prod/api.yaml': '',
      'apps/bare/kustomization.yaml': '',
    };
    expect((await found(layout, files)).names).toEqual(['bare', 'prod', 'prod/api']);
    const { view } = memoryTree(files);
    for (const scope of [
      { environment: 'base' },
      { environment: 'base', service: 'api' },
      { environment: 'prod', service: 'kustomization' },
    ])
      await expect(requireScopeExists(view, layout, scope)).rejects.toSatisfy(isFailure);
    await expect(
      requireScopeExists(view, layout, { environment: 'prod', service: 'api' }),
    ).resolves.toBeUndefined();
    const service = (path: string) => serviceOfPath(layout, { environment: 'prod' }, path);
    expect([service('apps/prod/kustomization.yaml'), service('apps/prod/api.yaml')]).toEqual([null, 'api']);
  });

  it.each<[string, object, string[]]>([
    ['ignored globs', { ignore: { environment: ['enc-*', 't*s*t'] } }, ['Enc-b', 'prod', 'stg']],
    [
      'ignored names, which mean themselves',
      { ignore: { environment: ['enc-a', '!prod', 'st[g]', '*(', '?tg'] } },
      ['Enc-b', 'prod', 'stg', 'test'],
    ],
    ['the only names', { only: { environment: ['prod', 's*'] } }, ['prod', 'stg']],
    [
      'the only names but one',
      { only: { environment: ['*'] }, ignore: { environment: ['enc-*'] } },
      ['Enc-b', 'prod', 'stg', 'test'],
    ],
  ])('goes by %s', async (_, more, expected) => {
    const layout = layoutOf({ environment: ['envs/{environment}/**'], ...more });
    const files = Object.fromEntries(
      ['Enc-b', 'enc-a', 'prod', 'stg', 'test'].map((name) => [`envs/${name}/x`, '']),
    );
    expect((await found(layout, files)).names).toEqual(expected);
  });

  it('finds nothing in what is shared, whichever pattern would', async () => {
    const files = {
      'apps/api/base/deploy.yaml': '',
      'apps/api/prod/values.yaml': '',
      'apps/api/common.yaml': '',
      'apps/web/base/x/deploy.yaml': '',
      'apps/web/stg/values.yaml': '',
    };
    const patterns = {
      environment: ['apps/*/{environment}/**'],
      service: ['apps/{service}/{environment}/**'],
    };
    const bare = await found(layoutOf(patterns), files);
    expect(bare.names).toContain('base/api');
    for (const shared of ['apps/{service}/base/**', 'apps/*/base/**', '**/base/**']) {
      const { names } = await found(layoutOf({ ...patterns, shared: [shared] }), files);
      expect(names).toEqual(['prod', 'prod/api', 'stg', 'stg/web']);
    }
    // A folder of any name is shared, a file beside it is not.
    const { names } = await found(
      layoutOf({ environment: ['{environment}.yaml', '{environment}/**'], shared: ['c*/**'] }),
      { 'common/x': '', 'c.yaml': '', 'prod/x': '' },
    );
    expect(names).toEqual(['c', 'prod']);
  });

  it.each<[string, object, Record<string, Held>, string[]]>([
    [
      'images with their registry before the name',
      { service: ['o/{environment}.yaml#/images[name=reg.io/team/{service}]/newTag'] },
      {
        'o/prod.yaml':
          'images:\n- {name: reg.io/team/api, newTag: 1}\n- {name: reg.io/team/x/y, newTag: 1}\n- {name: redis, newTag: 1}\n',
      },
      ['prod', 'prod/api'],
    ],
    [
      'file names',
      { service: ['apps/{tenant}/{service}/{environment}.yaml'] },
      { 'apps/acme/api/prod.yaml': '', 'apps/acme/api/staging.yaml': '', 'apps/acme/api/notes.md': '' },
      ['acme/prod', 'acme/prod/api', 'acme/staging', 'acme/staging/api'],
    ],
    [
      'parts of file names',
      { environment: ['config/clusters/{tenant}/{environment}.values.yaml'] },
      { 'config/clusters/acme/prod.values.yaml': '', 'config/clusters/acme/prod.yaml': '' },
      ['acme/prod'],
    ],
    [
      'files without an ending',
      { service: ['charts/app-config/image-tags/{environment}/{service}'] },
      { 'charts/app-config/image-tags/prod/api': '', 'charts/app-config/image-tags/README': '' },
      ['prod', 'prod/api'],
    ],
    [
      'items of a list in a shared file',
      { service: ['clusters/{environment}.yaml#/releases[name={service}]'] },
      {
        'clusters/prod.yaml': 'releases:\n  - {name: api}\n  - {name: web}\n  - {title: none}\n',
        'clusters/new.yaml': 'releases: []\n',
      },
      ['prod', 'prod/api', 'prod/web'],
    ],
    [
      'items that are named by two keys',
      { service: ['releases.yaml#/releases[name={service},env={environment}]'] },
      {
        'releases.yaml':
          'releases:\n  - {name: api, env: prod}\n  - {name: web, env: dev}\n  - {name: api, env: dev}\n',
      },
      ['dev', 'dev/api', 'dev/web', 'prod', 'prod/api'],
    ],
    [
      'items of a certain kind',
      { service: ['{environment}.yaml#/list[name={service},kind=App]'] },
      { 'prod.yaml': 'list:\n  - {name: api, kind: App}\n  - {name: db, kind: Store}\n' },
      ['prod', 'prod/api'],
    ],
    [
      'documents of a file',
      { service: ['{environment}.yaml#[kind=Deployment,metadata.name={service}]/spec'] },
      {
        'prod.yaml':
          'kind: Deployment\nmetadata: {name: api}\nspec: {}\n---\nkind: Service\nmetadata: {name: web}\n---\nkind: Deployment\nmetadata: {name: bare}\n',
      },
      ['prod', 'prod/api'],
    ],
    [
      'keys with something around them, and something below them',
      { service: ['{environment}.yaml#/apps/app-{service}/image'] },
      { 'prod.yaml': 'apps:\n  app-api: {image: 1}\n  app-web: {}\n  other: {image: 1}\n' },
      ['prod', 'prod/api'],
    ],
    [
      'environments and services in one file',
      { service: ['all.yaml#/{environment}/{service}'] },
      { 'all.yaml': 'prod:\n  api: {}\ndev:\n  api: {}\n  web: {}\n' },
      ['dev', 'dev/api', 'dev/web', 'prod', 'prod/api'],
    ],
    [
      'folders at any depth',
      { environment: ['**/envs/{environment}/kustomization.yaml'] },
      {
        'envs/prod/kustomization.yaml': '',
        'a/b/envs/dev/kustomization.yaml': '',
        'a/envs/x/other.yaml': '',
      },
      ['dev', 'prod'],
    ],
    [
      'names that stand twice in a path',
      { service: ['{service}/{environment}/{service}.yaml'] },
      { 'api/prod/api.yaml': '', 'api/prod/web.yaml': '' },
      ['prod', 'prod/api'],
    ],
  ])('finds %s', async (_, layout, files, expected) => {
    expect((await found(layoutOf(layout), files)).names).toEqual(expected);
  });

  it('goes on where a shared file does not parse, is a link or is not text', async () => {
    const layout = layoutOf({ service: ['{environment}.yaml#/s/{service}', '{environment}/{service}/**'] });
    const { names } = await found(layout, {
      'dev.yaml': 's: {api: [}',
      'link.yaml': { mode: '120000', text: '/etc/passwd' },
      'prod.yaml': 's: {api: 1}',
      'qa/web/x': '',
    });
    expect(names).toEqual(['dev', 'prod', 'prod/api', 'qa', 'qa/web']);
  });

  it('takes keys of the language for what they are', async () => {
    const layout = layoutOf({ service: ['{environment}.yaml#/s/{service}'] });
    const { names } = await found(layout, { 'prod.yaml': 's: {__proto__: {a: 1}, constructor: {}}' });
    expect(names).toEqual(['prod', 'prod/__proto__', 'prod/constructor']);
  });

  it('reads only the folders that the patterns need, each shared file once', async () => {
    const files = {
      'tenants/acme/prod/services/api/deep/down/x.yaml': '',
      'tenants/acme/prod/services/api/service.yaml': '',
      'tenants/acme/prod/other/deep/x': '',
      'tenants/acme/prod/variables.yaml': 'services: {api: {}}',
      'docs/deep/x.md': '',
      'other/tenants/x/y/z': '',
    };
    const all = await found(DESIGN, files);
    expect(all.reads.filter((read) => /docs|other|deep/.test(read))).toEqual([]);
    expect(all.reads.filter((read) => read.startsWith('read '))).toEqual([
      'read tenants/acme/prod/variables.yaml',
    ]);
    expect(all.reads.length).toBeLessThan(20);
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`tenants/t${index}/prod/services/api/service.yaml`, '']),
    );
    const one = await found(DESIGN, { ...files, ...many }, { tenant: 'acme', environment: 'prod' });
    expect(one.reads.filter((read) => /tenants\/t\d|list tenants$/.test(read))).toEqual([]);
    expect(one.names).toEqual(['acme/prod', 'acme/prod/api']);
  });
});

describe('scopes', () => {
  const plain = layoutOf({ service: ['{environment}/{service}/**'] });

  it('reads them as the layout means them', () => {
    expect(parseScope(DESIGN, 'acme/prod/api')).toEqual({
      tenant: 'acme',
      environment: 'prod',
      service: 'api',
    });
    expect(parseScope(DESIGN, 'acme/prod')).toEqual({ tenant: 'acme', environment: 'prod' });
    expect(parseScope(plain, 'prod/api')).toEqual({ environment: 'prod', service: 'api' });
    expect(parseScope(plain, 'prod')).toEqual({ environment: 'prod' });
  });

  it.each(
    [
      '',
      '/',
      'acme',
      'acme/',
      '/acme/prod',
      'acme//api',
      'acme/prod/api/more',
      '../prod',
      'acme/../prod',
      'acme/./api',
      '--all/prod',
      'acme/-rf',
      'acme/prod\n/api',
      'acme/prod/.git',
      'acme\\prod/x',
      'acme/prod#x',
      'acme/\u202eprod',
      `acme/${'x'.repeat(100_000)}`,
    ].map((text) => ({ name: text.slice(0, 40), text })),
  )('refuses $name', ({ text }) => {
    const error = failureOf(() => parseScope(DESIGN, text));
    expect(error.code).toBe('SCOPE_INVALID');
    expect(error.message.length).toBeLessThan(400);
    expect(error.message).toMatch(/\.$/);
  });

  const files = {
    'tenants/acme/prod/services/api/service.yaml': '',
    'tenants/beta/staging/services/web/service.yaml': '',
  };

  it.each(['acme/prod', 'acme/prod/api', 'beta/staging'])('knows that %s is there', async (text) => {
    const check = requireScopeExists(memoryTree(files).view, DESIGN, parseScope(DESIGN, text));
    await expect(check).resolves.toBeUndefined();
  });

  it.each([
    ['nobody/prod', 'TENANT_UNKNOWN', 'Existing: acme, beta.'],
    ['nobody/prod/api', 'TENANT_UNKNOWN', 'Existing: acme, beta.'],
    ['acme/staging', 'ENVIRONMENT_UNKNOWN', 'Existing: prod.'],
    ['acme/staging/web', 'ENVIRONMENT_UNKNOWN', 'Existing: prod.'],
    ['acme/prod/web', 'SERVICE_UNKNOWN', 'Existing: api.'],
    ['acem/prod', 'TENANT_UNKNOWN', 'Did you mean acme? Existing: acme, beta.'],
    ['acme/prd', 'ENVIRONMENT_UNKNOWN', 'Did you mean prod? Existing: prod.'],
    ['acme/prod/apis', 'SERVICE_UNKNOWN', 'Did you mean api? Existing: api.'],
    ['beta/staging/prod', 'SERVICE_UNKNOWN', 'Existing: web.'],
  ])('says of %s what is unknown, and what there is', async (text, code, hint) => {
    const check = requireScopeExists(memoryTree(files).view, DESIGN, parseScope(DESIGN, text));
    await expect(check).rejects.toMatchObject({ code, hint });
  });

  it('says so where there is nothing at all', async () => {
    const check = requireScopeExists(memoryTree({}).view, plain, { environment: 'prod' });
    await expect(check).rejects.toMatchObject({ code: 'ENVIRONMENT_UNKNOWN', hint: 'None exists.' });
  });

  it('looks for a scope that is there without looking at all the others', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`tenants/acme/e${index}/services/api/service.yaml`, '']),
    );
    const tree = memoryTree({ ...files, ...many });
    await requireScopeExists(tree.view, DESIGN, { tenant: 'acme', environment: 'e7', service: 'api' });
    expect(tree.reads.filter((read) => /\/e\d/.test(read) && !/\/e7/.test(read))).toEqual([]);
  });
});

describe('selections', () => {
  it('of a service are its own patterns', () => {
    expect(texts(DESIGN, { tenant: 'acme', environment: 'prod', service: 'api' })).toEqual([
      'tree tenants/acme/prod/services/api',
      'path tenants/acme/prod/variables.yaml#/services/api',
    ]);
  });

  it('of an environment leave out what lies within another', () => {
    expect(texts(DESIGN, { tenant: 'acme', environment: 'prod' })).toEqual(['tree tenants/acme/prod']);
  });

  it.each<[string, object, string[]]>([
    [
      'a part of a file that belongs as a whole',
      { environment: ['c/{environment}.yaml'], service: ['c/{environment}.yaml#/s/{service}'] },
      ['path c/prod.yaml'],
    ],
    ['the same pattern twice', { environment: ['{environment}/**', '{environment}/**'] }, ['tree prod']],
    [
      'neighbours with a common beginning stay',
      { environment: ['a/{environment}/**', 'a/{environment}-x/**'] },
      ['tree a/prod', 'tree a/prod-x'],
    ],
    [
      'parts of one file stay side by side',
      { service: ['c/{environment}.yaml#/s/{service}', 'c/{environment}.yaml#/t/{service}'] },
      ['path c/prod.yaml#/s/{service}', 'path c/prod.yaml#/t/{service}'],
    ],
    [
      'a glob hides nothing',
      { environment: ['c/{environment}/*.yaml'], service: ['c/{environment}/{service}/**'] },
      ['glob c/prod', 'glob c/prod'],
    ],
  ])('%s', (_, layout, expected) => {
    expect(texts(layoutOf(layout), { environment: 'prod' })).toEqual(expected);
  });

  it('say which service owns a path', () => {
    const environment = { tenant: 'acme', environment: 'prod' };
    expect(serviceOfPath(DESIGN, environment, 'tenants/acme/prod/services/api/x/y')).toBe('api');
    expect(serviceOfPath(DESIGN, environment, 'tenants/acme/prod/variables.yaml')).toBeNull();
    expect(serviceOfPath(DESIGN, environment, 'tenants/beta/prod/services/api/x')).toBeNull();
  });

  it('never hold our own configuration or what is delivered', () => {
    const layout = layoutOf(
      {
        environment: ['{environment}/**'],
        service: ['{environment}/{service}/**'],
        ignore: { environment: ['out'] },
      },
      { delivery: { output: 'out/{environment}/{service}.yaml' } },
    );
    expect(layout.isExcluded('.backtrail/config.yaml')).toBe(true);
    expect(layout.isExcluded('.backtrail')).toBe(true);
    expect(layout.isExcluded('.backtrailx/a')).toBe(false);
    expect(layout.isExcluded('out/prod/api.yaml')).toBe(true);
    expect(layout.isExcluded('out/prod/api.yml')).toBe(false);
    expect(layout.isExcluded('out/prod')).toBe(false);
    expect(layout.isExcluded('out/prod/api.yaml/below')).toBe(false);
  });
});

describe('fields as the record writes them', () => {
  it('are relative to the folder of the environment, and from the root elsewhere', () => {
    const api = { tenant: 'acme', environment: 'prod', service: 'api' };
    expect(recordField(DESIGN, api, 'tenants/acme/prod/services/api/service.yaml#/image/tag')).toBe(
      'services/api/service.yaml#/image/tag',
    );
    expect(recordField(DESIGN, api, 'tenants/acme/production/x.yaml#/a')).toBe(
      'tenants/acme/production/x.yaml#/a',
    );
  });
});

function failureOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

function texts(layout: Layout, coordinates: Coordinates): string[] {
  return selectionsOf(layout, coordinates).map(
    ({ paths, selector }) => `${paths.kind} ${paths.prefix}${selector ? `#${formatSelector(selector)}` : ''}`,
  );
}

describe('variables and bindings', () => {
  it('are globs in which a placeholder stands for any name', () => {
    const layout = layoutOf({
      service: ['envs/{environment}/{service}/**'],
      variables: ['envs/{environment}/variables.yaml'],
      bindings: ['**/kustomization.yaml'],
    });
    expect(layout.isVariables('envs/prod/variables.yaml')).toBe(true);
    expect(layout.isVariables('envs/prod/api/variables.yaml')).toBe(false);
    expect(layout.isBinding('envs/prod/api/kustomization.yaml')).toBe(true);
  });
});
