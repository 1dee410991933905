/** No secret gets through, whatever the text and its format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { documentWithSecret, secretKey, word } from '../../helpers/trees/secrets.ts';
import { maskLines, maskText, maskYaml } from '../../../engine/yaml/mask/mask.ts';
import { runs } from '../../helpers/run/proof.ts';

describe('no secret gets through', () => {
  it('of a YAML or JSON file, however it is written', () => {
    const style = fc.record({
      lineWidth: fc.constantFrom(0, 20, 80),
      defaultStringType: fc.constantFrom(
        'PLAIN',
        'QUOTE_DOUBLE',
        'QUOTE_SINGLE',
        'BLOCK_LITERAL',
        'BLOCK_FOLDED' as const,
      ),
      collectionStyle: fc.constantFrom('any', 'flow', 'block' as const),
      indentSeq: fc.boolean(),
    });
    fc.assert(
      fc.property(documentWithSecret, style, (value, style) => {
        expect(maskYaml(stringify(value, style))).not.toContain('Zq7');
        expect(maskYaml(JSON.stringify(value))).not.toContain('Zq7');
        expect(maskYaml(JSON.stringify(value, null, 2))).not.toContain('Zq7');
      }),
      { numRuns: runs(300) },
    );
  });

  it('of a text in a text, however either is written', () => {
    const type = fc.constantFrom('QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED' as const);
    fc.assert(
      fc.property(documentWithSecret, type, fc.boolean(), (value, defaultStringType, isJson) => {
        const values = isJson ? JSON.stringify(value, null, 2) : stringify(value);
        expect(maskYaml(stringify({ a: 1, values }, { defaultStringType }))).not.toContain('Zq7');
      }),
      { numRuns: runs(300) },
    );
  });

  it('of a file that does not parse', () => {
    const line = fc
      .tuple(secretKey, fc.constantFrom('=', ': ', ' = ', ': "', '="', `: '`), word)
      .map(([key, sign, text]) => `${key}${sign}Zq7${text}`);
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            line,
            word.map((text) => `${text}: x`),
          ),
          { maxLength: 8 },
        ),
        (lines) => {
          expect(maskLines(['{{- if .x }}', ...lines].join('\n'))).not.toContain('Zq7');
        },
      ),
    );
  });
});

describe('hostile texts', () => {
  const bomb = [
    'a0: &a0 [x, x, x, x, x, x, x, x]',
    ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
  ];
  const chain = Array.from({ length: 2000 }, (_, i) => `k${i}: &a${i} [h, *a${Math.max(0, i - 1)}]`);
  it.each([
    ['an alias bomb', `${bomb.join('\n')}\npassword: *a30\n`],
    ['a chain of aliases', `${chain.join('\n')}\npassword: *a1999\n`],
    ['a deep one', '['.repeat(runs(50_000, 20_000))],
    ['a long line of word characters', 'a'.repeat(1_000_000)],
    ['a long line of separators', 'a:'.repeat(500_000)],
    ['a long line of secrets', 'token="a'.repeat(100_000)],
    ['a long line of logins', `${'://'.repeat(runs(100_000, 30_000))}@`],
    ['a long line of quotes', `token="${String.raw`\"`.repeat(500_000)}`],
    ['a long line of JSON that does not parse', '{"token":"a",'.repeat(runs(30_000, 10_000))],
    ['a long line of words', 'login '.repeat(170_000)],
    ['a long line of commas', `token=${','.repeat(1_000_000)}x`],
    ['a long line of blanks', `name:${' '.repeat(1_000_000)}x`],
    ['a long line of flags', '--token --a '.repeat(80_000)],
    ['a long line of commands', 'mysql '.repeat(170_000)],
    ['a long line of logins of commands', '-u '.repeat(300_000)],
    ['a long line of brackets', '"token":['.repeat(100_000)],
    ['many lines', 'token: "x\n'.repeat(runs(30_000, 10_000))],
  ])('are masked to their end: %s', (_what, text) => {
    expect(maskText(text, 'a.yaml')).toContain(text.length > 0 ? text[0] : '');
    maskLines(text);
  });
});

describe('what cannot be looked into', () => {
  it('is not shown: a secret in texts within texts, however deep and however they are written', () => {
    const styles = ['BLOCK_LITERAL', 'BLOCK_FOLDED', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'JSON'] as const;
    const nestings = fc.array(fc.constantFrom(...styles), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(documentWithSecret, nestings, (document, nesting) => {
        const text = nesting.reduce<string>(
          (inner, style) =>
            style === 'JSON'
              ? JSON.stringify({ values: inner })
              : stringify({ values: inner }, { defaultStringType: style }),
          stringify(document),
        );
        expect(maskYaml(text)).not.toContain('Zq7');
      }),
      { numRuns: runs(300, 50) },
    );
  });

  it('is not shown: a text within texts that is YAML no more by the folding of those around it', () => {
    const styles = [
      'BLOCK_LITERAL',
      'JSON',
      'BLOCK_LITERAL',
      'QUOTE_DOUBLE',
      'QUOTE_SINGLE',
      'JSON',
      'QUOTE_DOUBLE',
    ] as const;
    const secret = stringify({ aaAa: { kind: 'Secret', stringData: { a: '\n\nZq7Zq7\n\n' } } });
    const text = styles.reduce<string>(
      (inner, style) =>
        style === 'JSON'
          ? JSON.stringify({ values: inner })
          : stringify({ values: inner }, { defaultStringType: style }),
      secret,
    );
    expect(maskYaml(text)).not.toContain('Zq7');
  });

  it.each(['!!str &a secret', '&a "Secret"', '"\\u0053ecret"', "'SECRET'"])(
    'is a Secret in a template whose kind is written as %s',
    (kind) => {
      expect(maskText(`{{ if x }}\nkind: ${kind}\ndata:\n  a: Zq7\n`, 'x.yaml')).not.toContain('Zq7');
    },
  );
});

describe('what only some formats have', () => {
  it('is masked in comments of JSON, which stay comments', () => {
    const text = [
      '{',
      '  // "password": "hunter1"',
      '  "a": "http://x/y", /* password = hunter2 */',
      '  "password": /* hunter3 */ "hunter4", // hunter5',
      '  /*',
      '   * "token": "hunter6"',
      '   */',
      '  "b": 2, // see http://x/y',
      '}',
      '// token = hunter7',
    ].join('\n');
    expect(maskText(text, 'a.jsonc')).toBe(
      [
        '{',
        '  // "password": ***',
        '  "a": "http://x/y", /* password = *** */',
        '  "password": /* *** */ "***", // ***',
        '  /*',
        '   * "token": ***',
        '   */',
        '  "b": 2, // see http://x/y',
        '}',
        '// token = ***',
      ].join('\n'),
    );
  });

  it('is masked under names that are written with escapes', () => {
    expect(maskText('db.p\\u0061ssword=hunter1\np\\assword: hunter2\nx\\u0061=1\n', 'a.properties')).toBe(
      'db.p\\u0061ssword=***\np\\assword: ***\nx\\u0061=1\n',
    );
  });
});
