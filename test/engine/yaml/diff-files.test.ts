import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { differenceOf, diffFields, unifiedDiff } from '../../../engine/yaml/diff/diff.ts';
import { documentWithSecret, secret } from '../../helpers/trees/secrets.ts';
import { runs } from '../../helpers/run/proof.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const numbers = (factor: number) =>
  Array.from({ length: 40_000 }, (_, i) => `${(i * factor) % 9973}`).join('\n');

describe('unifiedDiff', () => {
  it('shows a changed secret as a changed line', () => {
    expect(unifiedDiff({ path: 'a.env', before: 'A=1\nPASSWORD=h1\n', after: 'A=1\nPASSWORD=h2\n' })).toBe(
      '--- a/a.env\n+++ b/a.env\n@@ -1,2 +1,2 @@\n A=1\n-PASSWORD=***\n+PASSWORD=*** (changed)\n',
    );
  });

  it('shows no line for a secret that stayed', () => {
    expect(unifiedDiff({ path: 'a.env', before: 'PASSWORD=h1\nA=1\n', after: 'PASSWORD=h1\nA=2\n' })).toBe(
      '--- a/a.env\n+++ b/a.env\n@@ -1,2 +1,2 @@\n PASSWORD=***\n-A=1\n+A=2\n',
    );
  });

  it('says so where secrets changed places', () => {
    const diff = unifiedDiff({
      path: 'a.env',
      before: 'PASSWORD=h1\nPASSWORD=h2\n',
      after: 'PASSWORD=h2\nPASSWORD=h1\n',
    });
    expect(diff).toBe('--- a/a.env\n+++ b/a.env\nOnly masked values changed their places.\n');
  });

  it('shows a file that came or went, and nothing for equal texts', () => {
    expect(unifiedDiff({ path: 'a', before: null, after: 'x\n' })).toBe(
      '--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+x\n',
    );
    expect(unifiedDiff({ path: 'a', before: 'x\n', after: null })).toBe(
      '--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n',
    );
    expect(unifiedDiff({ path: 'a', before: 'x', after: 'x' })).toBe('');
  });

  it('lets no path forge a line', () => {
    const diff = unifiedDiff({ path: 'a\n+++ forged', before: 'x\n', after: 'y\n' });
    expect(diff.split('\n').slice(0, 2)).toEqual([
      String.raw`--- "a/a\n+++ forged"`,
      String.raw`+++ "b/a\n+++ forged"`,
    ]);
  });

  it('keeps every line of what has little in common', () => {
    const diff = unifiedDiff({ path: 'a.txt', before: numbers(7919), after: numbers(104_729) });
    expect(diff.split('\n').length).toBeGreaterThan(70_000);
  });
});

describe('differenceOf', () => {
  it('compares YAML and JSON by fields', () => {
    const fields = [{ selector: '/a', op: 'replace', before: '1', after: '2' }];
    for (const path of ['x.yaml', 'x.yml', 'x.json', 'tags/production/api']) {
      const difference = differenceOf({ path, before: bytes('{"a": 1}'), after: bytes('{"a": 2}') });
      expect(difference).toEqual({ path, change: 'modified', fields });
    }
  });

  it('adds the lines where only layout or comments differ', () => {
    const difference = differenceOf({ path: 'x.yaml', before: bytes('a: 1 # x\n'), after: bytes('a: 1\n') });
    expect(difference.fields).toEqual([]);
    expect(difference.diff).toContain('-a: 1 # x\n+a: 1\n');
  });

  it.each([
    ['x.txt', 'a: 1\n', 'a: 2\n'],
    ['x.yaml', 'a: [\n', 'a: 2\n'],
    ['VERSION', 'one\n', 'two\n'],
    ['.env', 'A: 1\n', 'A: 2\n'],
  ])('compares %s by lines', (path, before, after) => {
    const difference = differenceOf({ path, before: bytes(before), after: bytes(after) });
    expect(difference.fields).toBeUndefined();
    expect(difference.diff).toContain(`-${before}+${after}`);
  });

  it('says of bytes that are no text that they differ', () => {
    const wanted = { path: 'x.yaml', change: 'modified', diff: 'Binary files differ\n' };
    expect(differenceOf({ path: 'x.yaml', before: bytes('a: 1'), after: new Uint8Array([0xff]) })).toEqual(
      wanted,
    );
    expect(differenceOf({ path: 'x.yaml', before: bytes('a: \0'), after: bytes('a: 1') })).toEqual(wanted);
  });

  it('says whether the file came, went or changed', () => {
    expect(differenceOf({ path: 'x.yaml', before: null, after: bytes('a: 1') }).change).toBe('added');
    expect(differenceOf({ path: 'x.yaml', before: bytes('a: 1'), after: null }).change).toBe('removed');
  });
});

describe('no secret gets through', () => {
  it('in a difference by fields or by lines, whatever changed around it', () => {
    fc.assert(
      fc.property(documentWithSecret, documentWithSecret, secret, (one, other, value) => {
        const pairs = [
          [one, other],
          [one, null],
          [null, one],
          [{ a: one }, { a: other, password: value }],
          [{ a: [one, other] }, { a: [other, one] }],
        ] as const;
        for (const [before, after] of pairs) {
          for (const write of [(v: unknown) => stringify(v), (v: unknown) => JSON.stringify(v, null, 2)]) {
            const sides = { before: before && write(before), after: after && write(after) };
            expect(JSON.stringify(diffFields(sides))).not.toContain('Zq7');
            expect(unifiedDiff({ path: 'a.yaml', ...sides })).not.toContain('Zq7');
          }
        }
      }),
      { numRuns: runs(200) },
    );
  });
});
