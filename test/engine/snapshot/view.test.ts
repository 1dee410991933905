import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODE, type TreeView, type Write } from '../../../engine/model/index.ts';
import { overlayView, walkFiles } from '../../../engine/snapshot/view.ts';
import { runs } from '../../helpers/run/proof.ts';
import { blobId, type Held, memoryTree } from '../../helpers/trees/memory-tree.ts';

/** Names that sort differently as files and folders, and differently in UTF-16 and in bytes. */
const NAMES = ['a', 'a.b', 'a-b', 'b', '\uffee', '\u{1f600}'] as const;
const name = fc.constantFrom(...NAMES);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const mode = fc.constantFrom(MODE.file, MODE.executable, MODE.symlink);
const tree = fc
  .dictionary(path, fc.record({ mode, text: fc.string({ maxLength: 3 }) }), { maxKeys: 10 })
  .map(withoutCollisions);

/** No path may be both a file and a folder. */
function withoutCollisions(files: Record<string, Held>): Record<string, Held> {
  const paths = Object.keys(files);
  const isFolder = (candidate: string) => paths.some((other) => other.startsWith(`${candidate}/`));
  return Object.fromEntries(Object.entries(files).filter(([candidate]) => !isFolder(candidate)));
}

function writesBetween(from: Record<string, Held>, to: Record<string, Held>): Write[] {
  const changed = Object.keys({ ...from, ...to }).filter((key) => from[key] !== to[key]);
  return changed.map((key) => {
    const held = to[key];
    if (held === undefined || typeof held === 'string') return { path: key, after: null };
    const content = Buffer.from(held.text);
    return { path: key, after: { mode: held.mode, id: blobId(content), content } };
  });
}

/** All that can be asked of a view at these paths. Folders of an overlay have no id yet. */
async function seen(view: TreeView, paths: readonly string[]) {
  const answers: unknown[] = [];
  for (const asked of paths) {
    const entry = await view.entry(asked);
    const list = await view.list(asked);
    const bytes = await view.read(asked);
    const shown = [entry, ...list].map(
      (item) => item && { ...item, id: item.mode === MODE.tree ? '' : item.id },
    );
    answers.push({ asked, shown, text: bytes && Buffer.from(bytes).toString() });
  }
  const files = await walkFiles(view, '');
  return { answers, files };
}

describe('a planned tree', () => {
  it('is the tree that writing the plan would make', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (from, to) => {
        const files = Object.fromEntries(
          Object.entries(to).map(([key, held]) => [key, same(from[key], held) ? (from[key] ?? held) : held]),
        );
        const base = memoryTree(from);
        const planned = overlayView(base.view, throwing(base.reader.blob), writesBetween(from, files));
        const paths = [
          ...new Set(['', 'nowhere', ...Object.keys({ ...from, ...files }).flatMap(ancestors)]),
        ].filter((candidate) => !hidden(candidate, files));
        expect(await seen(planned, paths)).toEqual(await seen(memoryTree(files).view, paths));
      }),
      { numRuns: runs(500, 100) },
    );
  });

  it('reads an object that is there already through the reader', async () => {
    const base = memoryTree({ 'a/x': 'old', 'b/y': 'other' });
    const id = blobId(Buffer.from('other'));
    const planned = overlayView(base.view, throwing(base.reader.blob), [
      { path: 'a/x', after: { mode: MODE.file, id } },
      { path: 'a/link', after: { mode: MODE.symlink, id } },
    ]);
    expect(Buffer.from((await planned.read('a/x')) ?? []).toString()).toBe('other');
    expect(await planned.read('a/link')).toBeNull();
    expect(await planned.read('a')).toBeNull();
  });

  it('asks the tree below for nothing that it does not need', async () => {
    const base = memoryTree({ 'a/x': '1', 'b/y/z': '1', c: '1' });
    const planned = overlayView(base.view, throwing(base.reader.blob), [{ path: 'a/x', after: null }]);
    expect((await planned.list('')).map((entry) => entry.name)).toEqual(['b', 'c']);
    expect(base.reads).toEqual(['list ', 'list a']);
  });
});

const same = (a: Held | undefined, b: Held) => JSON.stringify(a) === JSON.stringify(b);
const ancestors = (file: string) =>
  file.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
/** Below what is a file now, the base may still have a folder: nobody asks there. */
const hidden = (candidate: string, files: Record<string, Held>) =>
  Object.keys(files).some((file) => candidate.startsWith(`${file}/`));
const throwing = (blob: (id: string) => Promise<Uint8Array>) => ({
  blob,
  tree: () => Promise.reject(new Error('No tree is read by id.')),
  commit: () => Promise.reject(new Error('No commit is read.')),
});
