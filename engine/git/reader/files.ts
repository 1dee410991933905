import { constants, lstatSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { PromiseFsClient } from 'isomorphic-git';
import { BacktrailError } from '../../model/index.ts';

/** All that is ever read whole into memory: packs with their indexes, and any one file. */
export const SIZE_LIMIT = 64 * 1024 * 1024;

/** The files of one git directory, to be read only. Links are not followed, nor is anything but a regular file opened. */
export interface GitFiles {
  readonly directory: string;
  /** Names are relative to the git directory. null where there is no such file; packs and indexes are kept, others read anew. */
  read(name: string): Promise<Buffer | null>;
  /** What lies in `objects/pack` now. */
  listPacks(): Promise<readonly string[]>;
  /** The same, as isomorphic-git wants it; it sees the packs that were listed last. */
  readonly client: PromiseFsClient;
}

/** What this reader cannot do, and git can. */
export function needsGit(message: string, hint?: string): BacktrailError {
  const fallback = 'Install git 2.36 or later; without it only small, plain repositories are read.';
  return new BacktrailError('GIT_MISSING', message, { hint: hint ?? fallback });
}

export function createFiles(directory: string): GitFiles {
  const kept = new Map<string, Promise<Buffer>>();
  let held = 0;
  const keep = async (name: string) => {
    const bytes = await readFile(join(directory, name));
    held += bytes.length;
    if (held > SIZE_LIMIT) throw needsGit(`The packs of ${directory} are too large to be read without git.`);
    return bytes;
  };
  const load = async (name: string): Promise<Buffer> => {
    if (LOOSE.test(name)) {
      const path = join(directory, name);
      // isomorphic-git looks here first for each object: not at once, it would take longer than to read it from a pack.
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw missing(path);
      return inflatable(await readFile(path));
    }
    if (!PACKED.test(name)) return readFile(join(directory, name));
    const bytes = kept.get(name) ?? keep(name);
    kept.set(name, bytes);
    bytes.catch(() => kept.delete(name));
    return bytes;
  };
  let packs: readonly string[] | undefined;
  const listPacks = async () => (packs = (await readdir(join(directory, PACKS)).catch(absent)) ?? []);
  const list = async (name: string) =>
    name === PACKS ? [...(packs ?? (await listPacks()))] : readdir(join(directory, name));
  return {
    directory,
    read: (name) => load(name).catch(absent),
    listPacks,
    client: { promises: client(directory, { load, list }) },
  };
}

const PACKS = 'objects/pack';
const PACKED = /^objects\/pack\/[^/]+\.(pack|idx)$/;
const LOOSE = /^objects\/[0-9a-f]{2}\/[0-9a-f]{38}$/;

/** isomorphic-git inflates a loose object without a limit. Damage is reported there. */
function inflatable(deflated: Buffer): Buffer {
  try {
    inflateSync(deflated, { maxOutputLength: SIZE_LIMIT });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
  }
  return deflated;
}

const missing = (path: string) => Object.assign(new Error(`There is no ${path}.`), { code: 'ENOENT' });

export function tooLarge(): BacktrailError {
  return new BacktrailError('FILE_TOO_LARGE', `An object is over the limit of ${SIZE_LIMIT} bytes.`);
}

function absent(error: unknown): null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return null;
  throw error;
}

/** isomorphic-git copies a Buffer but not an ArrayBuffer: a pack is in memory once. */
async function readFile(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      const link = error instanceof Error && 'code' in error && error.code === 'ELOOP';
      throw link ? needsGit(`${path} is a symbolic link, which is followed by git only.`) : error;
    },
  );
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw Object.assign(new Error(`${path} is a folder.`), { code: 'EISDIR' });
    if (!stats.isFile()) throw needsGit(`${path} is not a regular file.`);
    if (stats.size > SIZE_LIMIT)
      throw new BacktrailError(
        'FILE_TOO_LARGE',
        `${path} has ${stats.size} bytes; the limit is ${SIZE_LIMIT}.`,
      );
    const bytes = Buffer.from(new ArrayBuffer(stats.size));
    for (let filled = 0; filled < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, filled);
      if (bytesRead === 0) return bytes.subarray(0, filled);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** A file system for isomorphic-git: read-only, and confined to the git directory. */
function client(
  directory: string,
  { load, list }: { load: (name: string) => Promise<Buffer>; list: (name: string) => Promise<string[]> },
): PromiseFsClient['promises'] {
  const inside = (path: string) => {
    if (path === directory) return '';
    if (path.startsWith(directory + sep) && !path.split(sep).includes('..'))
      return path.slice(directory.length + 1);
    throw needsGit(`${path} lies outside of the git directory ${directory}.`);
  };
  // The library calls this before each object.
  let self: ReturnType<typeof stat> | undefined;
  const never = () => Promise.reject(needsGit('Nothing is written without git.'));
  return {
    readFile: async (path?: string, options?: { encoding?: string }) => {
      // Called without a path only to see whether promises come back.
      if (path === undefined) return null;
      const bytes = await load(inside(path));
      if (options?.encoding === 'utf8') return bytes.toString('utf8');
      return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes;
    },
    readdir: async (path: string) => list(inside(path)),
    stat: async (path: string) => (inside(path) === '' ? (self ??= stat(directory)) : stat(path)),
    lstat: never,
    writeFile: never,
    unlink: never,
    mkdir: never,
    rmdir: never,
    readlink: never,
    symlink: never,
  };
}
