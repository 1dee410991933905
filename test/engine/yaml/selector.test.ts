import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/model/index.ts';
import {
  ENTER,
  formatSelector,
  isWithin,
  parseLooseSelector,
  parseSelector,
  type Selector,
} from '../../../engine/yaml/core/selector.ts';
import { anyCharacter } from '../../helpers/trees/any-character.ts';

const anyText = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', '|', '/', '[', '~', '3', '\\', '.'), maxLength: 6 }),
);
const anyStep = fc.oneof(
  fc.record({ key: anyText }),
  fc.record({ index: fc.nat({ max: 999_999_999 }) }),
  fc.record({
    match: fc.dictionary(fc.string({ unit: anyCharacter, minLength: 1, maxLength: 8 }), anyText, {
      minKeys: 1,
      maxKeys: 3,
    }),
  }),
);
const anySteps = fc.array(anyStep, { maxLength: 5 });
const anySelector: fc.Arbitrary<Selector> = fc.oneof(
  anySteps,
  fc
    .tuple(
      fc.array(anyStep, { minLength: 1, maxLength: 3 }),
      fc.array(anyStep, { minLength: 1, maxLength: 3 }),
    )
    .map(([outer, inner]) => [...outer, ENTER, ...inner]),
);

/** What a parser reads; [] where it refuses as it should. */
function readOr(parse: (text: string) => Selector, text: string): Selector {
  try {
    return parse(text);
  } catch (error) {
    if (isFailure(error) && error.code === 'SELECTOR_INVALID') return [];
    throw error;
  }
}

describe('selectors', () => {
  it.each<[string, Selector]>([
    ['', []],
    ['/', [{ key: '' }]],
    ['/a/b', [{ key: 'a' }, { key: 'b' }]],
    ['/a~1b~0c~2d/0', [{ key: 'a/b~c[d' }, { key: '0' }]],
    ['/releases[name=foo]/version', [{ key: 'releases' }, { match: { name: 'foo' } }, { key: 'version' }]],
    [
      '[kind=Deployment,metadata.name=api]/spec/replicas',
      [{ match: { kind: 'Deployment', 'metadata.name': 'api' } }, { key: 'spec' }, { key: 'replicas' }],
    ],
    ['/list[0][1]', [{ key: 'list' }, { index: 0 }, { index: 1 }]],
    ['[name="a,b]c", other="\\"x"]', [{ match: { name: 'a,b]c', other: '"x' } }]],
    ['/a[url=https://x/y?q=1]', [{ key: 'a' }, { match: { url: 'https://x/y?q=1' } }]],
    ['/a[name=]', [{ key: 'a' }, { match: { name: '' } }]],
  ])('reads %s', (text, selector) => {
    expect(parseSelector(text)).toEqual(selector);
  });

  it.each<[string, Selector]>([
    ['image.tag', [{ key: 'image' }, { key: 'tag' }]],
    [
      'spec.containers[name=x].image',
      [{ key: 'spec' }, { key: 'containers' }, { match: { name: 'x' } }, { key: 'image' }],
    ],
    ['containers[0]', [{ key: 'containers' }, { index: 0 }]],
    ['/image/tag', [{ key: 'image' }, { key: 'tag' }]],
    ['[kind=A]/b.c', [{ match: { kind: 'A' } }, { key: 'b.c' }]],
    ['a~b', [{ key: 'a~b' }]],
  ])('reads %s as people type it', (text, selector) => {
    expect(parseLooseSelector(text)).toEqual(selector);
  });

  it('writes every selector so that the same one is read back', () => {
    fc.assert(
      fc.property(anySelector, (selector) => {
        expect(parseSelector(formatSelector(selector))).toEqual(selector);
      }),
    );
  });

  it('writes the conditions of a match in one order', () => {
    expect(formatSelector([{ match: { name: 'a', kind: 'B c' } }])).toBe('[kind="B c",name=a]');
  });

  it.each([
    ['a', 1],
    ['/a~4', 4],
    ['/a[name=x]|', 11],
    ['/a~', 4],
    ['/a[', 4],
    ['/a[]', 4],
    ['/a[=x]', 4],
    ['/a[name]', 8],
    ['/a[name=x', 10],
    ['/a[name=x]b', 11],
    ['/a[name="x]', 9],
    ['/a[name=x,name=y]', 15],
    ['/a[na"me=x]', 6],
  ])('refuses %s and names character %i', (text, character) => {
    expect(() => parseSelector(text)).toThrow(
      expect.objectContaining({
        code: 'SELECTOR_INVALID',
        message: expect.stringContaining(`character ${character}.`),
      }),
    );
  });

  it.each(['.a', 'a..b', 'a.', 'a[0]b', 'a.[0]'])('refuses the dotted %s', (text) => {
    expect(() => parseLooseSelector(text)).toThrow(expect.objectContaining({ code: 'SELECTOR_INVALID' }));
  });

  it('ends on any text, with a selector or SELECTOR_INVALID', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('/', '[', ']', '=', ',', '"', '~', '.', 'a', '0', '\\', ' ', '\n'),
        }),
        (text) => {
          for (const parse of [parseSelector, parseLooseSelector]) {
            const selector = readOr(parse, text);
            expect(parseSelector(formatSelector(selector))).toEqual(selector);
          }
        },
      ),
    );
  });

  it('takes __proto__ as a name like any other', () => {
    const [step] = parseSelector('[__proto__=x]');
    expect(step && 'match' in step && Object.keys(step.match)).toEqual(['__proto__']);
    expect(formatSelector(parseSelector('[__proto__=x]/__proto__'))).toBe('[__proto__=x]/__proto__');
  });

  it.each([
    ['/a/b', '/a', true],
    ['/a', '/a', true],
    ['/a', '/a/b', false],
    ['/ab', '/a', false],
    ['/a[0]', '/a/0', true],
    ['/a[name=x,kind=y]/b', '/a[name=x]', true],
    ['/a[name=x]', '/a[name=x,kind=y]', false],
    ['/a[name=x]', '/a[name=y]', false],
    ['/a', '', true],
  ])('tells of %s whether it lies within %s', (inner, outer, expected) => {
    expect(isWithin(parseSelector(inner), parseSelector(outer))).toBe(expected);
  });
});
