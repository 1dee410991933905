import { describe, expect, it } from 'vitest';
import type { Coordinates } from '../../../engine/model/index.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { resolveFields } from '../../../engine/layout/fields/field.ts';
import { compileLayout } from '../../../engine/layout/layout.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';
import { CONFIG, SHARED } from '../../helpers/repositories/plan-repo.ts';

const API = { tenant: 'acme', environment: 'prod', service: 'api' };
const PROD = { tenant: 'acme', environment: 'prod' };
const SERVICE = 'tenants/acme/prod/services/api';
const FILES = {
  [`${SERVICE}/service.yaml`]: 'image: {tag: v1}\nports: [{name: http, port: 80}, {name: admin, port: 81}]\n',
  [`${SERVICE}/secrets/db.yaml`]: 'password: x\n',
  [`${SERVICE}/manifest.yaml`]: 'kind: Secret\nstringData: {a: b}\n',
  [`${SERVICE}/binary`]: '\0',
  'tenants/acme/prod/services/web/service.yaml': 'image: {tag: v1}\n',
  'tenants/acme/prod/variables.yaml': 'region: eu\nservices: {api: {a: 1}, web: {a: 1}}\n',
  'tenants/acme/prod/environment.yaml': 'metadata: {id: 1}\nname: x\n',
  'tenants/beta/prod/services/api/service.yaml': 'image: {tag: v1}\n',
  'service.yaml': 'image: {tag: root}\n',
  '.backtrail/config.yaml': 'version: 1\n',
};
const CLUSTER = {
  'clusters/prod.yaml':
    'globals: {domain: x}\nreleases:\n  - {name: api, version: 1}\n  - {name: web, version: 1}\n',
  'config/prod/api.yaml': 'a: 1\n',
};

function resolve(
  fields: string[],
  coordinates: Coordinates = API,
  config: object = CONFIG,
  files: Record<string, string> = FILES,
) {
  const layout = compileLayout(parseConfig(JSON.stringify(config), 'c.yaml'));
  return resolveFields({ view: memoryTree(files).view, layout, coordinates, fields });
}

describe('a field', () => {
  it.each([
    ['image', `${SERVICE}/service.yaml#/image/tag`],
    ['service.yaml#/image/tag', `${SERVICE}/service.yaml#/image/tag`],
    ['service.yaml#image.tag', `${SERVICE}/service.yaml#/image/tag`],
    [`${SERVICE}/service.yaml#/image`, `${SERVICE}/service.yaml#/image`],
    ['variables.yaml#/services/api/a', 'tenants/acme/prod/variables.yaml#/services/api/a'],
    ['service.yaml#/ports[name=admin]/port', `${SERVICE}/service.yaml#/ports[name=admin]/port`],
    ['service.yaml#/nowhere', `${SERVICE}/service.yaml#/nowhere`],
    ['#/a', 'tenants/acme/prod/variables.yaml#/services/api/a'],
  ])('%s is read', async (text, field) => {
    expect(await resolve([text])).toEqual([field]);
  });

  it('that names an item of a list by its place means the item that stands there', async () => {
    const admin = `${SERVICE}/service.yaml#/ports[name=admin]/port`;
    expect(await resolve(['service.yaml#/ports/1/port'])).toEqual([admin]);
    expect(await resolve(['service.yaml#ports[1].port'])).toEqual([admin]);
    expect(
      await resolve(
        ['clusters/prod.yaml#/releases/0/version'],
        { environment: 'prod', service: 'api' },
        SHARED,
        CLUSTER,
      ),
    ).toEqual(['clusters/prod.yaml#/releases[name=api]/version']);
  });

  it('is listed once, in order', async () => {
    const fields = await resolve(['replicas', 'image', 'service.yaml#/image/tag']);
    expect(fields).toEqual([`${SERVICE}/service.yaml#/image/tag`, `${SERVICE}/service.yaml#/replicas`]);
  });

  it('of an environment is looked for in its own folder first', async () => {
    expect(await resolve(['variables.yaml#/region'], PROD)).toEqual([
      'tenants/acme/prod/variables.yaml#/region',
    ]);
    expect(await resolve(['services/web/service.yaml#/image'], PROD)).toEqual([
      'tenants/acme/prod/services/web/service.yaml#/image',
    ]);
  });

  it('of a service that is a part of a file may be relative to it', async () => {
    const api = { environment: 'prod', service: 'api' };
    expect(await resolve(['#/version'], api, SHARED, CLUSTER)).toEqual([
      'clusters/prod.yaml#/releases[name=api]/version',
    ]);
    expect(await resolve(['api.yaml#/a'], api, SHARED, CLUSTER)).toEqual(['config/prod/api.yaml#/a']);
  });

  it.each([
    ['', 'FIELD_INVALID'],
    ['#', 'FIELD_INVALID'],
    ['service.yaml', 'FIELD_INVALID'],
    ['service.yaml#', 'FIELD_INVALID'],
    ['../web/service.yaml#/image', 'FIELD_INVALID'],
    ['a/../../web/service.yaml#/image', 'FIELD_INVALID'],
    ['/etc/passwd#/a', 'FIELD_INVALID'],
    ['.git/config#/a', 'FIELD_INVALID'],
    ['a\\..\\b#/a', 'FIELD_INVALID'],
    ['--all', 'FIELD_INVALID'],
    ['a\n#/b', 'FIELD_UNKNOWN'],
    ['service.yaml#/a[', 'SELECTOR_INVALID'],
    ['service.yaml#a..b', 'SELECTOR_INVALID'],
    ['tag', 'FIELD_UNKNOWN'],
    ['constructor', 'FIELD_UNKNOWN'],
    ['__proto__', 'FIELD_INVALID'],
    ['nowhere.yaml#/a', 'FIELD_UNKNOWN'],
    ['tenants/acme/prod/services/web/service.yaml#/image', 'FIELD_OUT_OF_SCOPE'],
    ['tenants/beta/prod/services/api/service.yaml#/image', 'FIELD_OUT_OF_SCOPE'],
    ['variables.yaml#/services/web/a', 'FIELD_OUT_OF_SCOPE'],
    ['variables.yaml#/services', 'FIELD_OUT_OF_SCOPE'],
    ['variables.yaml#/region', 'FIELD_OUT_OF_SCOPE'],
    ['.backtrail/config.yaml#/version', 'FIELD_OUT_OF_SCOPE'],
    ['secrets/db.yaml#/password', 'KEPT'],
    ['manifest.yaml#/stringData/a', 'KEPT'],
  ])('%j of a service is refused: %s', async (text, code) => {
    await expect(resolve([text])).rejects.toMatchObject({ code, message: expect.stringMatching(/\.$/) });
  });

  it.each([
    ['image', 'FIELD_NEEDS_SERVICE'],
    ['', 'FIELD_INVALID'],
    ['tag', 'FIELD_UNKNOWN'],
    ['#/a', 'FIELD_INVALID'],
    ['service.yaml#/image', 'FIELD_OUT_OF_SCOPE'],
    ['environment.yaml#/metadata', 'KEPT'],
    ['environment.yaml#/metadata/id', 'KEPT'],
  ])('%j of an environment is refused: %s', async (text, code) => {
    await expect(resolve([text], PROD)).rejects.toMatchObject({ code });
  });

  it.each(['/globals/domain', '/releases', '/other/x/y'])(
    'outside the parts of an environment is refused: %s',
    async (selector) => {
      const run = resolve([`clusters/prod.yaml#${selector}`], { environment: 'prod' }, SHARED, CLUSTER);
      await expect(run).rejects.toMatchObject({ code: 'FIELD_OUT_OF_SCOPE' });
    },
  );

  it('inside the parts of an environment is taken', async () => {
    const fields = ['clusters/prod.yaml#/releases[name=web]/version'];
    expect(await resolve(fields, { environment: 'prod' }, SHARED, CLUSTER)).toEqual(fields);
  });
});

describe('a name of a file', () => {
  it('may be spelled as git quotes it', async () => {
    const files = { ...FILES, [`${SERVICE}/caf\udce9.yaml`]: 'a: 1\n', [`${SERVICE}/"a".yaml`]: 'a: 1\n' };
    expect(await resolve(['"caf\\351.yaml"#/a'], API, CONFIG, files)).toEqual([
      `${SERVICE}/caf\udce9.yaml#/a`,
    ]);
    expect(await resolve(['"a".yaml#/a'], API, CONFIG, files)).toEqual([`${SERVICE}/"a".yaml#/a`]);
  });

  it.each(['ha#sh.yaml#/a', '"ha#sh.yaml"#/a', `${SERVICE}/ha#sh.yaml#/a`])(
    'that holds a # is refused for what it is: %s',
    async (field) => {
      const files = { ...FILES, [`${SERVICE}/ha#sh.yaml`]: 'a: 1\n' };
      await expect(resolve([field], API, CONFIG, files)).rejects.toMatchObject({
        code: 'FIELD_INVALID',
        message: expect.stringContaining('ha#sh.yaml cannot be selected: the "#" in its name'),
      });
    },
  );
});
