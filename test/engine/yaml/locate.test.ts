import { describe, expect, it } from 'vitest';
import { parseText } from '../../../engine/yaml/core/document.ts';
import { excise, listNames, locate, selectSource } from '../../../engine/yaml/core/locate.ts';
import { formatSelector, parseSelector } from '../../../engine/yaml/core/selector.ts';
import { runs } from '../../helpers/run/proof.ts';

const TEXT = `\uFEFFreleases:
  - name: api # the first
    version: &v 1.0
    notes: |
      one

        two

  - name: web
    version: "2"
    ports: [{containerPort: 80}, {containerPort: 443, tls: on}]
    again: *v
`;
const MANIFESTS = `---
# nothing here
---
kind: Deployment
metadata: { name: api, namespace: a }
spec: { replicas: 2 }
---
kind: Deployment
metadata: { name: api, namespace: b }
---
kind: Service
metadata:
  name: api
`;

const found = (text: string, selector: string) => {
  const located = locate(parseText(text), parseSelector(selector));
  return located && [text.slice(located.start, located.end), formatSelector(located.selector)];
};
const source = (text: string, selector: string) => selectSource(parseText(text), parseSelector(selector));
const locating = (text: string, selector: string) => () => locate(parseText(text), parseSelector(selector));
const names = (text: string, parent: string, key: string | null) =>
  listNames(parseText(text), parseSelector(parent), key);
const cut = (...selectors: string[]) =>
  excise(parseText('a: 1 # x\nb: {c: 2, d: 3}\n'), selectors.map(parseSelector));
const refusal = (reason: string) => expect.objectContaining({ code: 'EDIT_REFUSED', details: { reason } });

describe('locate', () => {
  it.each([
    ['/releases/0/version', '&v 1.0', '/releases[name=api]/version'],
    ['/releases[name=web]/version', '"2"', '/releases[name=web]/version'],
    ['/releases[version=2]/name', 'web', '/releases[name=web]/name'],
    ['/releases[1]/ports/1/tls', 'on', '/releases[name=web]/ports[containerPort=443]/tls'],
    ['/releases[name=api]/notes', '|\n      one\n\n        two', '/releases[name=api]/notes'],
    ['/releases[name=web]/again', '*v', '/releases[name=web]/again'],
  ])('finds %s with its place and its canonical selector', (selector, text, canonical) => {
    expect(found(TEXT, selector)).toEqual([text, canonical]);
  });

  it.each([
    '/nothing',
    '/releases[name=db]',
    '/releases/7',
    '/releases/name',
    '/releases[0]/version/x',
    '/constructor',
    '/__proto__',
  ])('finds nothing at %s', (selector) => {
    expect(found(TEXT, selector)).toBeNull();
  });

  it('finds documents by what they say, by their place, and a single document by either', () => {
    expect(found(MANIFESTS, '[kind=Service]/metadata/name')?.[0]).toBe('api');
    expect(found(MANIFESTS, '[0]/spec/replicas')?.[0]).toBe('2');
    expect(found(MANIFESTS, '[kind=Deployment,metadata.namespace=b]/kind')?.[0]).toBe('Deployment');
    expect(found(MANIFESTS, '[kind=Nothing]')).toBeNull();
    expect(found('kind: A\nx: 1\n', '[kind=A]/x')?.[0]).toBe('1');
    expect(found('kind: A\nx: 1\n', '[kind=B]/x')).toBeNull();
    expect(found('- name: a\n- name: b\n', '[name=b]')?.[0]).toBe('name: b');
  });

  it('does not guess', () => {
    expect(locating(MANIFESTS, '[kind=Deployment]')).toThrow(refusal('ambiguous'));
    expect(locating(MANIFESTS, '/spec')).toThrow(refusal('several-documents'));
    expect(locating('l: [{a: 1, b: 1}, {a: 1, b: 2}]\n', '/l[a=1]')).toThrow(refusal('ambiguous'));
    expect(locating('a: &x {b: 1}\nc: *x\n', '/c/b')).toThrow(refusal('alias'));
    expect(locating('a: &x {b: 1}\nc: {<<: *x}\n', '/c/b')).toThrow(refusal('merge-key'));
    expect(locating('a: &x {b: 1}\nc: {<<: [{d: 2}, *x]}\n', '/c/b')).toThrow(refusal('merge-key'));
  });
});

describe('selectSource', () => {
  it('is the same wherever the field stands and however the text around it is laid out', () => {
    const block = 'x:\n  d:\n    - a: |-\n        one\n          two\n      b: {c: 1}\n';
    const other =
      'b: 2\r\nx:\r\n    d: # why\r\n    -   b:\r\n            # here\r\n            c: 1\r\n        a: |- # text\r\n            one\r\n              two\r\n\r\n';
    expect(source(block, '/x')).toBe(source(other, '/x'));
  });

  it.each([
    ['on', '"on"'],
    ['"a"', "'a'"],
    ['0644', '420'],
    ['1e3', '1000'],
    ['12345678901234567890', '12345678901234567891'],
    ['', 'null'],
    ['~', 'null'],
    ['!!str 1', '1'],
    ['|\n  a', '|-\n  a'],
    ['|\n  a\n', '>\n  a\n'],
    ['[a]', 'a'],
    ['{}', '[]'],
    ['[a, b]', '[b, a]'],
  ])('tells %j from %j', (a, b) => {
    expect(source(`k: ${a}\n`, '/k')).not.toBe(source(`k: ${b}\n`, '/k'));
  });

  it('changes with what an alias stands for', () => {
    expect(source('a: &x 1\nb: *x\n', '/b')).not.toBe(source('a: &x 2\nb: *x\n', '/b'));
  });

  it('is null where there is nothing', () => {
    expect(source('a: 1\n', '/b')).toBeNull();
    expect(source('# nothing\n', '')).toBeNull();
  });
});

describe('listNames', () => {
  it('lists keys of maps, values in lists, and values in documents', () => {
    expect(names(TEXT, '', null)).toEqual(['releases']);
    expect(names(TEXT, '/releases', 'name')).toEqual(['api', 'web']);
    expect(names(MANIFESTS, '', 'metadata.name')).toEqual(['api']);
    expect(names(TEXT, '/nothing', 'name')).toEqual([]);
    expect(names('a: &x {b: 1}\nc: {<<: *x, d: 1}\n', '/c', null)).toEqual(['d']);
  });
});

describe('excise', () => {
  it('cuts values out and leaves the rest', () => {
    expect(cut('/a', '/b/c', '/z')).toBe('a:  # x\nb: {c: , d: 3}\n');
    expect(cut('/b', '/b/c')).toBe('a: 1 # x\nb: \n');
  });
});

describe('parseText', () => {
  const deep = '['.repeat(3000) + ']'.repeat(3000);
  const bomb = `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${[1, 2, 3, 4, 5, 6].map((n) => `a${n}: &a${n} [${`*a${n - 1}, `.repeat(10)}]\n`).join('')}`;
  it.each([
    ['syntax', 'a: [1\n', /line 2/],
    ['syntax', 'a:\n\t- b\n', /line/],
    ['templated', 'a: {{ .Values.secret }}\n', /line 1, column 4/],
    ['templated', '{{- if .x }}\na: 1\n{{- end }}\n', /template/],
    ['duplicate-key', 'a: 1\nb: {c: 1, c: 2}\n', /line 2, column 11/],
    ['duplicate-key', '1: a\n"1": b\n', /line 2/],
    ['alias', 'a: *hidden\n', /\*hidden.*line 1/],
    ['alias-bomb', bomb, /aliases/],
    ['alias-bomb', 'a: &a [*a]\n', /contains it/],
    ['too-deep', deep, /deep/],
    ['too-large', 'a'.repeat(5_000_000), /characters/],
  ])('refuses %s', (reason, text, message) => {
    expect(() => parseText(text)).toThrow(refusal(reason));
    expect(() => parseText(text)).toThrow(message);
  });

  it('never says what stands in the file', () => {
    for (const text of [
      'password: [hunter2\n',
      'a: "hunter2\n',
      'hunter2: 1\nhunter2: 2\n',
      'a: {{ hunter2 }}\n',
      '- hunter2\nx\n',
    ]) {
      expect(() => parseText(text)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
      );
    }
  });

  it('reads tens of thousands of keys', () => {
    const keys = runs(20_000, 10_000);
    const text = Array.from({ length: keys }, (_, index) => `key${index}: ${index}\n`).join('');
    expect(parseText(text).bodies[0]?.root.entries).toHaveLength(keys);
  });
});
