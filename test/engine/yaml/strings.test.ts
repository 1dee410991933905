import fc from 'fast-check';
import { CORE_SCHEMA, loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { parseText } from '../../../engine/yaml/core/document.ts';
import { restoreField } from '../../../engine/yaml/edit/edit.ts';
import { excise, locate, selectSource } from '../../../engine/yaml/core/locate.ts';
import { formatSelector, parseSelector } from '../../../engine/yaml/core/selector.ts';
import { anyFile, anyTree, placesIn, withChange, writeTree } from '../../helpers/trees/yaml-trees.ts';
import { runs } from '../../helpers/run/proof.ts';

/** The text after the edit, or the reason why there is none. */
function restore(selector: string, base: string, target: string, path = 'a.yaml'): string {
  const result = restoreField({ path, base, target, selector: parseSelector(selector) });
  return result.ok ? result.text : `refused: ${result.reason}`;
}

const application = (revision: string, tag: string, replicas: number) => `kind: Application
spec:
  source:
    targetRevision: ${revision}
    helm:
      values: |
        image:
          repository: reg/app

          tag: "${tag}"   # bumped by CI
        replicas: ${replicas}
`;
const TAG = '/spec/source/helm/values|/image/tag';

describe('a field of a document that a string holds', () => {
  it('comes back in its line of a literal block', () => {
    const [base, target] = [application('1.1', 'v2', 5), application('1.0', 'v1', 1)];
    expect(restore(TAG, base, target)).toBe(application('1.1', 'v1', 5));
    const windows = (text: string) => text.replaceAll('\n', '\r\n');
    expect(restore(TAG, windows(base), target)).toBe(windows(application('1.1', 'v1', 5)));
    expect(restore(TAG, base.trimEnd(), windows(target))).toBe(application('1.1', 'v1', 5).trimEnd());
  });

  it.each<[string, string, string, string, string]>([
    [
      'with an indicator and kept line breaks',
      '/a|/b',
      'a: |2+\n    b: 2\n\n    c: 2\n\n\n',
      'a: |\n  b: 1\n',
      'a: |2+\n    b: 1\n\n    c: 2\n\n\n',
    ],
    [
      'without a last line break',
      '/a|/b',
      'a: |-\n  c: 2\n  b: 2\n\nx: 2',
      'a: |\n  b: 1\n',
      'a: |-\n  c: 2\n  b: 1\n\nx: 2',
    ],
    [
      'that comes',
      '/a|/b',
      'a: |\n  x: 2\n',
      'a: |\n    x: 1\n    b:\n      - 1\n',
      'a: |\n  x: 2\n  b:\n    - 1\n',
    ],
    ['that goes', '/a|/b', 'a: |\n  x: 2\n  b: 2 # y\nc: 2\n', 'a: |\n  x: 1\n', 'a: |\n  x: 2\nc: 2\n'],
    [
      'that comes back from a string written in another way',
      '/a|/b',
      'a: |\n  b: 2\n',
      'a: \'{"b": 1}\'\n',
      'a: |\n  b: 1\n',
    ],
    [
      'in single quotes',
      '/a|/b/c',
      'a: \'{"b": {"c": "v2"}, "x": 2}\' # d\n',
      'a: \'{"b": {"c": "it\'\'s"}}\'\n',
      'a: \'{"b": {"c": "it\'\'s"}, "x": 2}\' # d\n',
    ],
    [
      'in double quotes',
      '/a|/b',
      'a: "b: 2\\nx: \\u0032\\n" # d\n',
      'a: "b: \\"1\\"\\n"\n',
      'a: "b: \\"1\\"\\nx: \\u0032\\n" # d\n',
    ],
    [
      'in a string of a string',
      '/a|/b|/c',
      'a: |\n  b: |\n    c: 2 # x\n    d: 2\n  e: 2\n',
      'a: |\n  b: |\n    c: 1\n',
      'a: |\n  b: |\n    c: 1 # x\n    d: 2\n  e: 2\n',
    ],
    [
      'in a list',
      '/l[name=x]/v|/b',
      'l:\n  - name: x\n    v: |\n      b: 2\n',
      'l:\n  - name: y\n  - {name: x, v: "b: 1"}\n',
      'l:\n  - name: x\n    v: |\n      b: 1\n',
    ],
    [
      'of the format that the key names',
      '/data/app.properties|/a.b',
      'data:\n  app.properties: |\n    # c\n    a.b=2\n    x=2\n',
      'data:\n  app.properties: |\n    a.b : 1\n',
      'data:\n  app.properties: |\n    # c\n    a.b=1\n    x=2\n',
    ],
    [
      'of the format that the key names, JSON with comments',
      '/data/c.json|/a',
      'data:\n  c.json: |\n    { // c\n      "a": 2 /* d */\n    }\n',
      'data:\n  c.json: "{\\"a\\": 1}"\n',
      'data:\n  c.json: |\n    { // c\n      "a": 1 /* d */\n    }\n',
    ],
    [
      'beside an unusual blank line',
      '/a|/b',
      'a: |\n  b: 2\n \n  c: 2\n',
      'a: |\n  b: 1\n',
      'a: |\n  b: 1\n \n  c: 2\n',
    ],
  ])('%s', (_, selector, base, target, wanted) => {
    expect(restore(selector, base, target)).toBe(wanted);
  });

  it('comes back in a JSON file', () => {
    const base = '{"a": "image:\\n  tag: v2\\n", "x": "\\/"}';
    expect(restore('/a|/image/tag', base, '{"a": "image: {tag: \\"v1\\"}"}', 'a.json')).toBe(
      '{"a": "image:\\n  tag: \\"v1\\"\\n", "x": "\\/"}',
    );
  });

  it.each<[string, string, string, RegExp]>([
    ['a folded one', 'a: >\n  b: 2\n\n  c: 2\n', 'unsupported', /is folded \(>\)/],
    ['quoted over several lines', 'a: "b: 2\n\n  c: 2"\n', 'unsupported', /quoted over several lines/],
    ['no string', 'a: {b: 2}\n', 'no-string', /is not a string that could contain a document \(line 1/],
    ['no document', 'a: hello\n', 'format', /In the string at \/a \(line 1.*it is a plain text/],
    [
      'not valid',
      'a: |\n  b: [2\n',
      'format',
      /In the string at \/a \(line 1.*it is a plain text, not valid YAML \(/,
    ],
    ['a template', 'a: |\n  b: {{ .Values.x }}\n', 'templated', /In the string at \/a/],
    ['repeated by an alias', 'a: &x |\n  b: 2\nc: *x\n', 'anchor', /&x/],
  ])('is refused where the string is %s', (_, base, reason, message) => {
    const result = restoreField({ base, target: 'a: |\n  b: 1\n', selector: parseSelector('/a|/b') });
    expect(result).toMatchObject({ ok: false, reason });
    expect(result).toMatchObject({ message: expect.stringMatching(message) });
  });

  it('is refused where its string is not there, and nothing where neither side has it', () => {
    expect(restore('/a|/b', 'x: 1\n', 'a: "b: 1"\n')).toBe('refused: missing-parent');
    expect(restore('/a|/b', 'x: 1\n', 'y: 1\n')).toBe('x: 1\n');
  });

  it('is found, compared and cut out by itself', () => {
    const parsed = parseText(application('1.1', 'v2', 5));
    expect(selectSource(parsed, parseSelector(TAG))).toBe('"v2"');
    expect(selectSource(parsed, parseSelector(`${TAG}x`))).toBeNull();
    expect(formatSelector(locate(parsed, parseSelector(TAG))?.selector ?? [])).toBe(TAG);
    const cut = (text: string) => excise(parseText(text), [parseSelector(TAG)]);
    expect(cut(application('1', 'v2', 5))).toBe(cut(application('1', 'v1', 5)));
    expect(cut(application('1', 'v2', 5))).not.toBe(cut(application('1', 'v2', 6)));
  });
});

describe('a selector that leads into a string', () => {
  it.each(['/a|/b', '/a|[name=x]|/b|[0]', '/a~3/b', '/a|b/c', '/a|b'])('%s is read and written', (text) => {
    expect(formatSelector(parseSelector(text))).toBe(text);
  });

  it('is told from a "|" that belongs to a key', () => {
    expect(parseSelector('/a|/b')).toEqual([{ key: 'a' }, { enter: true }, { key: 'b' }]);
    expect(parseSelector('/a~3/b|')).toEqual([{ key: 'a|' }, { key: 'b|' }]);
    expect(() => parseSelector('|/a')).toThrow(/character 1/);
  });
});

/** Ways to write a text as a string; null where one cannot hold it. */
const STYLES: readonly ((text: string) => string | null)[] = [
  (text) => literal(text, '|', 2),
  (text) => literal(text, '|2', 2),
  (text) => literal(text, '|+', 4),
  (text) => JSON.stringify(text),
  (text) => (/[\n\t]/.test(text) ? null : `'${text.replaceAll("'", "''")}'`),
];

function literal(text: string, header: string, indent: number): string | null {
  const own = header.endsWith('+') ? text : text.replace(/\n+$/, '\n');
  if (own === '' || !own.endsWith('\n') || own !== text || /^[ \n]/.test(text)) return null;
  const lines = text.slice(0, -1).split('\n');
  return [header, ...lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line))].join('\n');
}

/** By a parser that shares no code with ours. */
function stringIn(text: string): unknown {
  const [file] = loadAll(text, null, { schema: CORE_SCHEMA });
  const { x } = file as { x: [{ s: unknown }] }; // oxlint-disable-line no-unsafe-type-assertion
  return x[0].s;
}

describe('editing a field within a string', () => {
  it('gives the string that editing the document by itself gives, and leaves all else to the byte', () => {
    const counts = { right: 0, refused: 0 };
    const cases = fc.record({
      common: anyFile,
      at: fc.nat(),
      value: fc.option(anyTree.tree, { nil: null, freq: 6 }),
      seeds: fc.tuple(fc.nat(), fc.nat()),
      styles: fc.tuple(fc.nat(), fc.nat()),
      eol: fc.constantFrom('\n', '\r\n'),
      final: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ common, at, value, seeds, styles, eol, final }) => {
        const places = placesIn(common);
        const place = places[at % places.length] ?? [];
        if (place.length === 0) return;
        const texts = [common, withChange(common, place, value)].map((tree, index) =>
          writeTree(tree, seeds[index] ?? 0)
            .text.replaceAll('\r\n', '\n')
            .replace(/^\uFEFF/, ''),
        );
        const [base = '', target = ''] = texts;
        const strings = texts.map(
          (text, index) => STYLES[(styles[index] ?? 0) % STYLES.length]?.(text) ?? JSON.stringify(text),
        );
        const [head, tail] = [
          '# top\nx:\n  - name: "1" # c\n    s: ',
          `\n  - name: y\ny:   2${final ? '\n' : ''}`,
        ];
        const [own = '', other = ''] = strings.map((text) =>
          (head + text.replaceAll('\n', '\n    ').replace(/ +$/gm, '') + tail).replaceAll('\n', eol),
        );
        const inner = place.map((step) => (typeof step === 'number' ? { index: step } : { key: step }));
        const outer = parseSelector('/x[name="1"]/s');
        const wanted = restoreField({ base, target, selector: inner });
        const result = restoreField({
          base: own,
          target: other,
          selector: [...outer, { enter: true }, ...inner],
        });
        if (!result.ok) {
          if (wanted.ok) counts.refused += 1;
          return;
        }
        counts.right += 1;
        expect(wanted.ok).toBe(true);
        const isSame = wanted.ok && stringIn(own) === base;
        expect(isSame ? stringIn(result.text) : null).toBe(isSame ? wanted.text : null);
        expect(result.text.startsWith(head.replaceAll('\n', eol))).toBe(true);
        expect(result.text.endsWith(tail.replaceAll('\n', eol))).toBe(true);
        expect(eol === '\r\n' && /[^\r]\n/.test(result.text)).toBe(false);
      }),
      { numRuns: runs(1500, 60) },
    );
    expect(counts.right).toBeGreaterThan(runs(500, 20));
    expect(counts.refused).toBeLessThan(counts.right * 0.1);
  });
});
