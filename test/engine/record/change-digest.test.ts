import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Entry, PathChange } from '../../../engine/model/index.ts';
import { changeDigest, sumOf } from '../../../engine/record/change-digest.ts';
import { hasher } from '../../../scripts/fixtures/files.ts';

const entry = (digit: string, mode = '100644'): Entry => ({ mode, id: digit.repeat(40) });
const change = (path: string, before: Entry | null, after: Entry | null): PathChange => ({
  path,
  before,
  after,
});
const [one, two, three] = ['1', '2', '3'].map((digit) => entry(digit));
if (!one || !two || !three) throw new Error('three were made');

describe('the digest of what a commit changes', () => {
  it('is over a line for each path, mode and blob', () => {
    const text = `a\0-\0-\nb\0${one.mode}\0${one.id}\n`;
    const expected = createHash('sha256').update(text).digest('hex');
    const changes = [change('b', two, one), change('a', one, null)];
    expect(changeDigest(hasher, changes)).toBe(`sha256:${expected}`);
    expect(changeDigest(hasher, changes.toReversed())).toBe(`sha256:${expected}`);
  });

  it('sorts paths by their bytes, and keeps those that are not UTF-8 apart', () => {
    const paths = ['\uffff', '\u{10000}', 'a/b', 'a', 'a-', 'caf\udce9', 'caf\udce8'];
    const of = (names: readonly string[]) =>
      changeDigest(
        hasher,
        names.map((name) => change(name, null, one)),
      );
    expect(of(paths)).toBe(of(paths.toSorted()));
    expect(new Set(paths.map((name) => of([name]))).size).toBe(paths.length);
  });

  it('tells modes, contents and paths from each other, and not what was there before', () => {
    const base = changeDigest(hasher, [change('a', null, one)]);
    expect(changeDigest(hasher, [change('a', two, one)])).toBe(base);
    for (const other of [
      change('b', null, one),
      change('a', null, two),
      change('a', null, entry('1', '100755')),
    ])
      expect(changeDigest(hasher, [other])).not.toBe(base);
  });
});

describe('the whole of what commits change one after the other', () => {
  it('has the last content of each path, and none that ends as it began', () => {
    const first = [
      change('a', one, two),
      change('b', null, one),
      change('c', one, null),
      change('d', one, two),
    ];
    const second = [
      change('a', two, three),
      change('b', one, null),
      change('c', null, one),
      change('e', null, one),
    ];
    expect(sumOf([first, second])).toEqual([
      change('a', one, three),
      change('d', one, two),
      change('e', null, one),
    ]);
  });

  it('is nothing of nothing', () => {
    expect(sumOf([])).toEqual([]);
    expect(sumOf([[change('a', one, two)], [change('a', two, one)]])).toEqual([]);
  });

  it('is that of both trees, whatever happened in between', () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    const sides = [null, one, two, three, entry('1', '100755')];
    for (let round = 0; round < 200; round += 1) {
      const trees = Array.from({ length: 4 }, () =>
        ['a', 'b', 'c'].map(() => sides[random(sides.length)] ?? null),
      );
      const between = (from: number, to: number) =>
        ['a', 'b', 'c'].flatMap((path, at) => {
          const [before, after] = [trees[from]?.[at] ?? null, trees[to]?.[at] ?? null];
          return before === after ? [] : [change(path, before, after)];
        });
      const steps = sumOf([between(0, 1), between(1, 2), between(2, 3)]);
      expect(changeDigest(hasher, steps)).toBe(changeDigest(hasher, between(0, 3)));
    }
  });
});
