import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bindPath,
  bindSelector,
  compilePattern,
  fill,
  isCoordinate,
  matchTemplate,
} from '../../../engine/layout/pattern.ts';
import { formatSelector } from '../../../engine/yaml/core/selector.ts';
import { runs } from '../../helpers/run/proof.ts';

const select = (pattern: string, bindings = {}) => bindPath(compilePattern(pattern), bindings);

describe('patterns of the layout', () => {
  it.each([
    [
      'tenants/{tenant}/{environment}/**',
      'tenants/acme/prod/a/b.yaml',
      { tenant: 'acme', environment: 'prod' },
    ],
    [
      'apps/{tenant}/{service}/{environment}.yaml',
      'apps/acme/api/prod.yaml',
      { tenant: 'acme', service: 'api', environment: 'prod' },
    ],
    [
      'config/clusters/{tenant}/{environment}.values.yaml',
      'config/clusters/acme/eu-1.prod.values.yaml',
      { tenant: 'acme', environment: 'eu-1.prod' },
    ],
    [
      'charts/app-config/image-tags/{environment}/{service}',
      'charts/app-config/image-tags/prod/api-gateway',
      { environment: 'prod', service: 'api-gateway' },
    ],
    ['clusters/{environment}/{service}-v*.yaml', 'clusters/prod/api-v12.yaml', undefined],
    ['**/{environment}/app.yaml', 'deep/down/prod/app.yaml', { environment: 'prod' }],
    ['**/{environment}/app.yaml', 'prod/app.yaml', { environment: 'prod' }],
    ['a/**/{environment}.yaml', 'a/prod.yaml', { environment: 'prod' }],
    ['a.b+c(d)/{environment}', 'a.b+c(d)/prod', { environment: 'prod' }],
    ['{environment}/conf.d', 'prod/conf.d/below/x', { environment: 'prod' }],
  ])('%s selects %s', (pattern, path, bindings) => {
    const found = select(pattern).match(path);
    expect(found).toEqual(bindings ?? { environment: 'prod', service: 'api' });
  });

  it.each([
    ['tenants/{tenant}/{environment}/**', 'tenants/acme/prod'],
    ['tenants/{tenant}/{environment}/**', 'tenants/acme/.hidden/x'],
    ['tenants/{tenant}/{environment}/**', 'tenants/-rf/prod/x'],
    ['tenants/{tenant}/{environment}/**', 'Tenants/acme/prod/x'],
    ['apps/{service}/{environment}.yaml', 'apps/api/prod.yml'],
    ['apps/{service}/{environment}.yaml', 'apps/api/x/prod.yaml'],
    ['apps/{service}/{environment}.yaml', 'apps/api/prodxyaml'],
    ['apps/{service}/{environment}/?.yaml', 'apps/api/prod/ab.yaml'],
    ['{service}/{environment}/{service}.yaml', 'api/prod/web.yaml'],
    ['a.b/{environment}/**', 'aXb/prod/x'],
  ])('%s does not select %s', (pattern, path) => {
    expect(select(pattern).match(path)).toBeNull();
  });

  it('takes a placeholder that stands twice for the same name', () => {
    expect(select('{service}/{environment}/{service}.yaml').match('api/prod/api.yaml')).toEqual({
      service: 'api',
      environment: 'prod',
    });
  });

  it('knows the longest literal path, and how far it goes, when the coordinates are given', () => {
    const bindings = { tenant: 'acme', environment: 'prod', service: 'api' };
    expect(select('tenants/{tenant}/{environment}/**', bindings)).toMatchObject({
      kind: 'tree',
      prefix: 'tenants/acme/prod',
    });
    expect(select('c/{environment}.yaml', bindings)).toMatchObject({ kind: 'path', prefix: 'c/prod.yaml' });
    expect(select('c/{environment}/*.yaml', bindings)).toMatchObject({ kind: 'glob', prefix: 'c/prod' });
    expect(select('{environment}/**', {})).toMatchObject({ kind: 'glob', prefix: '' });
    expect(select('**/{environment}/**', bindings)).toMatchObject({ kind: 'glob', prefix: '' });
  });

  it('knows which folders can hold something that it selects', () => {
    const pattern = 'apps/{service}/over/{environment}/**';
    const folders = [
      'apps',
      'apps/api',
      'apps/api/base',
      'apps/api/over',
      'apps/api/over/dev',
      'other',
      'apps/.x',
    ];
    expect(folders.filter((folder) => select(pattern, { environment: 'prod' }).reaches(folder))).toEqual([
      'apps',
      'apps/api',
      'apps/api/over',
    ]);
    expect(select('{environment}/x', { environment: 'prod' }).reaches('prod/x/below')).toBe(true);
    expect(select('**/{environment}', { environment: 'prod' }).reaches('any/where')).toBe(true);
  });

  it('reaches every folder on the way to what it selects', () => {
    const name = fc.constantFrom('a', 'b', 'x-a', 'prod');
    const segment = fc.constantFrom(
      'a',
      '{environment}',
      '{service}',
      'x-{service}',
      '{service}*',
      '*',
      '?',
      '**',
      'x-*',
    );
    const texts = fc.array(segment, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(texts, fc.array(name, { minLength: 1, maxLength: 5 }), (segments, names) => {
        const selection = select(segments.join('/'), { environment: 'prod' });
        fc.pre(selection.match(names.join('/')) !== null);
        for (let depth = 1; depth < names.length; depth += 1)
          expect(selection.reaches(names.slice(0, depth).join('/'))).toBe(true);
      }),
      { numRuns: runs(2000, 500) },
    );
  });

  it.each(['', '/a', 'a/', 'a//b', './a', 'a/../b', 'a/**b', '{tenants}/x', '{environment', 'a}/b', '{}/x'])(
    'refuses %j',
    (pattern) => {
      expect(() => compilePattern(pattern)).toThrow(/\.$/);
    },
  );

  it.each([
    'a#/x/{other}',
    'a#/x/{env-name}',
    'a#/x/{service',
    'a#/x/service}',
    'a#/{service}*',
    'a#/a~1{service}',
    'a#/x[',
  ])('refuses the selector of %s', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(/\.$/);
  });

  it('fills placeholders of a selector and leaves the open ones', () => {
    const { selector } = compilePattern('c.yaml#/{environment}/list[name={service}]');
    expect(formatSelector(bindSelector(selector ?? [], { environment: 'prod' }))).toBe(
      '/prod/list[name="{service}"]'.replace(/"/g, ''),
    );
  });

  it('never reads a name as a part of an expression', () => {
    const hostile = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => isCoordinate(name));
    fc.assert(
      fc.property(hostile, hostile, (environment, service) => {
        const path = `apps/${environment}/x-${service}.yaml`;
        const open = select('apps/{environment}/x-{service}.yaml').match(path);
        expect(open).toEqual({ environment, service });
        const bound = select('apps/{environment}/x-{service}.yaml', { environment, service });
        expect(bound.kind).toBe('path');
        expect(bound.prefix).toBe(path);
        expect(bound.match(path)).toEqual({ environment, service });
        expect(bound.match(`apps/${environment}/x-${service}yaml`)).toBeNull();
        expect(fill('{environment}+{service}', { environment, service })).toBe(`${environment}+${service}`);
      }),
    );
  });

  it('reads a service out of the name that a template describes', () => {
    expect(matchTemplate('app-{service}', 'app-api', {})).toEqual({ service: 'api' });
    expect(matchTemplate('app-{service}', 'api', {})).toBeNull();
    expect(matchTemplate('{service}', 'api', { service: 'web' })).toBeNull();
  });
});

describe('names of tenants, environments and services', () => {
  it.each(['a', 'api-gateway', 'eu.prod', 'prod_1', 'größe', 'a b', 'A~1', 'release=1'])(
    'takes %j',
    (name) => {
      expect(isCoordinate(name)).toBe(true);
    },
  );

  it.each([
    '',
    '.',
    '..',
    '.git',
    '.hidden',
    '-rf',
    '--all',
    'a/b',
    'a\\b',
    'a#b',
    'a\nb',
    'a\0b',
    'a\u0085b',
    'a\u2028b',
    'GIT~1',
    'gi\u200dt',
    'acme\u202eemca',
    ' a',
    'a ',
    '\ud800',
    'x'.repeat(201),
  ])('refuses %j', (name) => {
    expect(isCoordinate(name)).toBe(false);
  });
});
