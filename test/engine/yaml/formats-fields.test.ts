import dotenv from 'dotenv';
import fc from 'fast-check';
import { parse as parseJson } from 'jsonc-parser';
import { getProperties } from 'properties-file';
import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../engine/yaml/edit/edit.ts';
import { formatSelector } from '../../../engine/yaml/core/selector.ts';
import { runs } from '../../helpers/run/proof.ts';

const keys = ['A', 'B', 'C', 'D_1', 'E'];

interface Written {
  readonly text: string;
  /** Begin and end of the lines of each key. */
  readonly lines: ReadonlyMap<string, readonly [number, number]>;
}

interface Style {
  readonly bom: boolean;
  readonly eol: '\n' | '\r\n';
  readonly final: boolean;
  readonly seeds: readonly number[];
}

const anyStyle: fc.Arbitrary<Style> = fc.record({
  bom: fc.boolean(),
  eol: fc.constantFrom('\n', '\r\n'),
  final: fc.boolean(),
  seeds: fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }),
});

type Tree = ReadonlyMap<string, string>;

type Line = (key: string, value: string, seed: number, eol: string) => string;

function write(tree: Tree, style: Style, line: Line, comment: readonly string[]): Written {
  const lines = new Map<string, readonly [number, number]>();
  let text = style.bom ? '\uFEFF' : '';
  for (const [index, [key, value]] of [...tree].entries()) {
    const seed = style.seeds[index % style.seeds.length] ?? 0;
    const above = comment[seed % (comment.length * 2)];
    if (above !== undefined) text += above + style.eol;
    const start = text.length;
    text += line(key, value, seed, style.eol) + style.eol;
    lines.set(key, [start, text.length]);
  }
  return { text: style.final ? text : text.replace(/\r?\n$/, ''), lines };
}

/** Sets, adds or removes one key of B as in A, and holds the result against an independent parser and against B's bytes. */
function check(input: {
  path: string;
  base: Written;
  target: Written;
  key: string;
  bom: boolean;
  read: (text: string) => Readonly<Record<string, unknown>>;
}): 'right' | 'refused' {
  const { path, base, target, key, read } = input;
  const selector = [{ key }];
  const result = restoreField({ path, base: base.text, target: target.text, selector });
  if (!result.ok) {
    expect(['verify-mismatch', 'unsupported', 'flow-unsupported']).toContain(result.reason);
    return 'refused';
  }
  const plain = (text: string) => read(text.replace(/^\uFEFF/, ''));
  const wanted = new Map(Object.entries(plain(base.text)));
  const then = plain(target.text);
  if (Object.hasOwn(then, key)) wanted.set(key, then[key]);
  else wanted.delete(key);
  expect(new Map(Object.entries(plain(result.text)))).toEqual(wanted);
  const own = base.lines.get(key);
  if (own) {
    const above = linesOf(base.text.slice(0, own[0])).slice(0, -1);
    expect(linesOf(result.text).slice(0, above.length)).toEqual(above);
    expect(result.text.endsWith(base.text.slice(own[1]))).toBe(true);
  } else if (target.lines.has(key)) {
    const left = linesOf(result.text);
    for (const line of linesOf(base.text)) {
      const at = left.indexOf(line);
      expect(at, `${formatSelector(selector)}: ${JSON.stringify(line)} stays`).toBeGreaterThanOrEqual(0);
      left.splice(0, at + 1);
    }
  } else expect(result.text).toBe(base.text);
  if (base.text.includes('\r\n')) expect(result.text).not.toMatch(/[^\r]\n/);
  return 'right';
}

/** Without the comma that the last line of JSON does not have. */
const linesOf = (text: string) =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/,(?=\s*(?:\/\/.*|\/\*.*\*\/)?$)/, ''));

const pick = <T>(list: readonly T[], seed: number): T => list[seed % list.length] as T; // oxlint-disable-line no-unsafe-type-assertion

function property(format: {
  path: string;
  value: fc.Arbitrary<string>;
  write: (tree: Tree, style: Style) => Written;
  read: (text: string) => Readonly<Record<string, unknown>>;
}): { right: number; refused: number } {
  const anyTree = fc.uniqueArray(fc.tuple(fc.constantFrom(...keys), format.value), {
    selector: ([key]) => key,
  });
  const counts = { right: 0, refused: 0 };
  fc.assert(
    fc.property(anyTree, anyTree, anyStyle, anyStyle, fc.constantFrom(...keys), (b, a, s, t, key) => {
      const base = format.write(new Map(b), s);
      const target = format.write(new Map(a), t);
      counts[check({ path: format.path, base, target, key, bom: s.bom, read: format.read })] += 1;
    }),
    { numRuns: runs(2000, 60) },
  );
  return counts;
}

describe('restoring one field of any file', () => {
  it('is exact in .env files', () => {
    const line: Line = (key, value, seed, eol) => {
      const lead = pick(['', 'export ', '  '], seed);
      const isBare = /^[\w./:@-]*$/.test(value);
      const forms = [
        `"${value.replaceAll('\n', eol)}"`,
        `'${value.replaceAll('\n', eol)}'`,
        ...(isBare ? [value, value] : []),
      ];
      return `${lead}${key}${pick(['=', ' = '], seed >> 2)}${pick(forms, seed >> 3)}${pick(['', ' # why, "so"'], seed >> 5)}`;
    };
    const { right, refused } = property({
      path: '.env',
      value: fc.oneof(fc.stringMatching(/^[\w./:@-]{0,8}$/), fc.stringMatching(/^[\w #=\n]{1,8}$/)),
      write: (tree, style) => write(tree, style, line, ['# comment', '', '#A=0']),
      read: (text) => dotenv.parse(text),
    });
    expect(refused).toBeLessThan(right * 0.05);
  });

  it('is exact in .properties files', () => {
    const escape = (text: string, seed: number, eol: string) =>
      text.replace(/[\\\n\t]|^ /g, (char) =>
        pick({ '\\': ['\\\\'], '\n': ['\\n', '\\u000a'], '\t': ['\\t'], ' ': ['\\ '] }[char] ?? [''], seed),
      ) + pick(['', '', `\\${eol}  `], seed >> 4);
    const line: Line = (key, value, seed, eol) =>
      pick(['', '\t'], seed) +
      key +
      pick(['=', ':', ' = ', '\t'], seed >> 1) +
      (/^[=:]/.test(value) ? `\\${value}` : escape(value, seed, eol));
    const { right, refused } = property({
      path: 'app.properties',
      value: fc
        .stringMatching(/^[\w #!\\\n\t.,=:-]{0,8}$/)
        .filter((value) => !/^[=:].*[\\\n\t]/s.test(value)),
      write: (tree, style) => write(tree, style, line, ['# comment', '! other \\', '']),
      read: (text) => getProperties(text),
    });
    expect(refused).toBeLessThan(right * 0.05);
  });

  it('is exact in JSON with comments', () => {
    const writeJson = (own: Tree, style: Style): Written => {
      // Brackets that get empty are written anew.
      const tree = new Map([['Z', '0'], ...own]);
      const lines = new Map<string, readonly [number, number]>();
      const seed = (index: number) => style.seeds[index % style.seeds.length] ?? 0;
      let text = `${style.bom ? '\uFEFF' : ''}{${pick(['', ' // open, "x"'], seed(0))}${style.eol}`;
      for (const [index, [key, value]] of [...tree].entries()) {
        const isLast = index === tree.size - 1;
        text += pick(
          ['', `  // above ${key}, "b": 1${style.eol}`, `  /* a${style.eol}  b, */${style.eol}`],
          seed(index),
        );
        const start = text.length;
        const comma = isLast ? pick(['', ','], seed(index) >> 3) : ',';
        text += `\t"${key}": ${value.replaceAll('\n', style.eol)}${comma}${pick(['', ' // own, }', ' /* in */'], seed(index) >> 5)}${style.eol}`;
        lines.set(key, [start, text.length]);
      }
      return { text: `${text}}${style.final ? style.eol : ''}`, lines };
    };
    const { right, refused } = property({
      path: 'app.jsonc',
      value: fc.oneof(
        fc.json({ maxDepth: 2 }).filter((text) => !text.includes('__proto__')),
        fc.constantFrom(
          '{ "x": 1, // in\n "y": [1, /* two */ 2,],\n}',
          '1e400',
          '"http://a/*b*/"',
          '[]',
          '{}',
        ),
      ),
      write: writeJson,
      read: (text) => {
        const value: unknown = parseJson(text, [], { allowTrailingComma: true });
        return new Object(value) as Record<string, unknown>; // oxlint-disable-line no-unsafe-type-assertion
      },
    });
    expect(refused).toBeLessThan(right * 0.05);
  });
});
