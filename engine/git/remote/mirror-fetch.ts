import { rm, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { BacktrailError, isFailure } from '../../model/index.ts';
import type { Progress } from '../../model/index.ts';
import { fetchFailure } from './answers.ts';
import { shownAddress } from '../process/failure.ts';
import { progressReader, telling } from '../process/progress.ts';
import type { Transport, TransportAnswer } from './transport.ts';

/** One fetch into a mirror, retried where a stale lock or a concurrent push got in its way. */

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
/** After this, git works locally, which may take long and prints nothing. */
const RECEIVED = /(Receiving|Unpacking) objects: 100%/;

export interface Fetch {
  readonly transport: Transport;
  readonly directory: string;
  readonly url: string;
  /** The mirror was filled from there before. */
  readonly known: boolean;
  /** Milliseconds that the remote may be silent. */
  readonly silenceMs: number;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** Removes lock files that a killed git left behind; a mirror is only a cache. */
export async function fetchInto(context: Fetch, refspecs: readonly string[]): Promise<TransportAnswer> {
  const { transport, directory, url, known, silenceMs, onProgress } = context;
  // Progress also shows that a remote that packs for a long time is alive.
  const args = ['fetch', ...FETCH, '--progress', ...refspecs];
  const silence = { ms: silenceMs, until: RECEIVED };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await telling('asking', onProgress, (tell) =>
      reach(url, () => transport.git(args, { silence, ...(tell && { onError: progressReader(tell) }) })),
    );
    const failure = fetchFailure(answer, { shown: shownAddress(url), known });
    if (failure === null) return answer;
    // A push of another process, which takes no lock of ours, moved the tracking ref during this fetch.
    if (attempt < ATTEMPTS && /cannot lock ref .*: is at \w+ but expected/.test(answer.stderr)) continue;
    if (/couldn't find remote ref/.test(answer.stderr))
      throw new BacktrailError('BRANCH_UNKNOWN', `The branch is not at ${shownAddress(url)}.`);
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

/** A timeout means that the remote cannot be reached. @throws REMOTE_UNAVAILABLE */
export async function reach<Value>(url: string, use: () => Promise<Value>): Promise<Value> {
  try {
    return await use();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_TIMEOUT') throw error;
    throw new BacktrailError('REMOTE_UNAVAILABLE', `${shownAddress(url)} did not answer in time.`, {
      cause: error,
    });
  }
}
