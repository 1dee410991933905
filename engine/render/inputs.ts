/** What a rendering looked at: where that is the same in another tree, the rendering is. */
import { MODE, type TreeEntry, type TreeView } from '../model/index.ts';
import { compareText } from './value.ts';

export interface Seen {
  /** Paths asked for, whether there was anything or not. */
  readonly paths: Set<string>;
  /** Folders listed. */
  readonly folders: Set<string>;
}

export function watched(view: TreeView): { view: TreeView; seen: Seen } {
  const seen: Seen = { paths: new Set(), folders: new Set() };
  return {
    seen,
    view: {
      entry: (path) => {
        seen.paths.add(path);
        return view.entry(path);
      },
      list: (path) => {
        seen.folders.add(path);
        return view.list(path);
      },
      read: (path) => {
        seen.paths.add(path);
        return view.read(path);
      },
    },
  };
}

export interface SeenDifference {
  /** Would a rendering of the other tree look at anything else? */
  readonly same: boolean;
  /** Files among what was looked at that differ, in order. */
  readonly paths: readonly string[];
}

export async function differenceOfSeen(
  { paths, folders }: Seen,
  one: TreeView,
  other: TreeView,
): Promise<SeenDifference> {
  const differing: string[] = [];
  for (const path of paths) {
    const [a, b] = [await one.entry(path), await other.entry(path)];
    if (contentOf(a) !== contentOf(b)) differing.push(path);
  }
  let same = differing.length === 0;
  for (const folder of same ? folders : [])
    same &&= names(await one.list(folder)) === names(await other.list(folder));
  return { same, paths: differing.sort(compareText) };
}

/** A folder's own id says nothing: a planned one has none, and what is read of it is asked for by itself. */
const contentOf = (entry: TreeEntry | null) =>
  entry && (entry.mode === MODE.tree ? entry.mode : `${entry.mode} ${entry.id}`);

const names = (entries: readonly TreeEntry[]) =>
  JSON.stringify(
    entries.map(({ name, mode }) => [name, mode]).sort(([a = ''], [b = '']) => compareText(a, b)),
  );
