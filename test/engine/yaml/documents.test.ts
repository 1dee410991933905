import fc from 'fast-check';
import { expect, it } from 'vitest';
import { restoreField } from '../../../engine/yaml/edit/edit.ts';
import { parseSelector } from '../../../engine/yaml/core/selector.ts';
import { valuesOf } from '../../helpers/trees/yaml-leaves.ts';
import { runs } from '../../helpers/run/proof.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const part = fc.record({
  mark: fc.constantFrom('---\n', '--- # mark\n', '---   \n'),
  lead: fc.constantFrom('', '# about\n', '\n# about\n\n'),
  value: fc.constantFrom('1', '|\n  --- x\n  y', '[1, 2]', '"z"'),
  tail: fc.constantFrom('', '\n', '# end\n'),
});
const file = fc.record({
  top: fc.constantFrom('', '# top\n', '\uFEFF', '\uFEFF# top\n'),
  isMarked: fc.boolean(),
  names: fc.shuffledSubarray(NAMES, { minLength: 1 }).map((names) => names.sort()),
  parts: fc.tuple(part, part, part, part),
  ending: fc.constantFrom('', '\n'),
  eol: fc.constantFrom('\n', '\r\n'),
});
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

const bodyOf = ({ parts }: File, name: string) => {
  const own = parts[NAMES.indexOf(name)];
  return own && `${own.lead}kind: K\nmetadata:\n  name: ${name}\nvalue: ${own.value}\n${own.tail}`;
};

function write(made: File): string {
  const sections = made.names.map((name, index) => {
    const isBare = index === 0 && !made.isMarked;
    return (isBare ? '' : (made.parts[NAMES.indexOf(name)]?.mark ?? '')) + bodyOf(made, name);
  });
  const text = made.top + sections.join('');
  return (made.ending === '' ? text.trimEnd() : text).replaceAll('\n', made.eol);
}

const namesIn = (values: readonly unknown[]) =>
  values.map((value) => /"name":"(\w)"/.exec(JSON.stringify(value))?.[1]);

it('a document that only one side has comes or goes, and every other one stays byte for byte in its place', () => {
  const counts = { done: 0, refused: 0 };
  fc.assert(
    fc.property(file, file, fc.constantFrom(...NAMES), (base, target, name) => {
      fc.pre(base.names.includes(name) !== target.names.includes(name));
      const [before, then] = [write(base), write(target)];
      const result = restoreField({
        base: before,
        target: then,
        selector: parseSelector(`[kind=K,metadata.name=${name}]`),
      });
      if (!result.ok) {
        counts.refused += 1;
        return;
      }
      counts.done += 1;
      const others = base.names.filter((other) => other !== name);
      const values = valuesOf(result.text) ?? [];
      const names = namesIn(values);
      expect(names.filter((own) => own !== name)).toEqual(others);
      // Among the documents that both sides have, it stands where it stood.
      const shared = names.filter((own) => own === name || target.names.includes(own ?? ''));
      expect(shared).toEqual(target.names.filter((own) => names.includes(own)));
      const old = new Map(
        [...(valuesOf(before) ?? []), ...(valuesOf(then) ?? [])].map((value) => [
          JSON.stringify(value),
          value,
        ]),
      );
      for (const value of values) expect(old.has(JSON.stringify(value))).toBe(true);
      for (const other of others) {
        const own = (bodyOf(base, other) ?? '').replace(/^[^]*?(?=kind)/, '').trimEnd();
        expect(result.text).toContain(own.replaceAll('\n', base.eol));
      }
      expect(result.text.startsWith('\uFEFF')).toBe(before.startsWith('\uFEFF'));
      expect(result.text.replaceAll('\r\n', '').includes(base.eol === '\n' ? '\r' : '\n')).toBe(false);
      expect(result.text.endsWith(base.eol) || !before.endsWith('\n')).toBe(true);
    }),
    { numRuns: runs(600, 40) },
  );
  process.stdout.write(`documents: ${counts.done} added or removed, ${counts.refused} refused\n`);
  expect(counts.refused).toBeLessThan(counts.done * 0.2);
});
