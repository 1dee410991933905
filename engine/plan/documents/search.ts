/** Looks for objects in the tree as it would be after a plan. Only what a check is about to complain of is looked for. */
import { MODE, type TreeView } from '../../model/index.ts';
import { type FileEntry, isFile, overlayView } from '../../snapshot/view.ts';
import { environmentFolder, foldersOf } from '../../layout/layout.ts';
import type { CheckInput } from '../check-input.ts';
import { isStructured } from './documents.ts';
import { type Manifest, manifestOf } from './manifests.ts';

/** Files of an environment that are looked into; more are too many to be sure. */
const MOST = 2000;

export interface Wanted {
  /** Texts that a file with the object holds: what has not all of them is not parsed. */
  readonly words: readonly string[];
  readonly matches: (manifest: Manifest) => boolean;
  /** The same of a document, whatever it is. */
  readonly also?: (value: unknown) => boolean;
  /** In the environment alone: what another one has is another object. */
  readonly near?: boolean;
}

type Found = 'found' | 'missing' | 'unsure';

/**
 * Looks in the environment first, then in all of the tree, as far as that is small enough. `unsure`: a file that may hold it cannot be taken
 * apart, or the environment alone has more files than can be looked into.
 */
export async function searchPlanned(input: CheckInput, wanted: Wanted): Promise<Found> {
  const { snapshot, plan } = input;
  const view = overlayView(await snapshot.view(snapshot.base), snapshot.reader, plan.files);
  const near = await searchBelow(input, view, roots(snapshot.layout, plan.scope), wanted);
  if (near !== 'missing' || wanted.near === true) return near;
  return (await searchBelow(input, view, [''], wanted)) === 'found' ? 'found' : 'missing';
}

async function searchBelow(
  { plan, documents }: CheckInput,
  view: TreeView,
  folders: readonly string[],
  { words, matches, also = () => false }: Wanted,
): Promise<Found> {
  const changed = new Map(plan.files.map(({ path, after }) => [path, after]));
  let looked = 0;
  let isSure = true;
  for (const folder of folders)
    for await (const { path, ...entry } of filesBelow(view, folder)) {
      if (!isFile(entry.mode)) continue;
      looked += 1;
      if (looked > MOST) return 'unsure';
      if (!isStructured(path)) continue;
      const side = changed.get(path) ?? entry;
      const text = await documents.text(side);
      if (text === null || !words.every((word) => text.includes(word))) continue;
      const values = await documents.read(path, side);
      if (values === null) isSure = false;
      for (const value of values ?? []) {
        const manifest = manifestOf(path, value);
        if ((manifest !== null && matches(manifest)) || also(value)) return 'found';
      }
    }
  return isSure ? 'missing' : 'unsure';
}

/** One after the other, so that a large tree need not be read to its end. */
async function* filesBelow(view: TreeView, path: string): AsyncGenerator<FileEntry> {
  for (const { name, mode, id } of await view.list(path)) {
    const full = path === '' ? name : `${path}/${name}`;
    if (mode === MODE.tree) yield* filesBelow(view, full);
    else yield { path: full, mode, id };
  }
}

/** The folder of the environment, else those of its services. */
function roots(
  layout: CheckInput['snapshot']['layout'],
  { tenant, environment, service }: CheckInput['plan']['scope'],
): string[] {
  const names = { ...(tenant !== undefined && { tenant }), environment };
  const folder = environmentFolder(layout, names);
  if (folder !== '') return [folder];
  return foldersOf([...layout.environment, ...layout.service], {
    ...names,
    ...(service !== undefined && { service }),
  });
}
