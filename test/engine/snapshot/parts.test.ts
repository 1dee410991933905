import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileLayout } from '../../../engine/layout/layout.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import type { Entry, HistoryReader, ObjectReader } from '../../../engine/model/index.ts';
import { makeSnapshot } from '../../../engine/snapshot/snapshot.ts';
import { parseSelector } from '../../../engine/yaml/core/selector.ts';
import { blobId, hasher } from '../../helpers/trees/memory-tree.ts';
import { runs } from '../../helpers/run/proof.ts';

const CONFIG = parseConfig(
  'version: 1\nlayout:\n  service:\n    - values-{environment}.yaml#/apps[name={service}]\n',
  'c.yaml',
);
const WANTED = {
  path: 'values-prod.yaml',
  selector: parseSelector('/apps[name={service}]'),
  bindings: { environment: 'prod' },
  kept: [],
};

/** Parts are read through a snapshot of nothing but two blobs. */
function partsOf(texts: readonly string[]) {
  const blobs = new Map(texts.map((text) => [idOf(text), new TextEncoder().encode(text)]));
  const reader: ObjectReader = {
    blob: async (id) => blobs.get(id) ?? new Uint8Array(),
    commit: unread,
    tree: unread,
  };
  const history: HistoryReader = {
    shallow: false,
    log: unread,
    changed: unread,
    recorded: unread,
    firstParents: unread,
    isOnLine: unread,
    firstParentBefore: unread,
    findCommit: unread,
    named: unread,
    renames: unread,
  };
  const snapshot = makeSnapshot({
    branch: 'main',
    base: '0'.repeat(40),
    layout: compileLayout(CONFIG),
    reader,
    history,
    hasher,
  });
  const read = (text: string, like: string | null = null) =>
    snapshot.parts(entryOf(text), { ...WANTED, like: like === null ? null : entryOf(like) });
  return read;
}

const unread = (): never => {
  throw new Error('Parts are read from blobs alone.');
};
const idOf = (text: string) => blobId(new TextEncoder().encode(text));
const entryOf = (text: string): Entry => ({ mode: '100644', id: idOf(text) });

const scalar = fc.constantFrom(
  '1',
  '1.2',
  'v1.2.3',
  '"q"',
  "'q'",
  'a:b',
  'x # c',
  '|',
  '*base',
  '&n v',
  '',
  '{a: 1}',
  '- x',
  'on',
);
const key = fc.constantFrom('version', 'image', '"q"', 'tag', 'notes', 'name');
const simple = fc.constantFrom('1', '1.2', 'web', '"q"', 'v2', "'x'");
const fields = (indent: string) =>
  fc
    .array(fc.tuple(key, fc.oneof({ weight: 6, arbitrary: simple }, scalar)), { maxLength: 3 })
    .map((pairs) => pairs.map(([name, value]) => `${indent}${name}: ${value}`));
const block = fc.constantFrom<string[]>(
  [],
  ['    text: |', '      version: 1', '      more', ''],
  ['    folded: >+', '      image: a', '', ''],
);
const item = fc
  .tuple(fc.constantFrom('web', 'api', 'db', 'cron'), fields('    '), block, fields('    '))
  .map(([name, before, text, after]) => [`  - name: ${name}`, ...before, ...text, ...after]);
const document = fc
  .tuple(fields(''), fc.array(item, { minLength: 1, maxLength: 4 }), fields(''))
  .map(([top, items, bottom]) => [...top, 'apps:', ...items.flat(), ...bottom]);

describe('the parts of a version', () => {
  it('are those that taking it apart finds, whatever the version beside it was', async () => {
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(
        document,
        fc.array(fc.tuple(fc.nat(), fc.oneof(simple, scalar)), { minLength: 1, maxLength: 3 }),
        async (lines, edits) => {
          const others = [...lines];
          for (const [at, value] of edits) {
            const index = at % lines.length;
            others[index] = (others[index] ?? '').replace(/: .*$/, `: ${value}`);
          }
          const [text, other] = [`${lines.join('\n')}\n`, `${others.join('\n')}\n`];
          const read = partsOf([text, other]);
          const [before, beside] = [await read(text), await read(other, text)];
          expect(beside).toEqual(await partsOf([other])(other));
          if (before.some(({ source }, index) => source !== beside[index]?.source)) changed += 1;
        },
      ),
      { numRuns: runs(600, 50) },
    );
    expect(changed).toBeGreaterThan(30);
  });
});
