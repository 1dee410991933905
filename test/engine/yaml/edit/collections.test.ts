import { describe } from 'vitest';
import { works } from './restore.ts';

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
