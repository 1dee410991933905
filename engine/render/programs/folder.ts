/** The private folder that a program runs in: its files, and an empty home. */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dirname } from 'node:path/posix';
import { encodePath, isSafePath } from '../../model/index.ts';

export interface PrivateFolder {
  /** Folder with the files; the working directory. */
  readonly tree: string;
  /** Empty folder for HOME and temporary files. */
  readonly home: string;
}

const PREFIX = 'backtrail-render-';
/** Milliseconds. Longer than any program may run: an older folder belongs to a killed process. */
const STALE_MS = 3_600_000;

/** Creates the folder (mode 0700), calls `use` and removes it in any case. Files are neither executable nor symlinks. */
export async function withPrivateFolder<T>(
  files: ReadonlyMap<string, Uint8Array>,
  use: (folder: PrivateFolder) => Promise<T>,
): Promise<T> {
  await removeStaleFolders();
  const top = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    const folder = { tree: join(top, 'tree'), home: join(top, 'home') };
    await Promise.all([mkdir(folder.tree), mkdir(folder.home)]);
    for (const [path, bytes] of files) await write(folder.tree, path, bytes);
    return await use(folder);
  } finally {
    await rm(top, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function write(tree: string, path: string, bytes: Uint8Array): Promise<void> {
  if (!isSafePath(path)) throw new Error('A file for a program has an unsafe path.');
  const at = (name: string) => Buffer.concat([Buffer.from(`${tree}/`), encodePath(name)]);
  await mkdir(at(dirname(path)), { recursive: true, mode: 0o700 });
  await writeFile(at(path), bytes, { mode: 0o600, flag: 'wx' });
}

async function removeStaleFolders(): Promise<void> {
  const mine = (await readdir(tmpdir()).catch(() => [])).filter((name) => name.startsWith(PREFIX));
  for (const name of mine) {
    const path = join(tmpdir(), name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    // Another user's folder cannot be removed and need not be.
    if (mtimeMs < Date.now() - STALE_MS)
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
