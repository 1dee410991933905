import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BacktrailError, isFailure } from '../../model/index.ts';
import { addressKey } from './address.ts';
import { claim, isClaimed, withLock } from './lock.ts';

import { isBranchName } from '../store/refs.ts';

/**
 * The cache folder: `mirrors/<hash>.git`, beside each its lock, one that is being made (`.new-…`) or thrown away (`.old-…`),
 * and `in-use/<hash>.git/…`, a claim for each process that has it open; `ledgers/`, of engine/git/ledger/last-seen.ts.
 */

/** The same for every spelling of an address: see `addressKey`. */
export function mirrorFolder(cacheFolder: string, url: string): string {
  const name = createHash('sha256').update(addressKey(url)).digest('hex');
  return join(resolve(cacheFolder), 'mirrors', `${name}.git`);
}

/** @throws GIT_FAILED, with a hint, for a full disk, a read-only folder, or a file where a folder should be */
export async function usableCache<Value>(cacheFolder: string, use: () => Promise<Value>): Promise<Value> {
  try {
    return await use();
  } catch (error) {
    const cause = error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : null;
    if (cause === null || isFailure(error)) throw error;
    throw new BacktrailError('GIT_FAILED', `The cache folder ${cacheFolder} cannot be used: ${cause}.`, {
      hint: 'Make it a folder that can be written to, with room, or name another one with XDG_CACHE_HOME.',
      cause: error,
    });
  }
}

/** Anything but a folder under its name is replaced by a new mirror. */
export async function isThere(directory: string): Promise<boolean> {
  return (await lstat(directory).catch(() => null))?.isDirectory() === true;
}

const exists = async (file: string) => (await lstat(file).catch(() => null)) !== null;

/** A mirror is shallow only if the remote is. */
export const isShallow = (directory: string) => exists(join(directory, 'shallow'));

/** Its time is that of the last whole fetch. */
const STAMP = 'backtrail-fetched';

export async function stampFetched(directory: string): Promise<void> {
  const now = new Date();
  const file = join(directory, STAMP);
  await utimes(file, now, now).catch(() => writeFile(file, '', { mode: 0o600 }));
}

/** When everything in the mirror was up to date. */
export async function fetchedAt(directory: string): Promise<Date> {
  const stamp = await stat(join(directory, STAMP)).catch(() => stat(join(directory, 'HEAD')));
  return stamp.mtime;
}

const HEAD = 'backtrail-head';

/** The branch that the remote's HEAD names, for when the remote cannot be reached. Best effort: a full disk is not an error. */
export async function rememberHead(directory: string, branch: string): Promise<void> {
  await writeFile(join(directory, HEAD), `${branch}\n`, { mode: 0o600 }).catch(() => undefined);
}

export async function rememberedHead(directory: string): Promise<string | null> {
  const branch = (await readFile(join(directory, HEAD), 'utf8').catch(() => '')).trim();
  return isBranchName(branch) ? branch : null;
}

/** Keeps the mirror from being removed to free space, until it is released. Hold the mirror's lock. */
export async function useMirror(directory: string): Promise<() => Promise<void>> {
  const folder = claimsOf(directory);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return claim(join(folder, randomUUID()));
}

const claimsOf = (directory: string) => join(dirname(dirname(directory)), 'in-use', basename(directory));

/** Replaces whatever is there with `filled`; it is moved aside first. Hold the mirror's lock. */
export async function putInPlace(directory: string, filled: string): Promise<void> {
  const aside = `${directory}.old-${randomUUID()}`;
  if (await exists(directory)) await rename(directory, aside);
  await rename(filled, directory);
  await rm(aside, { recursive: true, force: true });
}

/** Removes half-made and half-removed mirrors of killed processes. Hold the mirror's lock. */
export async function removeLeftovers(directory: string): Promise<void> {
  const name = basename(directory);
  for (const other of await readdir(dirname(directory)))
    if (other.startsWith(`${name}.new-`) || other.startsWith(`${name}.old-`))
      await rm(join(dirname(directory), other), { recursive: true, force: true });
}

/**
 * Removes the least recently fetched mirrors until all together have at most so many bytes; never one that a process has open.
 * A mirror that is locked is in use: it is skipped.
 */
export async function trimMirrors(own: string, limit: number, signal: AbortSignal): Promise<void> {
  const folder = dirname(own);
  const entries = await readdir(folder);
  const names = new Set(entries.flatMap((entry) => /^[0-9a-f]{64}\.git/.exec(entry)?.[0] ?? []));
  const found: { directory: string; bytes: number; used: number }[] = [];
  for (const name of names) {
    const directory = join(folder, name);
    if (directory !== own && entries.some((entry) => entry.startsWith(`${name}.`)))
      await ifFree(directory, signal, () => removeLeftovers(directory));
    const used = await fetchedAt(directory).catch(() => null);
    if (used !== null) found.push({ directory, bytes: await sizeOf(directory), used: used.getTime() });
  }
  let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { directory, bytes } of found.toSorted((a, b) => a.used - b.used)) {
    if (total <= limit || signal.aborted) return;
    if (directory !== own && (await removeUnused(directory, signal))) total -= bytes;
  }
}

async function removeUnused(directory: string, signal: AbortSignal): Promise<boolean> {
  let removed = false;
  await ifFree(directory, signal, async () => {
    if (await isInUse(directory)) return;
    const aside = `${directory}.old-${randomUUID()}`;
    await rename(directory, aside);
    removed = true;
    await rm(aside, { recursive: true, force: true });
  });
  return removed;
}

/** Also removes claims of processes that have ended. */
async function isInUse(directory: string): Promise<boolean> {
  const folder = claimsOf(directory);
  for (const name of await readdir(folder).catch(() => [])) {
    if (await isClaimed(join(folder, name))) return true;
    await rm(join(folder, name), { force: true });
  }
  return false;
}

async function ifFree(directory: string, signal: AbortSignal, use: () => Promise<void>): Promise<void> {
  await withLock(`${directory}.lock`, { waitMs: 0, signal }, use).catch((error: unknown) => {
    if (!isFailure(error)) throw error;
  });
}

/** Bytes of all files below the folder. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await sizeOf(path) : ((await lstat(path).catch(() => null))?.size ?? 0);
  }
  return bytes;
}
