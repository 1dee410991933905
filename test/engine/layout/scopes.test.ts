/** Scopes and selections, as people name them and as they are recorded. */
import { describe, expect, it } from 'vitest';
import { type Coordinates, isFailure } from '../../../engine/model/index.ts';
import { requireScopeExists } from '../../../engine/layout/discover.ts';
import {
  type Layout,
  parseScope,
  recordField,
  selectionsOf,
  serviceOfPath,
} from '../../../engine/layout/layout.ts';
import { formatSelector } from '../../../engine/yaml/core/selector.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';
import { DESIGN, layoutOf } from './layouts.ts';

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
