import { describe } from 'vitest';
import { works } from './restore.ts';

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
