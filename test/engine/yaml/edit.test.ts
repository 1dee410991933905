import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../engine/yaml/edit/edit.ts';
import { parseSelector } from '../../../engine/yaml/core/selector.ts';

const restore = (base: string, target: string, selector: string) =>
  restoreField({ base, target, selector: parseSelector(selector) });

/** [what, base, target, selector, result] */
type Row = readonly [string, string, string, string, string];

function works(rows: readonly Row[]): void {
  it.each(rows)('%s', (_title, base, target, selector, text) => {
    expect(restore(base, target, selector)).toMatchObject({ ok: true, text, changed: text !== base });
  });
}

describe('restoring scalars', () => {
  works([
    [
      'writes the old source, not the old value: 0644',
      'mode: 420\n',
      'mode: 0644\n',
      '/mode',
      'mode: 0644\n',
    ],
    ['writes 1e3 as it was', 'n: 1000\n', 'n: 1e3\n', '/n', 'n: 1e3\n'],
    ['tells on from "on"', 'a: on\n', 'a: "on"\n', '/a', 'a: "on"\n'],
    ['tells "on" from on', 'a: "on"\n', 'a: on\n', '/a', 'a: on\n'],
    ['writes 1:30 as it was', 'a: x\n', 'a: 1:30\n', '/a', 'a: 1:30\n'],
    [
      'tells integers over 2^53 apart',
      'a: 9007199254740993\n',
      'a: 9007199254740992\n',
      '/a',
      'a: 9007199254740992\n',
    ],
    ['keeps an explicit tag', 'a: 1\n', 'a: !!str 1\n', '/a', 'a: !!str 1\n'],
    ['makes null of a value', 'a: 1 # c\nb: 1\n', 'a:\nb: 2\n', '/a', 'a: # c\nb: 1\n'],
    ['makes a value of null', 'a: # c\nb: 1\n', 'a: 1\nb: 2\n', '/a', 'a: 1 # c\nb: 1\n'],
    ['leaves what is equal alone', 'a:   1   # c\n', 'a: 1\n', '/a', 'a:   1   # c\n'],
    ['does nothing where neither side has it', 'a: 1\n', 'b: 1\n', '/c', 'a: 1\n'],
  ]);
});

describe('everything around a field', () => {
  works([
    ['keeps CRLF', 'a: 1\r\nb: 2\r\n', 'a: 9\nb: 9\n', '/b', 'a: 1\r\nb: 9\r\n'],
    [
      'gives inserted lines the line ending of the file',
      'a: 1\r\nz: 2\r\n',
      'a: 1\nb:\n  c: 1\nz: 1\n',
      '/b',
      'a: 1\r\nb:\r\n  c: 1\r\nz: 2\r\n',
    ],
    ['keeps a byte order mark', '\uFEFFa: 1\n', 'a: 2\n', '/a', '\uFEFFa: 2\n'],
    ['keeps it before a first key that is new', '\uFEFFb: 1\n', 'a: 2\nb: 1\n', '/a', '\uFEFFa: 2\nb: 1\n'],
    ['keeps a missing final newline', 'a: 1\nb: 2', 'a: 1\nb: 3\n', '/b', 'a: 1\nb: 3'],
    ['keeps it missing behind a new last key', 'a: 1', 'a: 1\nb: 3\n', '/b', 'a: 1\nb: 3'],
    ['keeps it missing when the last key goes', 'a: 1\nb: 2', 'a: 1\n', '/b', 'a: 1'],
    [
      'keeps trailing blanks and odd spacing',
      'a:   "x"  \nb :  1\n\n\n',
      'a: "y"\n',
      '/a',
      'a:   "y"  \nb :  1\n\n\n',
    ],
    [
      'keeps markers on the line',
      'image: b # {"$imagepolicy": "x:y"}\n',
      'image: a\n',
      '/image',
      'image: a # {"$imagepolicy": "x:y"}\n',
    ],
    [
      'keeps the comment between "- name:" and the next key',
      'l:\n- name: a\n  # why\n  v: 2\n',
      'l:\n- name: a\n  v: 1\n',
      '/l[name=a]/v',
      'l:\n- name: a\n  # why\n  v: 1\n',
    ],
    [
      'keeps it when the name goes',
      'l:\n- name: a\n  # why\n  v: 2\n',
      'l:\n- v: 2\n',
      '/l/0/name',
      'l:\n-\n  # why\n  v: 2\n',
    ],
    [
      'keeps document markers and directives',
      '%YAML 1.2\n---\na: 1\n...\n',
      'a: 2\n',
      '/a',
      '%YAML 1.2\n---\na: 2\n...\n',
    ],
  ]);
});

describe('restoring block scalars', () => {
  works([
    [
      'moves the lines to the column of the file',
      'x:\n    k: v # c\n    z: 1\n',
      'x:\n  k: |\n    one\n\n      two\n  z: 2\n',
      '/x/k',
      'x:\n    k: | # c\n      one\n\n        two\n    z: 1\n',
    ],
    [
      'keeps the comment of the header',
      'k: |- # c\n  one\nz: 1\n',
      'k: >\n  two\n  three\n',
      '/k',
      'k: > # c\n  two\n  three\nz: 1\n',
    ],
    [
      'keeps indentation indicators',
      'a:\n    k: 1\n',
      'a:\n  k: |2-\n      one\n    two\n',
      '/a/k',
      'a:\n    k: |2-\n        one\n      two\n',
    ],
    ['restores a kept end', 'k: v\nz: 1\n', 'k: |+\n  one\n\n\nz: 1\n', '/k', 'k: |+\n  one\n\n\nz: 1\n'],
    ['takes a kept end away', 'k: |+\n  one\n\n\nz: 1\n', 'k: v\nz: 1\n', '/k', 'k: v\nz: 1\n'],
    [
      'leaves the comment behind a block alone',
      'k: |\n  one\n  \n# about z\nz: 1\n',
      'k: |\n  two\nz: 1\n',
      '/k',
      'k: |\n  two\n  \n# about z\nz: 1\n',
    ],
    ['tells | from |-', 'k: |\n  one\n', 'k: |-\n  one\n', '/k', 'k: |-\n  one\n'],
    [
      'moves folded quotes',
      'a:\n   k: 1\n',
      'a:\n  k: "one\n    two"\n',
      '/a/k',
      'a:\n   k: "one\n     two"\n',
    ],
  ]);
});

describe('adding and removing keys', () => {
  works([
    [
      'adds in the old order, with its comments',
      'a: 1\nc: 3\n',
      'a: 1\n# about b\nb: 2 # own\nc: 3\n',
      '/b',
      'a: 1\n# about b\nb: 2 # own\nc: 3\n',
    ],
    [
      'adds before the first where it was the first',
      'm:\n  b: 1\n',
      'm:\n  a: 1\n  b: 1\n',
      '/m/a',
      'm:\n  a: 1\n  b: 1\n',
    ],
    [
      'adds behind the comments that belong to the entry before',
      'a:\n  x: 1\n  # y: 2\nc: 3\n',
      'a:\n  x: 1\nb: 2\n',
      '/b',
      'a:\n  x: 1\n  # y: 2\nb: 2\nc: 3\n',
    ],
    [
      'adds on the line of a "-"',
      'l:\n  - v: 1\n',
      'l:\n- name: a\n  v: 1\n',
      '/l/0/name',
      'l:\n  - name: a\n    v: 1\n',
    ],
    [
      'removes with the comment that the old file lacks',
      'a: 1\n# about b\nb: 2 # own\nc: 3\n',
      'a: 1\nc: 3\n',
      '/b',
      'a: 1\nc: 3\n',
    ],
    [
      'removes and leaves the comment that the old file has',
      'a: 1\n# about b\nb: 2\nc: 3\n',
      'a: 1\n# about b\nc: 3\n',
      '/b',
      'a: 1\n# about b\nc: 3\n',
    ],
    [
      'leaves {} behind the last key, and the comment of the line',
      'k: # kk\n  a: 1 # x\nc: 1\n',
      'k: {}\n',
      '/k/a',
      'k: {} # kk\nc: 1\n',
    ],
    ['leaves [] behind the last item', 'k:\n- a\nc: 1\n', 'k: []\n', '/k/0', 'k: []\nc: 1\n'],
    ['leaves {} in a list', 'k:\n- a: 1\n- b: 1\n', 'k: [{}, {b: 1}]\n', '/k/0/a', 'k:\n- {}\n- b: 1\n'],
    [
      'makes a container of null',
      'k: # kk\nc: 1\n',
      'k:\n    a: 1\n    b: 2\n',
      '/k/a',
      'k: # kk\n    a: 1\nc: 1\n',
    ],
    ['makes a container of ~', 'k: ~\n', 'k:\n- name: a\n', '/k[name=a]', 'k:\n- name: a\n'],
    ['fills an empty container', 'k: {} # c\n', 'k:\n  a: 1\n', '/k/a', 'k: # c\n  a: 1\n'],
    ['fills the empty root', '{}\n', 'a: 1\n', '/a', 'a: 1\n'],
  ]);
});

describe('restoring lists', () => {
  works([
    [
      'finds an item by its name at another index',
      'l:\n- name: x\n  v: 9\n- name: a\n  v: 2\n',
      'l:\n- name: a\n  v: 1\n',
      '/l[name=a]/v',
      'l:\n- name: x\n  v: 9\n- name: a\n  v: 1\n',
    ],
    [
      'adds an item behind its old neighbour',
      'l:\n  - name: a\n  - name: z\n',
      'l:\n- name: a\n- name: b\n  v: 1\n- name: c\n',
      '/l[name=b]',
      'l:\n  - name: a\n  - name: b\n    v: 1\n  - name: z\n',
    ],
    [
      'removes an item',
      'l:\n- name: a # 1\n- name: b\n  v: |\n    x\n- name: c\n',
      'l:\n- name: a\n- name: c\n',
      '/l[name=b]',
      'l:\n- name: a # 1\n- name: c\n',
    ],
    [
      'restores a whole list item by item',
      'l:\n- name: a # 1\n  v: 2 # two\n- name: n\n',
      'l:\n  - name: a\n    v: 1\n  - name: z\n',
      '/l',
      'l:\n- name: a # 1\n  v: 1 # two\n- name: z\n',
    ],
    ['restores an order', 'l: [a, b, c]\n', 'l: [c, a, b]\n', '/l', 'l: [c, a, b]\n'],
    [
      'restores scalars in place',
      'args:\n  - --a=2 # c\n  - --b\n',
      'args:\n- --a=1\n- --b\n',
      '/args',
      'args:\n  - --a=1 # c\n  - --b\n',
    ],
    ['tells equal items apart', 'l:\n- x\n- x\n', 'l:\n- x\n- x\n- x\n', '/l', 'l:\n- x\n- x\n- x\n'],
    [
      'matches ports by number',
      'p:\n- containerPort: 80\n  name: http\n- containerPort: 81\n',
      'p:\n- containerPort: 81\n  x: 1\n- containerPort: 80\n  name: web\n',
      '/p[containerPort=80]/name',
      'p:\n- containerPort: 80\n  name: web\n- containerPort: 81\n',
    ],
  ]);
});

describe('restoring what stands in brackets', () => {
  works([
    [
      'copies the separators of JSON',
      '{\n  "a": 1,\n  "z": 2\n}\n',
      '{\n  "a": 1,\n  "b": {"c": [1]},\n  "z": 3\n}\n',
      '/b',
      '{\n  "a": 1,\n  "b": {"c": [1]},\n  "z": 2\n}\n',
    ],
    ['adds behind the last', '{"a":1}', '{"a":2,"b":"x"}', '/b', '{"a":1, "b":"x"}'],
    ['removes the last', '{"a":1,"b":2}', '{"a":1}', '/b', '{"a":1}'],
    ['removes the first', '{\n\t"a": 1,\n\t"b": 2\n}\n', '{\n\t"b": 3\n}\n', '/a', '{\n\t"b": 2\n}\n'],
    ['leaves {}', '{"a": {"b": 1}}', '{"a": {}}', '/a/b', '{"a": {}}'],
    [
      'fills {}',
      '{\n  "a": {}\n}\n',
      '{\n  "a": {\n    "b": 1,\n    "c": 2\n  }\n}\n',
      '/a/b',
      '{\n  "a": {\n    "b": 1\n  }\n}\n',
    ],
    ['keeps a trailing comma', 'l: [\n  a,\n  b,\n]\n', 'l: [\n  a,\n]\n', '/l', 'l: [\n  a,\n]\n'],
    [
      'writes a block into brackets',
      '{a: 1, b: 2}\n',
      'a:\n  - x: 1 # c\n    y: "p, q"\n  - z\nb: 1\n',
      '/a',
      '{a: [{x: 1, y: "p, q"}, z], b: 2}\n',
    ],
    ['adds a block to brackets', 'a: [b]\n', 'a:\n- b\n- c: 0644\n  d:\n', '/a/1', 'a: [b, {c: 0644, d:}]\n'],
    [
      'adds a key with a block to brackets',
      'a: {b: 1}\n',
      'a:\n  b: 1\n  c:\n    d: !!str 1\n',
      '/a/c',
      'a: {b: 1, c: {d: !!str 1}}\n',
    ],
    [
      'restores a block in place of brackets',
      'a: {b: 1} # c\n',
      'a:\n  b: 1\n  c: 2\n',
      '/a',
      'a: # c\n  b: 1\n  c: 2\n',
    ],
    [
      'restores brackets in place of a block',
      'a: # c\n  b: 1\nz: 1\n',
      'a: {b: 2}\n',
      '/a',
      'a: {b: 2} # c\nz: 1\n',
    ],
    [
      'restores a block in place of a scalar',
      'a: v # c\nz: 1\n',
      'a:\n  b: 1\n',
      '/a',
      'a: # c\n  b: 1\nz: 1\n',
    ],
  ]);
});

const service = 'kind: Service\nmetadata: {name: api}\nspec: {port: 1}\n';
const deployment = (replicas: number) =>
  `kind: Deployment\nmetadata: {name: api}\nspec: {replicas: ${replicas}}\n`;

describe('restoring documents', () => {
  works([
    [
      'matches them by kind and name',
      `${service}---\n${deployment(3)}`,
      `${deployment(2)}---\n${service}`,
      '[kind=Deployment]/spec/replicas',
      `${service}---\n${deployment(2)}`,
    ],
    [
      'restores a whole one',
      `${service}---\n${deployment(3)}`,
      deployment(2),
      '[kind=Deployment,metadata.name=api]',
      `${service}---\n${deployment(2)}`,
    ],
    [
      'restores all of them',
      `# top\n${service}---\n${deployment(3)}`,
      `${service}---\n${deployment(2)}`,
      '',
      `# top\n${service}---\n${deployment(2)}`,
    ],
  ]);
});

describe('adding and removing whole documents', () => {
  const SELECTOR = '[kind=Deployment,metadata.name=api]';
  const last = 'kind: Job\nmetadata: {name: z}\n';
  works([
    [
      'adds one behind its neighbour',
      `${service}---\n${last}`,
      `${service}---\n${deployment(2)}---\n${last}`,
      SELECTOR,
      `${service}---\n${deployment(2)}---\n${last}`,
    ],
    [
      'adds one to a single document',
      service,
      `${service}---\n# own\n${deployment(2)}`,
      SELECTOR,
      `${service}---\n# own\n${deployment(2)}`,
    ],
    [
      'adds one at the end, with its own mark',
      `---\n${service}`,
      `---\n${service}--- # d\n${deployment(2)}`,
      SELECTOR,
      `---\n${service}--- # d\n${deployment(2)}`,
    ],
    [
      'adds one before the first, without a mark',
      service,
      `${deployment(2)}---\n${service}`,
      SELECTOR,
      `${deployment(2)}---\n${service}`,
    ],
    [
      'adds one before the first, with a mark',
      `---\n${service}`,
      `${deployment(2)}---\n${service}`,
      SELECTOR,
      `---\n${deployment(2)}---\n${service}`,
    ],
    [
      'adds one below what stands above all',
      `# top\n${service}`,
      `# top\n${deployment(2)}---\n${service}`,
      SELECTOR,
      `# top\n${deployment(2)}---\n${service}`,
    ],
    [
      'gives an added one the line ends of the file',
      service.replaceAll('\n', '\r\n'),
      `${service}---\n${deployment(2)}`,
      SELECTOR,
      `${service}---\n${deployment(2)}`.replaceAll('\n', '\r\n'),
    ],
    [
      'keeps a final newline missing',
      service.trimEnd(),
      `${service}---\n${deployment(2)}`,
      SELECTOR,
      `${service}---\n${deployment(2)}`.trimEnd(),
    ],
    [
      'keeps a byte order mark before an added first one',
      `\uFEFF${service}`,
      `${deployment(2)}---\n${service}`,
      SELECTOR,
      `\uFEFF${deployment(2)}---\n${service}`,
    ],
    ['removes the last one', `${service}---\n${deployment(2)}`, service, SELECTOR, service],
    [
      'removes one in the middle, with what belongs to it',
      `${service}---\n# d\n${deployment(2)}\n--- # z\n${last}`,
      `${service}---\n${last}`,
      SELECTOR,
      `${service}--- # z\n${last}`,
    ],
    [
      'removes the first one, with the mark that follows',
      `${deployment(2)}---\n${service}`,
      service,
      SELECTOR,
      service,
    ],
    [
      'leaves what stands above all',
      `# top\n${deployment(2)}---\n${service}`,
      `# top\n${service}`,
      SELECTOR,
      `# top\n${service}`,
    ],
    [
      'leaves empty documents alone',
      `---\n---\n${deployment(2)}---\n${service}---\n`,
      service,
      SELECTOR,
      `---\n---\n${service}---\n`,
    ],
    [
      'does not take a --- within a text for a mark',
      `${service}text: |\n  ---\n  a\n---\n${deployment(2)}`,
      service,
      SELECTOR,
      `${service}text: |\n  ---\n  a\n`,
    ],
    [
      'restores a file that gained one and lost another',
      `${service}---\n${deployment(3)}`,
      `${deployment(2)}---\n${last}`,
      '',
      `${deployment(2)}---\n${last}`,
    ],
  ]);

  it('comes back byte for byte when it is removed and added again', () => {
    const text = `# top\n${service}---\n# d\n${deployment(2)}\n--- # z\n${last}`;
    for (const selector of ['[kind=Service]', SELECTOR, '[kind=Job]']) {
      const without = restore(
        text,
        text.replace(new RegExp(`kind: ${/kind=(\w+)/.exec(selector)?.[1]}`), 'kind: X'),
        selector,
      );
      expect(without).toMatchObject({ ok: true, changed: true });
      expect(restore(without.ok ? without.text : '', text, selector)).toMatchObject({ ok: true, text });
    }
  });
});

describe('refusals', () => {
  const merged = 'd: &d {q: 1}\nb:\n  <<: *d\n  r: 1\n';
  it.each([
    ['anchor', 'a: &x 1\nb: *x\nc: *x\n', 'a: 2\nb: 1\n', '/a', /&x.*line 2, column 4 and line 3, column 4/],
    ['anchor', 'a: &x {k: 1}\nb: *x\n', 'a: {k: 2}\n', '/a/k', /&x/],
    ['anchor', 'a: {k: &x 1}\nb: *x\n', 'b: 1\n', '/a', /&x/],
    ['anchor', 'a: &x\n  k: 1\nb: *x\n', 'a:\n  k: 1\n  l: 1\n', '/a/l', /&x/],
    ['alias', 'a: &x {k: 1}\nb: *x\n', 'b: {k: 2}\n', '/b/k', /alias/],
    ['alias', 'b: 1\n', 'a: &x 1\nb: *x\n', '/b', /alias/],
    [
      'alias',
      'd: &d {t: 2}\na: *d\nb: *d\n',
      'd: &d {t: 1}\na: *d\nb: *d\n',
      '/a',
      /&d \(line 1, column 4\).* \*d refers.* line 3, column 4\./,
    ],
    [
      'alias',
      'd: &d {t: 2}\na: {<<: *d, x: 2}\n',
      'd: &d {t: 1}\na: {<<: *d, x: 1}\n',
      '/a',
      /&d \(line 1, column 4\).* refers to did\.$/,
    ],
    ['merge-key', merged, 'd: &d {q: 1}\nb:\n  <<: *d\n  q: 2\n', '/b/q', /</],
    ['merge-key', 'd: &d {q: 1}\nb:\n  <<: *d\n  q: 2\n', 'b: {r: 1}\n', '/b/q', /merge it in again/],
    ['merge-key', merged, 'd: {q: 1}\nb:\n  r: 1\n', '/b/<<', /</],
    ['duplicate-key', 'a: 1\na: 2\n', 'a: 3\n', '/a', /line 2/],
    ['templated', 'a: {{ x }}\nb: 1\n', 'b: 2\n', '/b', /line 1/],
    ['templated', 'b: 1\n', '{{ if }}\nb: 2\n{{ end }}\n', '/b', /template/],
    ['syntax', 'a:\n\t- x\n', 'a: 1\n', '/a', /line/],
    ['several-documents', 'a: 1\n---\na: 2\n', 'a: 3\n', '/a', /2 documents/],
    ['ambiguous', 'kind: A\n---\nkind: A\n', 'kind: A\nx: 1\n', '[kind=A]/x', /2 documents/],
    ['document', 'kind: A\n', 'kind: B\n', '[kind=A]', /only document.*line 1/],
    ['document', 'kind: A\n---\nkind: B\n', 'kind: A\n', '[1]', /index/],
    ['document', 'kind: A\n...\n---\nkind: B\n', 'kind: A\n', '[kind=B]', /line 2/],
    ['document', '%YAML 1.2\n---\nkind: A\n', 'kind: A\n---\nkind: B\n', '[kind=B]', /line 1/],
    ['document', 'kind: A\n---\nkind: B\n', 'kind: A\n', '', /2 documents and had 1/],
    ['verify-mismatch', '{"kind": "A"}', 'kind: A\n---\nkind: B\n', '[kind=B]', /no longer be JSON/],
    [
      'document',
      'kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n',
      'kind: B\nmetadata: {name: b}\n---\nkind: A\nmetadata: {name: a}\n',
      '',
      /order of the documents/,
    ],
    ['missing-parent', 'a: 1\n', 'b:\n  c: 1\n', '/b/c', /parent of \/b\/c/],
    ['missing-parent', 'b: x\n', 'b:\n  c: 1\n', '/b/c', /another kind/],
    ['missing-parent', '', 'b: 1\n', '/b', /parent/],
    [
      'flow-unsupported',
      '{"a": 1, "b": 2}',
      'a: |\n  x\nb: 2\n',
      '/a',
      /block scalar.*brackets at line 1, column 7 .*line 1, column 4/,
    ],
    ['flow-unsupported', '{a: 1}\n', 'x: &x 1\na:\n  b: *x\n', '/a', /alias.*line 3/],
    ['verify-mismatch', '{a: 1}\n', 'a:\n  b: p, q\n', '/a', /failed verification/],
    ['prototype-key', '__proto__: {a: 1}\nb: 1\n', '__proto__: {a: 2}\n', '/__proto__/a', /__proto__/],
  ])('%s: %j from %j at %s', (reason, base, target, selector, message) => {
    const result = restore(base, target, selector);
    expect(result).toMatchObject({ ok: false, reason });
    expect(result.ok ? '' : result.message).toMatch(message);
    expect(result.ok ? '' : result.message).toMatch(/\.$/);
    expect(result.ok ? '' : result.hint).toContain('--whole-file');
  });

  it.each([
    ['b: x\n', 'b:\n  c: 1\n', '/b/c', /line 1/],
    ['a: 1\nb: {}\n', 'b:\n  c:\n    d: 1\n', '/b/c/d', /parent of \/b\/c\/d.*\/b is at line 2/],
    ['x: {a: 1}\n', 'x:\n  a: p, q\n', '/x/a', /failed verification.*\/x\/a is at line 1/],
    ['x: 1\n__proto__: {a: 1}\n', '__proto__: {a: 2}\n', '/__proto__/a', /__proto__.*line 2/],
    [`a: &a [${'1,'.repeat(1000)}]\nb: &b [${'*a,'.repeat(1000)}]\n`, 'c: 1\n', '/c', /line 2/],
  ])('names the line or the nearest field that is there: %j', (base, target, selector, message) => {
    const result = restore(base, target, selector);
    expect(result.ok ? 'done' : result.message).toMatch(message);
  });

  it('restores an anchored map whose aliases all lie inside of what is restored', () => {
    const base = 'x:\n  a: &a {k: 2}\n  b: *a\nz: 1\n';
    expect(restore(base, base.replace('2', '1'), '/x')).toMatchObject({
      ok: true,
      text: base.replace('2', '1'),
    });
  });

  it('keeps a missing final line break missing, unless it belongs to what is last now', () => {
    const text = (base: string) => {
      const result = restore(base, 'x: 1\n', '/b');
      return result.ok ? result.text : result.message;
    };
    expect(text('a: a\nb: 1e3')).toBe('a: a');
    expect(text('a: a\r\nb: 1e3')).toBe('a: a');
    expect(text('a: |+\n  keep\n\nb: 0644')).toBe('a: |+\n  keep\n\n');
    expect(text('a: |-\n  strip\nb: 1')).toBe('a: |-\n  strip');
  });

  it('does not give way to keys that have a meaning in JavaScript', () => {
    expect(restore('a: 1\n', 'a: 1\nconstructor: {prototype: {x: 1}}\n', '/constructor').ok).toBe(true);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('large files', () => {
  const list = (version: number) =>
    Array.from(
      { length: 10_000 },
      (_, index) => `- name: s${index}\n  version: ${index === 5000 ? version : 1}\n`,
    ).join('');

  it('are edited in one line', () => {
    const result = restore(list(2), list(1), '[name=s5000]/version');
    expect(result.ok && result.text === list(1)).toBe(true);
  });

  it('are refused over the limit, with their size', () => {
    const text = `a: 1\n# ${'x'.repeat(4 * 1024 * 1024)}\n`;
    expect(restore(text, 'a: 2\n', '/a')).toMatchObject({
      ok: false,
      reason: 'too-large',
      message: expect.stringContaining('4194304'),
    });
  });
});

describe('operations', () => {
  it('are told leaf by leaf, below the selector that was given', () => {
    const base = 'r:\n- name: a\n  v: 1\n  w: 1\n- name: b\n';
    const target = 'r:\n- name: a\n  v: 2\n  x: {y: 1}\n- name: c\n';
    expect(restore(base, target, '/r')).toMatchObject({
      operations: [
        { op: 'replace', selector: '/r[name=a]/v' },
        { op: 'remove', selector: '/r[name=a]/w' },
        { op: 'add', selector: '/r[name=a]/x' },
        { op: 'remove', selector: '/r[name=b]' },
        { op: 'add', selector: '/r[name=c]' },
      ],
    });
    expect(restore(base, target, '/r/0/v')).toMatchObject({
      operations: [{ op: 'replace', selector: '/r/0/v' }],
    });
  });
});
