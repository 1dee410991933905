/** What is kept of one version of a file, told from what is kept of another. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { compileLayout } from '../../../engine/layout/layout.ts';
import type { HistoryReader, ObjectReader } from '../../../engine/model/index.ts';
import { makeSnapshot } from '../../../engine/snapshot/snapshot.ts';
import { blobId, hasher } from '../../helpers/trees/memory-tree.ts';
import { runs } from '../../helpers/run/proof.ts';

const CONFIG = parseConfig('version: 1\nlayout:\n  environment: ["{environment}/**"]\n', 'c.yaml');

function snapshotOf(texts: readonly string[]) {
  const blobs = new Map(texts.map((text) => [idOf(text), new TextEncoder().encode(text)]));
  const unread = () => Promise.reject(new Error('nothing but files is read'));
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
  return makeSnapshot({
    branch: 'main',
    base: '0'.repeat(40),
    layout: compileLayout(CONFIG),
    reader,
    history,
    hasher,
  });
}

const idOf = (text: string) => blobId(new TextEncoder().encode(text));
const entryOf = (text: string) => ({ mode: '100644', id: idOf(text) });

const key = fc.constantFrom('kind', 'name', 'tag', 'sops', 'mac', 'metadata', 'items', 'apiVersion');
const value = fc.constantFrom(
  'Secret',
  'Deployment',
  'kind:Secret',
  'my-sops',
  'v1',
  '2',
  'List',
  '"v1"',
  '&a v1',
);
const line = fc
  .tuple(fc.constantFrom('', '  ', '- ', '    '), key, value, fc.boolean())
  .map(([indent, name, of, isOpen]) => (isOpen ? `${indent}${name}:` : `${indent}${name}: ${of}`));
const other = fc.constantFrom('---', '', '{{ x }}', 'text: |', 'encrypted: ENC[AES256_GCM,x]', '*a', '}');
const version = fc.array(fc.oneof({ weight: 5, arbitrary: line }, other), { minLength: 1, maxLength: 7 });

/** Another version: the values of some lines are others. */
const pair = version.chain((lines) =>
  fc.array(fc.option(value), { minLength: lines.length, maxLength: lines.length }).map((values) => {
    const changed = lines.map((text, at) => {
      const to = values[at] ?? null;
      return to === null ? text : text.replace(/: .*$/, `: ${to}`);
    });
    return [lines.join('\n'), changed.join('\n')] as const;
  }),
);

describe('what is kept of a file', () => {
  it('is the same whether another version of it is known or not', async () => {
    await fc.assert(
      fc.asyncProperty(pair, fc.constantFrom('a.yaml', 'a.yaml.tpl', 'a.txt'), async ([one, two], path) => {
        const known = snapshotOf([one, two]);
        await known.kept(path, entryOf(one));
        const told = await known.kept(path, entryOf(two), entryOf(one));
        expect(told).toEqual(await snapshotOf([two]).kept(path, entryOf(two)));
      }),
      { numRuns: runs(3000, 200) },
    );
  });
});
