import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseText } from '../../../engine/yaml/core/document.ts';
import { locate, selectSource } from '../../../engine/yaml/core/locate.ts';
import { parseSelector } from '../../../engine/yaml/core/selector.ts';
import { moveRanges } from '../../../engine/yaml/edit/move-ranges.ts';
import { runs } from '../../helpers/run/proof.ts';

const SELECTOR = parseSelector('/releases[name=api]');
const NAMES = new Set(['name']);

function rangesIn(text: string) {
  const found = locate(parseText(text), SELECTOR);
  return found ? [{ start: found.start, end: found.end }] : [];
}

const move = (text: string, other: string) =>
  moveRanges({ text, ranges: rangesIn(text), other, names: NAMES });

const TEXT = `base: &base
  cpu: 1
releases:
  - name: web
    version: 1.2.3 # theirs
  - name: api
    version: 7
    notes: |
      name of nothing
last: "x"
`;

describe('a part that others are changed around', () => {
  it('moves with a value of another length above it, and not with one below', () => {
    const other = TEXT.replace('1.2.3', '1.2.30').replace('"x"', '"yyy"');
    expect(move(TEXT, other)).toEqual(rangesIn(other));
  });

  it.each([
    ['its own value', TEXT.replace('version: 7', 'version: 8')],
    ['a name that could make another item match', TEXT.replace('name: web', 'name: api')],
    ['a line more', TEXT.replace('last', 'more: 1\nlast')],
    ['another indentation', TEXT.replace('    version: 1.2.3', '     version: 1.2.3')],
    ['another key', TEXT.replace('releases:', 'release: x')],
    ['a value that begins a structure', TEXT.replace('1.2.3', '{a: 1}')],
    ['a value that becomes an anchor', TEXT.replace('"x"', '&x y')],
    ['a comment that begins', TEXT.replace('1.2.3 # theirs', '1.2.3')],
  ])('is looked up again for %s', (_what, other) => {
    expect(move(TEXT, other)).toBeNull();
  });

  it('is looked up again where it holds an alias, which may stand for what changed', () => {
    const text = TEXT.replace('version: 7', 'version: *base');
    expect(move(text, text.replace('cpu: 1', 'cpu: 2'))).toBeNull();
  });

  it('is looked up again where a name spreads over several lines', () => {
    const text = TEXT.replace('name: web', 'name: "web\n      version: 1"');
    expect(move(text, text.replace('version: 1"', 'version: 2"'))).toBeNull();
  });

  it('is what taking the other text apart finds, whenever it is said to be certain', () => {
    const scalar = fc.constantFrom(
      '1',
      '1.2',
      'api',
      'web',
      '"q"',
      "'q'",
      'a:b',
      'x # c',
      '|',
      '*base',
      '&n v',
      '',
      '[a]',
      '- x',
    );
    const key = fc.constantFrom('version', 'image', 'a-b/c', '"q"', 'tag', 'name');
    const simple = fc.constantFrom('1', '1.2', 'web', '"q"');
    const fields = (indent: string) =>
      fc
        .array(fc.tuple(key, fc.oneof({ weight: 6, arbitrary: simple }, scalar)), { maxLength: 2 })
        .map((pairs) => pairs.map(([name, value]) => `${indent}${name}: ${value}`));
    const item = fc
      .tuple(fc.constantFrom('web', 'cron', 'db', '"x"', 'y', 'api'), fields('    '))
      .map(([name, rest]) => [`  - name: ${name}`, ...rest]);
    const items = fc.array(item, { maxLength: 2 });
    const document = fc
      .tuple(fields(''), items, fields('    '), items, fields(''))
      .map(([top, before, own, after, bottom]) =>
        [top, ['releases:'], before.flat(), ['  - name: api'], own, after.flat(), bottom].flat(),
      );
    let certain = 0;
    fc.assert(
      fc.property(document, fc.nat(), scalar, (lines, at, value) => {
        const text = `${lines.join('\n')}\n`;
        const index = at % lines.length;
        const other = text.replace(lines[index] ?? '', (lines[index] ?? '').replace(/: .*$/, `: ${value}`));
        let ranges: ReturnType<typeof rangesIn>;
        try {
          ranges = rangesIn(text);
        } catch {
          return;
        }
        const moved = moveRanges({ text, ranges, other, names: NAMES });
        if (moved === null || text === other) return;
        certain += 1;
        expect(moved).toEqual(rangesIn(other));
        expect(selectSource(parseText(other), SELECTOR)).toBe(selectSource(parseText(text), SELECTOR));
      }),
      { numRuns: runs(3000, 600) },
    );
    expect(certain).toBeGreaterThan(runs(20, 2));
  });
});
