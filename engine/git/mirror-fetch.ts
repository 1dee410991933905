import { rm, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { BacktrailError, isFailure } from '../model/index.ts';
import type { Progress } from '../model/index.ts';
import { fetchFailure } from './answers.ts';
import { printable } from './failure.ts';
import { progressReader } from './progress.ts';
import type { Transport, TransportAnswer } from './transport.ts';

/** One fetch into a mirror, as often as locks of killed processes and pushes of living ones make it necessary. */

const FETCH = [
  '--no-tags',
  '--no-auto-maintenance',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--refmap=',
  // Of a remote that is shallow itself: without it git leaves its branches out, and says so in a warning only.
  '--update-shallow',
];

/** Older lock files of git in our own mirror were left by a process that was killed. */
const STALE_MS = 60_000;
const ATTEMPTS = 5;

export interface Fetch {
  readonly transport: Transport;
  readonly directory: string;
  readonly url: string;
  /** The mirror was filled from there before. */
  readonly known: boolean;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** A lock file that a killed git left behind is removed; in a mirror nobody else's work is at stake. */
export async function fetchInto(place: Fetch, refspecs: readonly string[]): Promise<TransportAnswer> {
  const { transport, directory, url, known, onProgress } = place;
  const args = ['fetch', ...FETCH, ...(onProgress ? ['--progress'] : []), ...refspecs];
  const listen = onProgress ? { onError: progressReader(onProgress) } : {};
  for (let attempt = 1; ; attempt += 1) {
    const answer = await reach(url, () => transport.git(args, listen));
    const failure = fetchFailure(answer, { shown: printable(url), known });
    if (failure === null) return answer;
    // A push of another process, which needs no lock of ours, moved the tracking ref while this fetch was under way.
    if (attempt < ATTEMPTS && /cannot lock ref .*: is at \w+ but expected/.test(answer.stderr)) continue;
    if (/couldn't find remote ref/.test(answer.stderr))
      throw new BacktrailError('BRANCH_UNKNOWN', `The branch is not at ${printable(url)}.`);
    if (attempt >= ATTEMPTS || !(await removeStaleLock(directory, failure))) throw failure;
  }
}

async function removeStaleLock(directory: string, failure: BacktrailError): Promise<boolean> {
  const lock = failure.details['lock'];
  if (typeof lock !== 'string') return false;
  const file = resolve(directory, lock);
  const found = file.startsWith(`${directory}${sep}`) ? await stat(file).catch(() => null) : null;
  if (found === null || Date.now() - found.mtimeMs < STALE_MS) return false;
  await rm(file, { force: true });
  return true;
}

/** A remote that takes too long is one that cannot be reached. */
export async function reach<Value>(url: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_TIMEOUT') throw error;
    throw new BacktrailError('REMOTE_UNAVAILABLE', `${printable(url)} did not answer in time.`, {
      cause: error,
    });
  }
}
