import { lstat, rm } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../model/index.ts';

/**
 * Lock files of git in a mirror, which is ours alone and only a cache. A git that was killed leaves them behind, and nobody removes them: after
 * some time we do. What git says then is `REPOSITORY_LOCKED`, with the file.
 */

/**
 * Milliseconds. git holds the lock of a ref for an instant, `shallow.lock` and the like as long as a fetch, that of a commit-graph as long as it
 * takes to write. Of refs it is how long one is looked at: by its date alone, a lock is old after a minute, as the clock of its file system may differ.
 */
const OF_REFS_MS = 10_000;
const OF_FETCHES_MS = 60_000;
const OF_OBJECTS_MS = 3_600_000;
const POLL_MS = 200;
/** Milliseconds since the first one was met. Others may come and go meanwhile. */
const PATIENCE_MS = 2 * OF_REFS_MS;

/** Does `use`, and does it again where a lock was in its way: an old one is removed, one of refs is waited for until it is gone or old. */
export async function pastLocks<Value>(directory: string, use: () => Promise<Value>): Promise<Value> {
  let met: number | undefined;
  const seen = new Map<string, number>();
  for (;;)
    try {
      return await use();
    } catch (error) {
      const lock = isFailure(error) && error.code === 'REPOSITORY_LOCKED' ? error.details['lock'] : undefined;
      // Not from the beginning: a fetch that takes longer may meet an old one at its end, each time.
      met ??= performance.now();
      if (typeof lock !== 'string' || performance.now() - met > PATIENCE_MS) throw error;
      if (!(await isPast(lock, { directory, seen }))) throw error;
    }
}

/** Is it worth another try? Waits a moment where the lock is neither gone nor old. */
async function isPast(
  lock: string,
  { directory, seen }: { readonly directory: string; readonly seen: Map<string, number> },
): Promise<boolean> {
  const file = resolve(directory, lock);
  if (!file.startsWith(`${directory}${sep}`)) return false;
  const found = await lstat(file).catch(() => null);
  if (found === null) {
    // Also what a server says of a lock leads here: it is not asked without a pause.
    await sleep(POLL_MS);
    return true;
  }
  const limit = limitOf(file.slice(directory.length + 1));
  const which = `${file} ${String(found.ino)} ${String(found.mtimeMs)}`;
  const first = seen.get(which) ?? performance.now();
  seen.set(which, first);
  const isOld = Date.now() - found.mtimeMs >= Math.max(limit, OF_FETCHES_MS);
  if (isOld || performance.now() - first >= limit)
    // Where it cannot be removed, what git said of it is to be read.
    return rm(file, { force: true }).then(
      () => true,
      () => false,
    );
  if (limit > OF_REFS_MS) return false;
  await sleep(POLL_MS);
  return true;
}

function limitOf(name: string): number {
  if (/^(?:refs\/|packed-refs\.lock$|HEAD\.lock$)/.test(name)) return OF_REFS_MS;
  return name.startsWith(`objects/`) ? OF_OBJECTS_MS : OF_FETCHES_MS;
}
