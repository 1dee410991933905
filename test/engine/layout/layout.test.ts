/** What a layout finds, and its variables. */
import { describe, expect, it } from 'vitest';
import { type Coordinates, isFailure } from '../../../engine/model/index.ts';
import { discover, requireScopeExists } from '../../../engine/layout/discover.ts';
import { type Layout, serviceOfPath } from '../../../engine/layout/layout.ts';
import { type Held, memoryTree } from '../../helpers/trees/memory-tree.ts';
import { DESIGN, layoutOf } from './layouts.ts';

const written = ({ tenant, environment, service }: Coordinates) =>
  [tenant, environment, service].filter((name) => name !== undefined).join('/');

async function found(layout: Layout, files: Record<string, Held>, within: Partial<Coordinates> = {}) {
  const tree = memoryTree(files);
  const coordinates = await discover(tree.view, layout, within);
  return { names: coordinates.map(written), reads: tree.reads };
}

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
