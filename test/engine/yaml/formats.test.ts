import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../engine/yaml/edit/edit.ts';
import { parseSelector } from '../../../engine/yaml/core/selector.ts';

/** The text after the edit, or the reason why there is none. */
function restore(path: string, selector: string, base: string, target: string): string {
  const result = restoreField({ path, base, target, selector: parseSelector(selector) });
  return result.ok ? result.text : `refused: ${result.reason}`;
}

describe('a file whose name tells its format', () => {
  it.each([
    ['a.toml', 'a TOML file'],
    ['m.jsonnet', 'a Jsonnet file'],
    ['lib.libsonnet', 'a Jsonnet file'],
    ['renovate.json5', 'a JSON5 file'],
    ['main.tf', 'an HCL file'],
    ['v.cue', 'a CUE file'],
    ['Dockerfile', 'a Dockerfile'],
    ['README.md', 'a text'],
    ['values.gotmpl', 'a template'],
    ['notes', 'a plain text'],
    ['run.sh', 'a shell script'],
  ])('is named where it has no fields: %s', (path, name) => {
    const result = restoreField({ path, base: 'b = 1\n', target: 'b = 2\n', selector: [{ key: 'b' }] });
    expect(result).toMatchObject({ ok: false, reason: 'format' });
    expect(result).toMatchObject({ message: expect.stringContaining(`The file is ${name}: `) });
    expect(result).toMatchObject({ hint: expect.stringContaining('--whole-file') });
  });

  it('is binary where it holds a NUL, and YAML where the name tells nothing and the text is a map', () => {
    expect(restoreField({ path: 'x.dat', base: 'a\0', target: 'a', selector: [{ key: 'a' }] })).toMatchObject(
      {
        message: expect.stringContaining('a binary file'),
      },
    );
    expect(restore('values.gotmpl', '/a', 'a: 2 # x\n', 'a: 1\n')).toBe('a: 1 # x\n');
  });
});

describe('JSON with comments', () => {
  it.each<[string, string, string, string, string]>([
    [
      'sets a value',
      '/a/t',
      '{ // c\n "a": { "t": "v2", /* p */ },\n}\n',
      '{"a":{"t":"v1"}}',
      '{ // c\n "a": { "t": "v1", /* p */ },\n}\n',
    ],
    [
      'with tabs, CRLF, no final line break and a byte order mark',
      '/a',
      '\uFEFF{\r\n\t// c\r\n\t"a": 2 // d\r\n}',
      '{"a": 1}',
      '\uFEFF{\r\n\t// c\r\n\t"a": 1 // d\r\n}',
    ],
    [
      'takes a line away',
      '/a',
      '{\n  // above\n  "a": 1, // own\n  "b": 2 // other\n}\n',
      '{"b": 3}',
      '{\n  // above\n  "b": 2 // other\n}\n',
    ],
    [
      'takes the last line away',
      '/b',
      '{\n  "a": 1, // one\n  // above\n  "b": 2 // own\n}\n',
      '{"a": 3}',
      '{\n  "a": 1 // one\n  // above\n}\n',
    ],
    [
      'takes the last line with its comma away',
      '/b',
      '{\n  "a": 1, // one\n  "b": 2, // own\n}\n',
      '{"a": 3}',
      '{\n  "a": 1, // one\n}\n',
    ],
    [
      'adds a line',
      '/b',
      '{\n  "a": 1, // one\n  "c": 3\n}\n',
      '{"a": 0, "b": 2, "c": 0}',
      '{\n  "a": 1, // one\n  "b": 2,\n  "c": 3\n}\n',
    ],
    [
      'adds the last line',
      '/c',
      '{\n  "a": 1, // one\n  "b": 2 // two\n}\n',
      '{"a": 0, "b": 0, "c": [3]}',
      '{\n  "a": 1, // one\n  "b": 2, // two\n  "c": [3]\n}\n',
    ],
    [
      'adds the first line',
      '/b',
      '{ // open\n  "a": 1\n}\n',
      '{"b": 2}',
      '{ // open\n  "b": 2,\n  "a": 1\n}\n',
    ],
    ['takes the only line away', '/a', '{\n  // above\n  "a": 1 // own\n}\n', '{}', '{\n  // above\n}\n'],
    ['adds the only line', '/a', '{ // none\n}\n', '{"a": 1}', '{ // none\n  "a": 1\n}\n'],
    [
      'keeps a comma in a comment',
      '/b',
      '{"a": 1, /* x, y */ "b": 2, "c": 3}',
      '{"a": 1, "c": 3}',
      '{"a": 1, /* x, y */ "c": 3}',
    ],
    [
      'leaves what looks like a comment in a text',
      '/u',
      '{"u": "http://b/*", "x": 1 /* y */}',
      '{"u": "http://a//c"}',
      '{"u": "http://a//c", "x": 1 /* y */}',
    ],
  ])('%s', (_, selector, base, target, wanted) => {
    expect(restore('tsconfig.json', selector, base, target)).toBe(wanted);
    expect(restore('app.jsonc', selector, base, target)).toBe(wanted);
  });

  it('is not written into a file without comments', () => {
    expect(restore('a.json', '/a', '{"a": {"x": 2}}', '{"a": {"x": 1 /* one */}}')).toMatch(
      /^\{"a": \{"x": 1\}\}$|^refused/,
    );
    expect(restore('a.json', '/a', '{"a": 2}', '{"a": [1, /* one */ 2]}')).toBe('refused: verify-mismatch');
  });

  it('is refused where it is something else', () => {
    for (const path of ['a.json', 'a.jsonc'])
      expect(restore(path, '/a', '{"a": 2, // c\n b: 2}', '{"a": 1}')).toBe('refused: syntax');
    expect(restore('a.json', '/a', 'a: 2 # http://x\n', 'a: 1\n')).toBe('a: 1 # http://x\n');
  });

  it('is refused where a key stands twice', () => {
    expect(restore('a.jsonc', '/a', '{"a": 2, /* x */ "a": 3}', '{"a": 1}')).toBe('refused: duplicate-key');
  });
});

describe('a .env file', () => {
  it.each<[string, string, string, string, string]>([
    ['sets a value', '/A', '# c\nA=2 # own\nB=x\n', 'A=1\n', '# c\nA=1 # own\nB=x\n'],
    [
      'keeps export, blanks, CRLF and a missing final line break',
      '/A',
      '\uFEFFB=1\r\nexport A = 2',
      'A=1',
      '\uFEFFB=1\r\nexport A = 1',
    ],
    ['takes quotes as they were', '/A', 'A=plain\n', 'A="a # b"\n', 'A="a # b"\n'],
    ['takes a value of several lines', '/A', 'A=x\r\nB=1\r\n', 'A="one\ntwo"\n', 'A="one\r\ntwo"\r\nB=1\r\n'],
    ['leaves a # in a value', '/A', 'A=p#2 # c\n', 'A=p#1\n', 'A=p#1 # c\n'],
    ['takes a line away', '/A', 'B=1\nA=2 # own', 'B=2', 'B=1'],
    ['takes the only line away', '/A', 'A=2\n', '', ''],
    ['adds a line', '/A', 'B=1\nC=2\n', "B=0\nexport A='1' # why\nC=0\n", "B=1\nexport A='1' # why\nC=2\n"],
    ['adds a line before the next', '/A', '# top\nC=2', 'A=1\nC=0\n', '# top\nA=1\nC=2'],
    ['adds a line at an open end', '/A', 'C=2', 'A=1\n', 'C=2\nA=1'],
    ['empties a value', '/A', 'A=2 # c\n', 'A=\n', 'A= # c\n'],
  ])('%s', (_, selector, base, target, wanted) => {
    for (const path of ['.env', 'a/params.env', '.env.production'])
      expect(restore(path, selector, base, target)).toBe(wanted);
  });

  it.each([
    ['a key stands twice', 'A=1\nA=2\n', 'duplicate-key'],
    ['a quote is open', 'A="1\nB=2\n', 'syntax'],
    ['a line is something else', 'A=1\necho hello\n', 'syntax'],
    ['something follows a quote', 'A="1"2\n', 'syntax'],
    ['a backslash stands before a quote', "A='it\\'s'\n", 'syntax'],
  ])('is refused where %s', (_, base, reason) => {
    expect(restore('.env', '/A', base, 'A=0\n')).toBe(`refused: ${reason}`);
    expect(restore('.env', '/A', 'A=9\n', base)).toBe(`refused: ${reason}`);
  });
});

describe('a .properties file', () => {
  it.each<[string, string, string, string, string]>([
    ['sets a value', '/image.tag', '! c\nimage.tag=2\nx=1\n', 'image.tag = 1\n', '! c\nimage.tag=1\nx=1\n'],
    [
      'keeps a colon, a blank, CRLF and a missing final line break',
      '/a',
      '\uFEFFb:1\r\na : 2\r\nc  3',
      'a=1',
      '\uFEFFb:1\r\na : 1\r\nc  3',
    ],
    [
      'takes a value that goes on',
      '/a',
      'a=2\r\nb=1\r\n',
      'a=one,\\\n  two\n',
      'a=one,\\\r\n  two\r\nb=1\r\n',
    ],
    ['takes the place of a value that goes on', '/a', 'a=one,\\\n  two\nb=1\n', 'a=1\n', 'a=1\nb=1\n'],
    ['takes a value that begins in the next line', '/a', 'a=2\n', 'a=\\\n  1\n', 'a=\\\n  1\n'],
    ['knows escapes in keys', '/a b=c', 'a\\ b\\=c=2\n', 'a\\u0020b\\=c 1\n', 'a\\ b\\=c=1\n'],
    ['gives a value to a key that stands alone', '/a', 'a\nb=1\n', 'a 1\n', 'a=1\nb=1\n'],
    ['keeps a # in a value', '/a', 'a=2 # no comment\n', 'a=1\n', 'a=1\n'],
    ['takes a line away', '/a', 'b=1\na=2\\\n  3\nc=4', 'b=1', 'b=1\nc=4'],
    ['adds a line', '/a', 'b=1\nc=2', 'b=0\na:1\nc=0\n', 'b=1\na:1\nc=2'],
  ])('%s', (_, selector, base, target, wanted) => {
    expect(restore('app.properties', selector, base, target)).toBe(wanted);
  });

  it.each([
    ['a key stands twice', 'a=1\n\\u0061=2\n', 'duplicate-key'],
    ['an escape is broken', 'a=\\u00g1\n', 'syntax'],
    ['a key goes on in another line', 'a\\\nb=2\na=1\n', 'syntax'],
  ])('is refused where %s', (_, base, reason) => {
    expect(restore('x.properties', '/a', base, 'a=0\n')).toBe(`refused: ${reason}`);
  });

  it('is refused where a value would take the next line with it', () => {
    expect(restore('x.properties', '/a', 'a=1\nb=2\n', 'a=x\\')).toBe('refused: verify-mismatch');
  });
});
