import { describe, expect, it } from 'vitest';
import type { Check } from '../../../engine/internal.ts';
import { checkConfiguration } from '../../../engine/doctor/tree/index.ts';
import { nearNames } from '../../../engine/layout/near-names.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { compileLayout } from '../../../engine/layout/layout.ts';
import { type Held, memoryTree } from '../../helpers/trees/memory-tree.ts';

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata: { a: MQ== }\n';

/** What is noted about a configuration and a tree; `ok` where that is all. */
async function noted(config: object, files: Readonly<Record<string, Held>>, name: string): Promise<Check[]> {
  const text = JSON.stringify({ version: 1, ...config });
  const layout = compileLayout(parseConfig(text, 'config.yaml'));
  const checks = await checkConfiguration(
    memoryTree({ '.backtrail/config.yaml': text, ...files }).view,
    layout,
  );
  const own = checks.filter((check) => check.name === name);
  const bad = own.filter(({ status }) => status !== 'ok');
  return bad.length > 0 ? bad : own;
}

const TREE = {
  'tenants/acme/prod/services/api/service.yaml': 'image: { tag: v1 }\nreplicas: 2\n',
  'tenants/acme/prod/services/web/service.yaml': 'image: { tag: v2 }\n',
  'tenants/acme/prod/variables.yaml': 'services:\n  api: { A: 1 }\n',
  'tenants/acme/prod/secrets/key.enc.yaml': 'a: b\n',
  'clusters/prod.yml': 'releases:\n  - { name: api, version: 1 }\n  - { name: web, version: 2 }\n',
};
const SERVICE = 'tenants/{tenant}/{environment}/services/{service}/**';
const LAYOUT = { service: [SERVICE], variables: ['**/variables.yaml'] };

describe('patterns that match nothing', () => {
  const suggestion = async (config: object) => {
    const checks = await noted(config, TREE, 'patterns');
    return checks.map(({ status, details }) => details?.['suggestion'] ?? status);
  };

  it.each([
    ['Tenants/{tenant}/{environment}/services/{service}/**', SERVICE],
    ['tenant/{tenant}/{environment}/services/{service}/**', SERVICE],
    ['tenants/{tenant}/{environment}/service/{service}/**', SERVICE],
    ['tenants/{tenant}/{environment}/servcies/{service}/**', SERVICE],
    ['{tenant}/{environment}/services/{service}/none/x', 'warn'],
    [
      'tenants/{tenant}/{environment}/variable.yaml#/services/{service}',
      'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
    ],
    [
      'tenants/{tenant}/{environment}/variables.yaml#/service/{service}',
      'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
    ],
  ])('of services are named: %s, did you mean %s', async (pattern, wanted) => {
    expect(await suggestion({ layout: { service: [SERVICE, pattern] } })).toEqual([wanted]);
  });

  it('are found again below the folders that were left out', async () => {
    const service = ['{tenant}/{environment}/services/{service}/service.yaml'];
    const files = { 'deploy/acme/prod/services/api/service.yaml': 'a: 1\n' };
    const [check] = await noted({ layout: { service } }, files, 'patterns');
    expect(check?.details?.['suggestion']).toBe(`deploy/${service[0]}`);
  });

  it('are found again with the other ending of YAML', async () => {
    const service = ['clusters/{environment}.yaml#/releases[name={service}]'];
    expect(await suggestion({ layout: { service } })).toEqual([
      'clusters/{environment}.yml#/releases[name={service}]',
    ]);
  });

  it.each([
    ['variables', '**/varables.yaml', '**/variables.yaml'],
    ['bindings', 'secrets/**', 'tenants/acme/prod/secrets/**'],
    ['bindings', '**/nowhere/**', 'warn'],
  ])('of %s are named: %s, did you mean %s', async (section, glob, wanted) => {
    expect(
      await suggestion({ layout: { service: [SERVICE], [section]: ['**/service.yaml', glob] } }),
    ).toEqual([wanted]);
  });

  it.each([
    ['**/secret/**', '**/secrets/**'],
    ['**/variables.yaml#/service', '**/variables.yaml#/services'],
    ['**/variables.yaml#/nothing', 'warn'],
  ])('of keep are named: %s, did you mean %s', async (rule, wanted) => {
    expect(await suggestion({ layout: LAYOUT, keep: ['**/secrets/**', 'kind:Secret', rule] })).toEqual([
      wanted,
    ]);
  });

  it('are none where each matches something', async () => {
    expect(
      await noted({ layout: LAYOUT, keep: ['**/variables.yaml#/services'] }, TREE, 'patterns'),
    ).toMatchObject([{ status: 'ok', message: 'Each of the 3 patterns matches something.' }]);
  });

  it('names are near in case, number, ending, or by a letter or two of many', () => {
    expect(nearNames('Service', ['services', 'service', 'surface', 'x'])).toEqual(['service', 'services']);
    expect(nearNames('a.yml', ['a.yaml', 'b.yaml'])).toEqual(['a.yaml']);
    expect(nearNames('prod', ['prd', 'dev', 'production', 'prod'])).toEqual(['prd']);
    expect(nearNames('environment', ['enviroment', 'evnironment', 'tenant'])).toEqual([
      'enviroment',
      'evnironment',
    ]);
  });
});

describe('services that are seen twice', () => {
  const services = (layout: object, files: Readonly<Record<string, Held>>) =>
    noted({ layout }, files, 'services');

  it('in two folders that one pattern does not tell apart', async () => {
    const layout = { service: ['apps/*/{environment}/{service}/**'] };
    const files = { 'apps/a/prod/api/x': '', 'apps/b/prod/api/x': '', 'apps/b/prod/web/x': '' };
    const [check, second] = await services(layout, files);
    expect(second).toBeUndefined();
    expect(check).toMatchObject({
      status: 'warn',
      details: { places: [{ scope: 'prod/api', in: ['apps/a/prod/api', 'apps/b/prod/api'] }] },
    });
  });

  it('as two items of a list', async () => {
    const layout = { service: ['{environment}.yaml#/releases[name={service}]'] };
    const list = (...names: string[]) =>
      `releases:\n${names.map((name) => `  - { name: ${name} }\n`).join('')}`;
    expect(await services(layout, { 'prod.yaml': list('api', 'web', 'api') })).toMatchObject([
      { status: 'warn', details: { place: 'prod.yaml#/releases', names: ['api'] } },
    ]);
    expect(await services(layout, { 'prod.yaml': list('api', 'web') })).toMatchObject([{ status: 'ok' }]);
  });

  it('and files that two of them claim', async () => {
    const layout = { service: ['{environment}/{service}.yaml', '{environment}/{service}-values.yaml'] };
    expect(await services(layout, { 'prod/api.yaml': '', 'prod/api-values.yaml': '' })).toMatchObject([
      {
        status: 'warn',
        message: expect.stringContaining('prod/api-values.yaml'),
        details: { overlaps: [{ names: ['prod/api-values', 'prod/api'], files: ['prod/api-values.yaml'] }] },
      },
    ]);
  });

  it('and environments that cover one another', async () => {
    const layout = { environment: ['{environment}/**', 'clusters/{environment}/**'] };
    expect(await services(layout, { 'clusters/prod/x': '', 'dev/y': '' })).toMatchObject([
      { status: 'warn', details: { overlaps: [{ names: ['clusters', 'prod'] }] } },
    ]);
  });

  it('not where several patterns add up to one service', async () => {
    const layout = {
      environment: ['tenants/{tenant}/{environment}/**'],
      service: [SERVICE, 'tenants/{tenant}/{environment}/variables.yaml#/services/{service}'],
    };
    expect(await services(layout, TREE)).toMatchObject([{ status: 'ok' }]);
  });
});

describe('fields', () => {
  const fields = async (field: string) =>
    (await noted({ layout: LAYOUT, fields: { f: field } }, TREE, 'fields'))[0];

  it('that one service has are in order, and those that none has are named', async () => {
    expect(await fields('service.yaml#/replicas')).toMatchObject({ status: 'ok' });
    expect(await fields('service.yaml#/image/tga')).toMatchObject({
      status: 'warn',
      details: { suggestion: 'service.yaml#/image/tag' },
    });
    expect(await fields('Service.yaml#/replicas')).toMatchObject({
      status: 'warn',
      details: { suggestion: 'service.yaml#/replicas' },
    });
    const nowhere = await fields('values.yaml#/nothing');
    expect(nowhere?.status).toBe('warn');
    expect(nowhere?.details).not.toHaveProperty('suggestion');
  });
});

describe('keep', () => {
  const FILES = {
    'apps/prod/api/a.yaml': 'a: 1\n',
    'apps/prod/api/s.yaml': SECRET,
    'apps/prod/api/keys/k': 'x',
  };
  const layout = { service: ['apps/{environment}/{service}/**'] };
  const keep = (rules: string[] | undefined, files: Readonly<Record<string, Held>> = FILES) =>
    noted({ layout, ...(rules && { keep: rules }) }, files, 'keep');

  it('is told with what it holds', async () => {
    expect(await keep(undefined)).toMatchObject([
      {
        status: 'ok',
        details: { rules: [{ rule: 'kind:Secret', count: 1, examples: ['apps/prod/api/s.yaml'] }] },
      },
    ]);
    expect(await keep([])).toMatchObject([{ status: 'warn', details: { paths: ['apps/prod/api/s.yaml'] } }]);
  });

  it('of its own leaves secrets out unless it says so, which blocks nothing and is told', async () => {
    expect(await keep(['**/keys/**'])).toMatchObject([
      { status: 'warn', details: { count: 1, paths: ['apps/prod/api/s.yaml'] } },
    ]);
    expect(await keep(['**/keys/**', 'kind:Secret'])).toMatchObject([{ status: 'ok' }]);
  });

  it('sees one Secret among other documents, and SOPS files', async () => {
    const files = {
      'apps/prod/api/m.yaml': `kind: Service\nmetadata: { name: a }\n---\n${SECRET}`,
      'apps/prod/api/e.env': 'A=ENC[AES256_GCM,data:x]\nsops_version=3\n',
    };
    expect(await keep(['**/keys/**'], { ...FILES, ...files })).toMatchObject([{ details: { count: 3 } }]);
    expect(await keep(['kind:Secret', 'format:sops'], { ...FILES, ...files })).toMatchObject([
      { status: 'ok' },
    ]);
  });
});

describe('an overlap', () => {
  const files = { 'envs/acme/prod/api/x.yaml': 'a: 1\n', 'envs/acme/dev/api/x.yaml': 'a: 1\n' };
  const overlap = (environment: string[], more: object = {}) =>
    noted({ layout: { environment, ...more } }, files, 'overlap');

  it('of environments is told, with the names of both', async () => {
    const both = ['envs/{tenant}/{environment}/**', '{tenant}/{environment}/**'];
    expect(await overlap(both)).toMatchObject([
      {
        status: 'warn',
        details: {
          overlaps: [
            { environments: ['acme/dev', 'envs/acme'] },
            { environments: ['acme/prod', 'envs/acme'] },
          ],
        },
      },
    ]);
    expect(await overlap(both, { ignore: { tenant: ['envs'] } })).toEqual([]);
    expect(await overlap(both.slice(0, 1))).toEqual([]);
  });
});

describe('names with a slash', () => {
  const files = { 'o/prod.yaml': 'images:\n- name: reg.io/team/api\n- name: redis\n' };
  const checked = (selector: string) =>
    noted({ layout: { service: [`o/{environment}.yaml#/images[name=${selector}]`] } }, files, 'services');
  it('are named, as no service can be called that', async () => {
    const [check] = await checked('{service}');
    expect(check).toMatchObject({ status: 'warn', details: { names: ['reg.io/team/api'] } });
    expect(check?.hint).toContain('[name=reg.io/team/{service}]');
  });
  it('are no matter where the pattern has what stands before them', async () => {
    expect(await checked('reg.io/team/{service}')).toMatchObject([{ status: 'ok' }]);
  });
});

describe('shared files', () => {
  const layout = { environment: ['{environment}/**'], shared: ['common/**'] };
  it('are counted, and are of no environment', async () => {
    const checks = await noted({ layout }, { 'common/x': '', 'prod/x': '' }, 'shared');
    expect(checks).toMatchObject([{ status: 'ok', details: { files: ['common/x'] } }]);
  });
  it('that are none, and names that are not there, are told', async () => {
    const only = { environment: ['prod', 'sandbox'] };
    const checks = await noted({ layout: { ...layout, only } }, { 'prod/x': '' }, 'patterns');
    expect(checks.map(({ details }) => [details?.['section'], details?.['pattern']])).toEqual([
      ['layout.shared', 'common/**'],
      ['layout.only.environment', 'sandbox'],
    ]);
  });
});

describe('names that are ignored', () => {
  const layout = { environment: ['{environment}/**'], ignore: { environment: ['base', 'enc-*', 'old-*'] } };
  it('are told where nothing is called so', async () => {
    const files = { 'base/x': '', 'enc-one/x': '', 'prod/x': '' };
    const checks = await noted({ layout }, files, 'patterns');
    expect(checks).toMatchObject([
      { status: 'warn', details: { section: 'layout.ignore.environment', pattern: 'old-*' } },
    ]);
  });
  it('are no matter where each leaves something out', async () => {
    const files = { 'base/x': '', 'enc-one/x': '', 'old-one/x': '', 'prod/x': '' };
    expect(await noted({ layout }, files, 'patterns')).toMatchObject([{ status: 'ok' }]);
  });
});

describe('delivery', () => {
  const delivery = (layout: object, output: string, files: Readonly<Record<string, Held>> = TREE) =>
    noted({ layout, delivery: { output } }, files, 'delivery');

  it('of two services into one file blocks', async () => {
    const layout = { service: ['{environment}/{service}/**', '{environment}/x-{service}/**'] };
    expect(await delivery(LAYOUT, 'out/{tenant}/{environment}/{service}.yaml')).toMatchObject([
      { status: 'ok' },
    ]);
    const tenants = { ...TREE, 'tenants/globex/prod/services/api/service.yaml': 'a: 1\n' };
    expect(layout.service).toHaveLength(2);
    expect(
      await delivery(LAYOUT, 'out/{tenant}{environment}{service}.yaml', {
        ...tenants,
        'tenants/ac/meprod/services/api/x': '',
      }),
    ).toMatchObject([
      {
        status: 'fail',
        details: {
          outputs: [{ output: 'out/acmeprodapi.yaml', services: ['ac/meprod/api', 'acme/prod/api'] }],
        },
      },
    ]);
  });

  it('into a folder that the layout takes for a tenant is an error of the configuration', async () => {
    const layout = { service: ['{tenant}/{environment}/{service}.yaml'] };
    const files = { 'acme/prod/api.yaml': 'a: 1\n', 'delivery/acme/prod-api.yaml': 'b: 1\n' };
    const output = 'delivery/{tenant}/{environment}-{service}.yaml';
    await expect(delivery(layout, output, files)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const ignoring = { ...layout, ignore: { tenant: ['delivery'] } };
    expect(await delivery(ignoring, output, files)).toMatchObject([{ status: 'ok' }]);
  });
});

it('a layout that finds nothing blocks', async () => {
  expect(await noted({ layout: LAYOUT }, { x: 'y' }, 'layout')).toMatchObject([{ status: 'fail' }]);
});
