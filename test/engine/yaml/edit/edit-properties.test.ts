import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restoreField } from '../../../../engine/yaml/edit/edit.ts';
import { formatSelector, type Selector } from '../../../../engine/yaml/core/selector.ts';
import {
  anyFile,
  anyTree,
  isRemovable,
  placesIn,
  selectorOf,
  type Tree,
  withChange,
  writeTree,
} from '../../../helpers/trees/yaml-trees.ts';
import { valuesOf } from '../../../helpers/trees/yaml-leaves.ts';
import { runs } from '../../../helpers/run/proof.ts';

const seed = fc.integer({ min: 0, max: 1_000_000 });
const whole = { right: 0, refused: 0 };
const counts = { right: 0, refused: new Map<string, number>() };

describe('restoring one field of any file', () => {
  const cases = fc.record({
    common: anyFile,
    at: fc.nat(),
    value: fc.option(anyTree.tree, { nil: null, freq: 6 }),
    elsewhere: fc.nat(),
    noise: anyTree.tree,
    seeds: fc.tuple(seed, seed),
    direction: fc.boolean(),
  });

  it('gives the value that the same change gives, and changes no line outside of the field', () => {
    fc.assert(
      fc.property(cases, ({ common, at, value, elsewhere, noise, seeds, direction }) => {
        const places = placesIn(common);
        const path = places[at % places.length] ?? [];
        // Something else changed too, which must stay as it is in the base.
        const other = places.filter((place) => !isRelated(place, path))[elsewhere % places.length];
        const next = value ?? (isRemovable(common, path) ? null : noise);
        const changed = withChange(common, path, next);
        const [baseTree, wanted] = direction ? [common, changed] : [changed, common];
        const target = other ? withChange(wanted, other, noise) : wanted;
        const selector = next ? path.map(toStep) : selectorOf(common, path);
        check({ baseTree, target, wanted, path, selector, seeds });
      }),
      { numRuns: runs(4000, 100) },
    );
    const refused = [...counts.refused.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `generated files: ${counts.right} right, refused: ${JSON.stringify(Object.fromEntries(counts.refused))}\n`,
    );
    expect(refused).toBeLessThan((counts.right + refused) * 0.1);
  });
});

describe('restoring a whole file by its fields', () => {
  const cases = fc.record({
    common: anyFile,
    changes: fc.array(fc.record({ at: fc.nat(), value: fc.option(anyTree.tree, { nil: null }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    seeds: fc.tuple(seed, seed),
  });

  it('gives the values of the old file, and its own text where nothing differs', () => {
    fc.assert(
      fc.property(cases, ({ common, changes, seeds }) => {
        const changed = changes.reduce((tree, { at, value }) => {
          const places = placesIn(tree);
          return places.length === 0 ? tree : withChange(tree, places[at % places.length] ?? [], value);
        }, common);
        const base = writeTree(common, seeds[0]).text;
        const target = writeTree(changed, seeds[1]).text;
        const result = restoreField({ base, target, selector: [] });
        const text = result.ok ? result.text : target;
        expect(valuesOf(text)).toEqual(valuesOf(target));
        expect(valuesOf(text, '1.1')).toEqual(valuesOf(target, '1.1'));
        expect(result.ok && result.changed).toBe(text !== base && result.ok);
        whole[result.ok ? 'right' : 'refused'] += 1;
      }),
      { numRuns: runs(1500, 40) },
    );
    process.stdout.write(`generated files as a whole: ${JSON.stringify(whole)}\n`);
    expect(whole.refused).toBeLessThan(whole.right * 0.1);
  });
});

const toStep = (step: string | number) => (typeof step === 'number' ? { index: step } : { key: step });

const isRelated = (a: readonly unknown[], b: readonly unknown[]) => {
  const length = Math.min(a.length, b.length);
  // Items of the same list are found by their index here, which a change of another item may move.
  return a.slice(0, length).every((step, index) => step === b[index] || typeof step === 'number');
};

interface Case {
  readonly baseTree: Tree;
  readonly target: Tree;
  readonly wanted: Tree;
  readonly path: readonly (string | number)[];
  readonly selector: Selector;
  readonly seeds: readonly [number, number];
}

function check({ baseTree, target, wanted, path, selector, seeds }: Case): void {
  const base = writeTree(baseTree, seeds[0]);
  const old = writeTree(target, seeds[1]);
  const result = restoreField({ base: base.text, target: old.text, selector });
  if (!result.ok) {
    counts.refused.set(result.reason, (counts.refused.get(result.reason) ?? 0) + 1);
    return;
  }
  counts.right += 1;
  expect(valuesOf(result.text)).toEqual(valuesOf(writeTree(wanted, 0).text));
  expect(valuesOf(result.text, '1.1')).toEqual(valuesOf(writeTree(wanted, 0).text, '1.1'));
  const own = base.lines.get(JSON.stringify(path));
  const added =
    result.operations.find((operation) => operation.selector === formatSelector(selector))?.op === 'add';
  if (added) expectLinesIn(base.text, result.text);
  else if (own) expectLinesKept(base.text, result.text, own);
  expect(result.changed).toBe(result.text !== base.text);
}

const linesOf = (text: string) =>
  text
    .replace('\uFEFF', '')
    .split(/\r?\n/)
    .map((line) => line.replace(/^[ -]+/, ''));

/** Every line that was there is there still; the line of a parent that was empty aside. */
function expectLinesIn(base: string, result: string): void {
  const lines = linesOf(result);
  for (const line of linesOf(base)) {
    const found = lines.indexOf(line);
    if (found >= 0) lines.splice(found, 1);
    else expect(line).toMatch(/[:-] *(null|~|\{\}|\[\])? *(#.*)?$|[}\]]/);
  }
}

// Where the first key on the line of a `-` goes, the next key takes its place there.
const dash = (line: string, index: number) => (index === 0 ? line.replace(/^[ -]+/, '') : line);

/** Everything above the field's first line and below its last one is there still, comments directly above it aside. */
function expectLinesKept(base: string, result: string, [start, end]: readonly [number, number]): void {
  expect(result.startsWith('\uFEFF')).toBe(base.startsWith('\uFEFF'));
  const [before = [], after = []] = [base, result].map((text) => text.replace('\uFEFF', '').split(/\r?\n/));
  if (base.includes('\r\n')) expect(result.replaceAll('\r\n', '')).not.toContain('\n');
  const tail = before.slice(end);
  while (tail[0]?.trim() === '') tail.shift();
  expect(after.slice(after.length - tail.length).map(dash)).toEqual(tail.map(dash));
  let head = start;
  // The key's own line changes where the last entry below it goes; a comment above goes with the field.
  while (
    head > 0 &&
    (before[head - 1]?.trim().startsWith('#') || /[:-]\s*(#.*)?$/.test(before[head - 1]?.trim() ?? ''))
  )
    head -= 1;
  expect(after.slice(0, head)).toEqual(before.slice(0, head));
}
