import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { BacktrailError, isObjectId } from '../model/index.ts';
import type { ObjectId } from '../model/index.ts';
import { shownAddress } from './failure.ts';
import { withLock } from './lock.ts';

/**
 * The tip of a ledger that this machine saw last, in the cache folder: `ledgers/<hash>.json`. Whoever can write to the
 * repository, or make its mirror be fetched anew, cannot make us forget it.
 */
export interface Seen {
  readonly file: string;
  /** null: this ledger was never seen. */
  read(): Promise<ObjectId | null>;
  /** `follows`: does `tip` descend from this? What another process has seen meanwhile, and `tip` lacks, stays. */
  record(tip: ObjectId, follows: (seen: ObjectId) => Promise<boolean>): Promise<void>;
}

const CONTENT = z.object({ repo: z.string(), ref: z.string(), tip: z.string().refine(isObjectId) });

export function seenOf(place: {
  readonly cacheFolder: string;
  /** Without a login: another password is no other repository. */
  readonly address: string;
  readonly ref: string;
  readonly signal: AbortSignal;
}): Seen {
  const { address, ref, signal } = place;
  const file = join(folderIn(place.cacheFolder), fileName(address, ref));
  const read = async () => {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    return text === null ? null : parse(text, file);
  };
  return {
    file,
    read,
    async record(tip, follows) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await withLock(`${file}.lock`, { waitMs: 30_000, signal }, async () => {
        const seen = await read();
        if (seen === tip || (seen !== null && !(await follows(seen)))) return;
        const unfinished = `${file}.${randomUUID()}`;
        const text = `${JSON.stringify({ repo: shown(address), ref, tip })}\n`;
        await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: true });
        await rename(unfinished, file);
      });
    },
  };
}

const folderIn = (cacheFolder: string) => join(resolve(cacheFolder), 'ledgers');

const fileName = (address: string, ref: string) =>
  `${createHash('sha256').update(`${address}\n${ref}`).digest('hex')}.json`;

/** The name of a user of ssh is no secret, and without it the address is another one. */
const shown = (address: string) => (/^(?:git\+)?ssh:/i.test(address) ? address : shownAddress(address));

/**
 * The repositories whose ledgers this machine has seen, as they can be opened again; without those whose folder is gone, or
 * whose address holds what must not be written down.
 */
export async function knownLedgers(cacheFolder: string): Promise<readonly string[]> {
  const folder = folderIn(cacheFolder);
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      if (!name.endsWith('.json')) return null;
      const text = await readFile(join(folder, name), 'utf8').catch(() => '');
      const { data } = CONTENT.safeParse(parsed(text));
      if (data === undefined || fileName(data.repo, data.ref) !== name) return null;
      return isAbsolute(data.repo) ? folderOf(data.repo) : data.repo;
    }),
  );
  return [...new Set(found.filter((repo) => repo !== null))].sort();
}

/** The worktree of a git directory, where it is the folder around it; null where it is elsewhere, or the directory is gone. */
async function folderOf(directory: string): Promise<string | null> {
  if (!(await stat(directory).catch(() => null))?.isDirectory()) return null;
  const config = await readFile(join(directory, 'config'), 'utf8').catch(() => '');
  if (/^\s*bare\s*=\s*true\s*$/im.test(config)) return directory;
  return basename(directory) === '.git' ? dirname(directory) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function parse(text: string, file: string): ObjectId {
  try {
    return CONTENT.parse(JSON.parse(text)).tip;
  } catch (cause) {
    throw new BacktrailError('GIT_FAILED', `${file} does not say which state of the ledger was seen last.`, {
      hint: 'Remove it: the ledger is then trusted as it is now.',
      cause,
    });
  }
}
