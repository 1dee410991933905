import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod';
import { BacktrailError, isObjectId } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { addressKey } from '../remote/address.ts';
import { shownAddress } from '../process/failure.ts';
import { withLock } from '../remote/lock.ts';

/**
 * The tip of a ledger that this machine saw last, in the cache folder: `ledgers/<hash>.json`, by the address of the repository and, so that no
 * other way to spell or reach it forgets it, by the ledger's root commit. Whoever can write to the repository, or make its mirror be
 * fetched anew, cannot make us forget it either.
 */
export interface SeenRecord {
  readonly file: string;
  /** null: this ledger was never seen. */
  read(): Promise<SeenTip | null>;
  /** `follows`: does `tip` descend from this? What another process has recorded meanwhile, and `tip` lacks, is kept. */
  record(seen: SeenTip, follows: (before: ObjectId) => Promise<boolean>): Promise<void>;
}

export interface SeenTip {
  readonly tip: ObjectId;
  /** The ledger's first commit; null where an earlier version did not write it down. */
  readonly root: ObjectId | null;
}

const objectId = z.string().refine(isObjectId);
const CONTENT = z.object({
  repo: z.string(),
  ref: z.string(),
  tip: objectId,
  root: objectId.nullable().default(null),
});

interface RecordContext {
  readonly cacheFolder: string;
  readonly ref: string;
  readonly signal: AbortSignal;
}

/** By the address, without credentials: another password does not make another repository. */
export function seenByAddress(context: RecordContext & { readonly address: string }): SeenRecord {
  const { address, ref } = context;
  return seenIn(context, { repo: shown(address), names: [fileName(address, ref), formerName(address, ref)] });
}

/** By the ledger's root commit. */
export function seenByRoot(context: RecordContext & { readonly root: ObjectId }): SeenRecord {
  const { root, ref } = context;
  return seenIn(context, { repo: `root:${root}`, names: [hashName(`root ${root}\n${ref}`)] });
}

/** Written under the first of the names; read under any. */
function seenIn(
  { cacheFolder, ref, signal }: RecordContext,
  { repo, names }: { readonly repo: string; readonly names: readonly string[] },
): SeenRecord {
  const files = names.map((name) => join(folderIn(cacheFolder), name));
  const [file = ''] = files;
  const read = async () => {
    for (const file of files) {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      });
      if (text !== null) return parse(text, file);
    }
    return null;
  };
  return {
    file,
    read,
    async record({ tip, root }, follows) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await withLock(`${file}.lock`, { waitMs: 30_000, signal }, async () => {
        const seen = await read();
        if (seen?.tip === tip && seen.root === root) return;
        if (seen !== null && !(await follows(seen.tip))) return;
        const unfinished = `${file}.${randomUUID()}`;
        const text = `${JSON.stringify({ repo, ref, tip, root })}\n`;
        await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: true });
        await rename(unfinished, file);
      });
    },
  };
}

const folderIn = (cacheFolder: string) => join(resolve(cacheFolder), 'ledgers');

const hashName = (text: string) => `${createHash('sha256').update(text).digest('hex')}.json`;
const fileName = (address: string, ref: string) => hashName(`${addressKey(address)}\n${ref}`);
/** The name that versions before 0.2 used. */
const formerName = (address: string, ref: string) => hashName(`${address}\n${ref}`);

/** An ssh user name is not a secret, and without it the address is another one. */
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
      if (data === undefined || data.repo.startsWith('root:')) return null;
      const isOwn = [fileName, formerName].some((named) => named(data.repo, data.ref) === name);
      if (!isOwn) return null;
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

function parse(text: string, file: string): SeenTip {
  try {
    const { tip, root } = CONTENT.parse(JSON.parse(text));
    return { tip, root };
  } catch (cause) {
    throw new BacktrailError('GIT_FAILED', `${file} does not say which state of the ledger was seen last.`, {
      hint: 'Remove it: the ledger is then trusted as it is now.',
      cause,
    });
  }
}
