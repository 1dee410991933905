/** The files that a program gets to see, taken from a tree one by one and counted. */
import {
  BacktrailError,
  isFailure,
  isSafePath,
  MODE,
  quotePath,
  type TreeEntry,
  type TreeView,
} from '../model/index.ts';

const MAX_FILES = 5_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Why a path cannot be had: the end of a sentence that begins with the path. */
type Refuse = (problem: string) => BacktrailError;

export interface Gathered {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What stands at a path that a reference names; a link on the way there is refused. */
  entry(path: string, refuse: Refuse): Promise<TreeEntry | null>;
  /** Takes a file along and gives its bytes. */
  take(path: string, refuse: Refuse): Promise<Uint8Array>;
}

export function gather(view: TreeView): Gathered {
  const files = new Map<string, Uint8Array>();
  let size = 0;
  const entry: Gathered['entry'] = async (path, refuse) => {
    if (path === '') return view.entry('');
    if (!isSafePath(path)) throw refuse('is no path that may be checked out.');
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) {
      const above = await view.entry(names.slice(0, depth).join('/'));
      if (above?.mode === MODE.symlink)
        throw refuse('lies behind a symbolic link, and links are not followed.');
      if (above?.mode !== MODE.tree) return null;
    }
    return view.entry(path);
  };
  return {
    files,
    entry,
    take: async (path, refuse) => {
      const known = files.get(path);
      if (known) return known;
      const found = await entry(path, refuse);
      if (found === null) throw refuse('does not exist.');
      if (found.mode === MODE.symlink) throw refuse('is a symbolic link, and links are not followed.');
      if (found.mode === MODE.submodule) throw refuse('is a submodule, whose files are not here.');
      if (found.mode === MODE.tree) throw refuse('is a folder, where a file is wanted.');
      const bytes = (await readFile(view, path, refuse)) ?? new Uint8Array();
      size += bytes.byteLength;
      if (files.size >= MAX_FILES) throw tooMuch(`more than ${MAX_FILES} files`, path);
      if (size > MAX_BYTES) throw tooMuch(`more than ${MAX_BYTES / 1024 / 1024} MB`, path);
      files.set(path, bytes);
      return bytes;
    },
  };
}

async function readFile(view: TreeView, path: string, refuse: Refuse): Promise<Uint8Array | null> {
  try {
    return await view.read(path);
  } catch (error) {
    if (isFailure(error) && error.code === 'FILE_TOO_LARGE') throw refuse('is too large.');
    throw error;
  }
}

const tooMuch = (what: string, path: string) =>
  new BacktrailError('RENDER_FAILED', `Rendering would need ${what}, at ${quotePath(path)}.`, {
    details: { path },
  });

/** A relative reference from a folder, as a path from the root; null where it leaves the repository. */
export function resolvePath(folder: string, reference: string): string | null {
  const names = folder === '' ? [] : folder.split('/');
  for (const name of reference.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.join('/');
}
