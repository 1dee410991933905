/** Trees as file systems: a stored tree, or a stored tree with planned changes. */
import {
  encodePath,
  type ObjectId,
  type ObjectReader,
  MODE,
  type TreeEntry,
  type TreeView,
  type Write,
} from '../model/index.ts';

export const isFile = (mode: string) => mode === MODE.file || mode === MODE.executable;

export function treeView(reader: ObjectReader, root: ObjectId): TreeView {
  const entry = async (path: string): Promise<TreeEntry | null> => {
    let found: TreeEntry = { name: '', mode: MODE.tree, id: root };
    for (const name of path === '' ? [] : path.split('/')) {
      if (found.mode !== MODE.tree) return null;
      const next = (await reader.tree(found.id)).find((candidate) => candidate.name === name);
      if (!next) return null;
      found = next;
    }
    return found;
  };
  return {
    entry,
    list: async (path) => {
      const folder = await entry(path);
      return folder?.mode === MODE.tree ? reader.tree(folder.id) : [];
    },
    read: async (path) => {
      const file = await entry(path);
      return file && isFile(file.mode) ? reader.blob(file.id) : null;
    },
  };
}

/** The view after `files` are written. `files` has single files only, no folders. */
export function overlayView(under: TreeView, reader: ObjectReader, files: readonly Write[]): TreeView {
  const written = new Map(files.map((file) => [file.path, file.after]));
  const below = (folder: string) => {
    const start = folder === '' ? '' : `${folder}/`;
    return [...written].filter(([path]) => path.startsWith(start));
  };
  const exists = async (path: string): Promise<boolean> =>
    below(path).some(([, after]) => after !== null) || (await childNames(path)).length > 0;
  const childNames = async (path: string): Promise<TreeEntry[]> => {
    const kept: TreeEntry[] = [];
    for (const child of await under.list(path)) {
      const full = path === '' ? child.name : `${path}/${child.name}`;
      if (written.has(full)) continue;
      if (child.mode === MODE.tree && below(full).length > 0 && !(await exists(full))) continue;
      kept.push(child);
    }
    return kept;
  };
  return {
    entry: async (path) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const after = written.get(path);
      if (after) return { name, mode: after.mode, id: after.id };
      if (path !== '' && below(path).length > 0) return (await exists(path)) ? virtual(name) : null;
      return after === null ? null : under.entry(path);
    },
    list: async (path) => {
      const start = path === '' ? '' : `${path}/`;
      const names = new Map((await childNames(path)).map((child) => [child.name, child]));
      for (const [full, after] of below(path)) {
        if (after === null) continue;
        const [name = '', ...rest] = full.slice(start.length).split('/');
        if (rest.length === 0) names.set(name, { name, mode: after.mode, id: after.id });
        else if (!names.has(name)) names.set(name, virtual(name));
      }
      return inTreeOrder([...names.values()]);
    },
    read: async (path) => {
      const after = written.get(path);
      if (after === undefined) return under.read(path);
      if (after === null || !isFile(after.mode)) return null;
      return after.content ?? reader.blob(after.id);
    },
  };
}

/** A folder that is not stored yet has no object id. */
const virtual = (name: string): TreeEntry => ({ name, mode: MODE.tree, id: '' });

/** Sorts entries as git requires in a tree object: by bytes, folders as if their name ended with '/' (as in the output of git-ls-tree(1)). */
function inTreeOrder(entries: readonly TreeEntry[]): TreeEntry[] {
  const keyed = entries.map((entry) => ({
    entry,
    key: encodePath(entry.mode === MODE.tree ? `${entry.name}/` : entry.name),
  }));
  return keyed.sort((a, b) => compareBytes(a.key, b.key)).map(({ entry }) => entry);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}

export interface FileEntry {
  readonly path: string;
  readonly mode: string;
  readonly id: ObjectId;
}

/** All entries except folders at or below `path`, in tree order; skips folders for which `entered` is false. */
export async function walkFiles(
  view: TreeView,
  path: string,
  entered: (folder: string) => boolean = () => true,
): Promise<FileEntry[]> {
  const top = await view.entry(path);
  if (!top) return [];
  if (top.mode !== MODE.tree) return [{ path, mode: top.mode, id: top.id }];
  const files: FileEntry[] = [];
  for (const child of await view.list(path)) {
    const full = path === '' ? child.name : `${path}/${child.name}`;
    if (child.mode === MODE.tree) {
      if (entered(full)) files.push(...(await walkFiles(view, full, entered)));
    } else files.push({ path: full, mode: child.mode, id: child.id });
  }
  return files;
}
