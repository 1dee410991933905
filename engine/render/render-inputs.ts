/** The inputs that a rendering read: if they are equal in another tree, so is the result. */
import { MODE, type TreeEntry, type TreeView } from '../model/index.ts';
import { compareText } from './value.ts';

export interface RenderInputs {
  /** Paths read, existing or not. */
  readonly paths: Set<string>;
  /** Folders listed. */
  readonly folders: Set<string>;
}

export function recordInputs(view: TreeView): { view: TreeView; seen: RenderInputs } {
  const seen: RenderInputs = { paths: new Set(), folders: new Set() };
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

export interface InputDifference {
  /** Whether a rendering of the other tree would read the same inputs. */
  readonly same: boolean;
  /** Files among the inputs that differ, sorted. */
  readonly paths: readonly string[];
}

export async function differenceOfInputs(
  { paths, folders }: RenderInputs,
  one: TreeView,
  other: TreeView,
): Promise<InputDifference> {
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

/** Ignores ids of folders: a planned folder has none, and what was read inside is recorded itself. */
const contentOf = (entry: TreeEntry | null) =>
  entry && (entry.mode === MODE.tree ? entry.mode : `${entry.mode} ${entry.id}`);

const names = (entries: readonly TreeEntry[]) =>
  JSON.stringify(
    entries.map(({ name, mode }) => [name, mode]).sort(([a = ''], [b = '']) => compareText(a, b)),
  );
