import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMap, isSeq } from 'yaml';
import { isPlainLine, tryParse } from '../../../engine/yaml/core/try-parse.ts';
import { runs } from '../../helpers/run/proof.ts';

const hasNodes = (text: string) =>
  (tryParse(text) ?? []).some(({ contents }) => isMap(contents) || isSeq(contents));

describe('a plain line', () => {
  it.each(['${LOG_LEVEL}', 'https://${DOMAIN}/api', 'a[0] {b}', '/a:b', 'x'])('is found: %j', (text) => {
    expect([isPlainLine(text), hasNodes(text)]).toEqual([true, false]);
  });

  it.each([
    'a: b',
    'a:',
    'a:\tb',
    '{a: b}',
    '[a]',
    '- a',
    '? a',
    'a\nb: c',
    'a\r\n- b',
    '!x {a: b}',
    '&x [a]',
    '',
  ])('is not: %j', (text) => {
    expect(isPlainLine(text)).toBe(false);
  });

  it('never holds a map or a list', () => {
    const characters = Array.from('a9_$/{}[]:,-#&*!|>?%@\'"` \t\r\n\u0085\u00a0\u2028\ufeff');
    const part = fc.constantFrom(...characters, '...', '---', ': ');
    const line = fc.tuple(fc.constantFrom('a', '9', '_', '$', '/', ''), fc.array(part, { maxLength: 12 }));
    fc.assert(
      fc.property(line, ([first, rest]) => {
        const text = first + rest.join('');
        expect(isPlainLine(text) && hasNodes(text)).toBe(false);
      }),
      { numRuns: runs(3000, 1000) },
    );
  });
});
