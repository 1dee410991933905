import { describe, expect, it } from 'vitest';
import { restore } from './restore.ts';
import { runs } from '../../../helpers/run/proof.ts';

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
      { length: runs(3000, 1600) },
      (_, index) => `- name: s${index}\n  version: ${index === 1500 ? version : 1}\n`,
    ).join('');

  it('are edited in one line', () => {
    const result = restore(list(2), list(1), '[name=s1500]/version');
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
