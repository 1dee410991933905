import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allBindings, bindPath, compilePattern } from '../../../engine/layout/pattern.ts';

const ways = (pattern: string, path: string) =>
  allBindings(compilePattern(pattern), path)
    .map((bindings) => Object.values(bindings).join('/'))
    .sort();

describe('every way in which a path fits a pattern', () => {
  it.each([
    ['envs/{tenant}/{environment}/**', 'envs/acme/production/api/x.yaml', ['acme/production']],
    [
      '**/{tenant}/{environment}/**',
      'envs/acme/production/api/x.yaml',
      ['acme/production', 'api/x.yaml', 'envs/acme', 'production/api'],
    ],
    ['{environment}/**/{service}/v.yaml', 'a/b/c/v.yaml', ['a/c']],
    ['{service}-{environment}.yaml', 'api-eu-prod.yaml', ['api-eu/prod', 'api/eu-prod']],
    ['{environment}/*/{service}.yaml', 'prod/x/api.yaml/below', ['prod/api']],
    ['{tenant}/{tenant}/x', 'a/a/x', ['a']],
    ['{tenant}/{tenant}/x', 'a/b/x', []],
    ['clusters/{environment}.yaml', 'clusters/prod.yml', []],
    ['overlays/{environment}/**', 'overlays/prod', ['prod']],
  ])('%s and %s', (pattern, path, expected) => {
    expect(ways(pattern, path)).toEqual(expected);
  });

  it('holds the one that the layout finds, and only those that fit when they are filled in', () => {
    const name = fc.constantFrom('a', 'b', 'a-b', 'prod', 'x.yaml');
    const piece = fc.constantFrom(
      '{environment}',
      '{service}',
      '*',
      'a',
      '**',
      '{service}-{environment}',
      'x.yaml',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        fc.array(name, { minLength: 1, maxLength: 5 }),
        (pieces, names) => {
          const text = pieces.join('/');
          fc.pre(!/\*\*\/\*\*/.test(text) && pieces.filter((one) => one === '**').length < 3);
          const [pattern, path] = [compilePattern(text), names.join('/')];
          const found = allBindings(pattern, path);
          const first = bindPath(pattern, {}).match(path);
          expect(first === null ? [] : [first]).toEqual(
            found.filter((one) => JSON.stringify(one) === JSON.stringify(first)),
          );
          for (const bindings of found) {
            const paths = bindPath(pattern, bindings);
            // What stands in the place of an owned folder counts, too.
            expect(paths.match(path) ?? paths.match(`${path}/below`)).not.toBeNull();
          }
        },
      ),
    );
  });

  it('is bounded where names are made for it', () => {
    const path = Array.from({ length: 60 }, () => 'a-a-a-a-a-a-a-a').join('/');
    expect(
      allBindings(compilePattern('**/{tenant}-*-{environment}/**/{service}/**'), path).length,
    ).toBeLessThanOrEqual(200);
  });
});
