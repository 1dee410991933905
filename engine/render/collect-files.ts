/** Collects the files that a program gets, with limits on their number and size. */
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

/** Makes the error for a path; `problem` is the end of a sentence that starts with the path. */
type Refuse = (problem: string) => BacktrailError;

export interface FileCollector {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The entry at a path named by a reference. Refuses a symlink on the way. */
  entry(path: string, refuse: Refuse): Promise<TreeEntry | null>;
  /** Adds a file and returns its content. */
  take(path: string, refuse: Refuse): Promise<Uint8Array>;
}

export function collectFiles(view: TreeView): FileCollector {
  const files = new Map<string, Uint8Array>();
  let size = 0;
  const entry: FileCollector['entry'] = async (path, refuse) => {
    if (path === '') return view.entry('');
    if (!isSafePath(path)) throw refuse('is not safe to check out.');
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) {
      const above = await view.entry(names.slice(0, depth).join('/'));
      if (above?.mode === MODE.symlink) throw refuse('is behind a symbolic link; links are not followed.');
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
      if (found.mode === MODE.symlink) throw refuse('is a symbolic link; links are not followed.');
      if (found.mode === MODE.submodule)
        throw refuse('is a submodule; its files are not in this repository.');
      if (found.mode === MODE.tree) throw refuse('is a folder, but must be a file.');
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

/** Resolves a relative reference from a folder to a path from the root; null if it leaves the repository. */
export function resolvePath(folder: string, reference: string): string | null {
  const names = folder === '' ? [] : folder.split('/');
  for (const name of reference.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.join('/');
}
