/** The private folder that a program works in: the files that it may see, and a home of its own. */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dirname } from 'node:path/posix';
import { encodePath, isSafePath } from '../../model/index.ts';

export interface Folder {
  /** Where the files are; relative paths begin here. */
  readonly tree: string;
  /** Empty: what stands for HOME and for temporary files. */
  readonly home: string;
}

const PREFIX = 'backtrail-render-';
/** Milliseconds. No program runs that long: such a folder belongs to a process that was killed. */
const STALE = 3_600_000;

/** Mode 0700; removed whatever happens. Files are neither executable nor links. */
export async function inFolder<T>(
  files: ReadonlyMap<string, Uint8Array>,
  use: (folder: Folder) => Promise<T>,
): Promise<T> {
  await sweep();
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

async function sweep(): Promise<void> {
  const mine = (await readdir(tmpdir()).catch(() => [])).filter((name) => name.startsWith(PREFIX));
  for (const name of mine) {
    const path = join(tmpdir(), name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    // Another user's cannot be removed, and need not be.
    if (mtimeMs < Date.now() - STALE) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
