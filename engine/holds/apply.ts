/** The texts of files while holds work on them, and what comes of it as changes of a plan. */
import type { Entry, FileChange, TreeView, Write } from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

export interface Texts {
  /** null: no file with a text. */
  read(path: string): Promise<string | null>;
  write(path: string, text: string): void;
  /** The changes of the plan, with what was written. */
  files(): Promise<FileChange[]>;
}

/** `files`: what a rollback changes, which texts are read after. */
export function textsOf(snapshot: Snapshot, files: readonly FileChange[]): Texts {
  const changes = new Map(files.map((file) => [file.path, file]));
  const written = new Map<string, string>();
  const view = (): Promise<TreeView> => snapshot.view(snapshot.base);
  const entryBefore = async (path: string): Promise<Entry | null> => {
    const change = changes.get(path);
    if (change) return change.before;
    const entry = await (await view()).entry(path);
    return entry && { mode: entry.mode, id: entry.id };
  };
  const entryAfter = async (path: string): Promise<Write['after']> => {
    const change = changes.get(path);
    return change ? change.after : entryBefore(path);
  };
  return {
    read: async (path) => written.get(path) ?? textOf(snapshot, await entryAfter(path)),
    write: (path, text) => written.set(path, text),
    files: async () => {
      const all = new Map(changes);
      for (const [path, text] of written) {
        const [before, was] = [await entryBefore(path), await entryAfter(path)];
        if (!was) continue;
        const content = new TextEncoder().encode(text);
        const id = snapshot.hasher.blobId(content);
        if (id === was.id) continue;
        all.delete(path);
        if (id === before?.id && was.mode === before.mode) continue;
        all.set(path, { path, before, after: { mode: was.mode, id, content } });
      }
      return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}

export async function textOf(snapshot: Snapshot, entry: Write['after']): Promise<string | null> {
  if (!entry) return null;
  const { content } = entry;
  return content ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(content) : snapshot.text(entry);
}
