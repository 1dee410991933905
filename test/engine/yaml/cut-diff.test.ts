import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortenDiff } from '../../../engine/yaml/diff/shorten-diff.ts';
import { unifiedDiff } from '../../../engine/yaml/diff/unified.ts';
import { runs } from '../../helpers/run/proof.ts';

const numbers = (factor: number) =>
  Array.from({ length: 40_000 }, (_, i) => `${(i * factor) % 9973}`).join('\n');
const cut = (before: string, after: string) =>
  shortenDiff(unifiedDiff({ path: 'a.txt', before, after }), '--full shows all');
const changed = (diff: string) => diff.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line));

describe('a cut difference', () => {
  it('cuts what is too long, and counts what changes in it', () => {
    const diff = cut(numbers(7919), numbers(104_729));
    expect(diff.split('\n').length).toBeLessThan(2010);
    const [, more, changes] =
      /… (\d+) more lines, (\d+) of them changed \(--full shows all\)\n$/.exec(diff) ?? [];
    expect(Number(more)).toBeGreaterThan(70_000);
    expect(Number(changes)).toBeGreaterThan(70_000);
    expect(cut('x', 'y'.repeat(1_000_000)).length).toBeLessThan(1000);
    expect(cut('x', 'y'.repeat(1_000_000))).toContain('… (999500 more characters differ; --full shows all)');
  });

  it('counts only the lines that change', () => {
    const context = Array.from({ length: 5000 }, (_, i) => ` line ${i}`);
    const diff = ['@@ -1,5001 +1,5002 @@', ...context, '-old', '+new', '+more', ''].join('\n');
    expect(shortenDiff(diff, 'see')).toMatch(/… 3004 more lines, 3 of them changed \(see\)\n$/);
  });

  it('shows each place where long lines differ, and leaves out what they share', () => {
    const line = (...words: string[]) => words.map((word) => `${'x'.repeat(400)} ${word} `).join('');
    const [old, now] = changed(cut(line('a1', 'b1', 'c1'), line('a2', 'b2', 'c2')));
    for (const word of ['a', 'b', 'c']) {
      expect(old).toContain(`x ${word}1 x`.slice(0, 4));
      expect(now).toContain(`x ${word}2 x`.slice(0, 4));
    }
    expect(old?.length).toBeLessThan(500);
    expect(old).toMatch(/^-…x+ a1 x+…x+ b1 x+…x+ c1 $/);
  });

  it('shows long lines without partners by their beginning, and how much more there is', () => {
    const diff = shortenDiff(`@@ -1,1 +1,2 @@\n a\n+${'y'.repeat(600)}\n`, 'see');
    expect(diff).toContain(`+${'y'.repeat(499)}… (101 more characters; see)`);
    expect(shortenDiff(`@@ -1,1 +1,1 @@\n ${'y'.repeat(600)}\n`, 'see')).toMatch(/ y{499}…\n$/);
  });

  it('pairs lines across the note on a missing line end', () => {
    const [old, now] = changed(cut(`${'x'.repeat(600)}1`, `${'x'.repeat(600)}2`));
    expect([old, now]).toEqual([`-…${'x'.repeat(40)}1`, `+…${'x'.repeat(40)}2`]);
  });

  it('never cuts a character in two, nor hides that one is another', () => {
    const [old, now] = changed(cut(`${'x'.repeat(600)}\u{1f600}\n`, `${'x'.repeat(600)}\u{1f601}\n`));
    expect(old).toMatch(/x\u{1f600}$/u);
    expect(now).toMatch(/x\u{1f601}$/u);
  });

  it('leaves a short difference as it is', () => {
    const diff = unifiedDiff({ path: 'a.txt', before: 'a\nb\n', after: 'a\nc\n' });
    expect(shortenDiff(diff, 'see')).toBe(diff);
  });

  it('keeps words that changed in sight wherever in a long line they stand', () => {
    const words = fc.array(fc.tuple(fc.integer({ min: 100, max: 2000 }), fc.boolean()), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(words, (places) => {
        const side = (mark: string) =>
          places.map(([gap, differs], i) => `${'.'.repeat(gap)}<${differs ? mark : 'S'}${i}>`).join('');
        const [old = '', now = ''] = changed(cut(`${side('A')}\n`, `${side('B')}\n`));
        for (const [i, [, differs]] of places.entries()) {
          if (!differs) continue;
          expect(old).toContain(`<A${i}>`);
          expect(now).toContain(`<B${i}>`);
        }
      }),
      { numRuns: runs(50, 10) },
    );
  });
});
