import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
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
  const name = createHash('sha256').update(`${address}\n${ref}`).digest('hex');
  const file = join(resolve(place.cacheFolder), 'ledgers', `${name}.json`);
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
        const text = `${JSON.stringify({ repo: shownAddress(address), ref, tip })}\n`;
        await writeFile(unfinished, text, { mode: 0o600, flag: 'wx' });
        await rename(unfinished, file);
      });
    },
  };
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
