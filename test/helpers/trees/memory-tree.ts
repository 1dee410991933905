import { hasherOf } from '../../../engine/git/store/hash.ts';
import { MODE, type ObjectReader, type TreeEntry, type TreeView } from '../../../engine/model/index.ts';

/** A file's text, or an entry of another kind. */
export type Held = string | { readonly mode: string; readonly text: string };

export interface MemoryTree {
  readonly view: TreeView;
  /** Folders listed, entries and files read, in order: `list a`, `entry a/b`, `read a/b`. */
  readonly reads: string[];
  readonly reader: Pick<ObjectReader, 'blob'>;
}

export const hasher = hasherOf('sha1');
export const blobId = (bytes: Uint8Array) => hasher.blobId(bytes);

/** A tree that counts how it is read, rebuilt from its files at every question: slow, and too simple to be wrong. */
export function memoryTree(files: Readonly<Record<string, Held>>): MemoryTree {
  const held = new Map(Object.entries(files));
  const reads: string[] = [];
  const find = (path: string): TreeEntry | null => {
    const name = path.split('/').at(-1) ?? '';
    const own = held.get(path);
    if (own !== undefined) return { name, mode: modeOf(own), id: blobId(bytesOf(own)) };
    const folder = path === '' || [...held.keys()].some((key) => key.startsWith(`${path}/`));
    return folder ? { name, mode: MODE.tree, id: '' } : null;
  };
  const view: TreeView = {
    entry: async (path) => {
      reads.push(`entry ${path}`);
      return find(path);
    },
    list: async (path) => {
      reads.push(`list ${path}`);
      const start = path === '' ? '' : `${path}/`;
      const below = [...held.keys()].filter((key) => key.startsWith(start));
      const names = new Set(below.map((key) => key.slice(start.length).split('/')[0] ?? ''));
      return gitOrder([...names].flatMap((name) => find(`${start}${name}`) ?? []));
    },
    read: async (path) => {
      reads.push(`read ${path}`);
      const content = held.get(path);
      const regular = content !== undefined && ['100644', '100755'].includes(modeOf(content));
      return regular ? bytesOf(content) : null;
    },
  };
  const blobs = new Map([...held.values()].map((content) => [blobId(bytesOf(content)), bytesOf(content)]));
  const reader = {
    blob: async (id: string) => {
      const bytes = blobs.get(id);
      if (!bytes) throw new Error(`There is no object ${id}.`);
      return bytes;
    },
  };
  return { view, reads, reader };
}

const bytesOf = (content: Held) => Buffer.from(typeof content === 'string' ? content : content.text);
const modeOf = (content: Held) => (typeof content === 'string' ? MODE.file : content.mode);

/** By bytes, a folder as if its name ended with '/' (git's base_name_compare). */
function gitOrder(entries: readonly TreeEntry[]): TreeEntry[] {
  return [...entries].sort((a, b) => Buffer.compare(orderKey(a), orderKey(b)));
}

const orderKey = ({ name, mode }: TreeEntry) => Buffer.from(mode === MODE.tree ? `${name}/` : name);
