import { rm, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { BacktrailError, isFailure } from '../../model/index.ts';
import type { Progress } from '../../model/index.ts';
import { fetchFailure } from './answers.ts';
import { shownAddress } from '../process/failure.ts';
import { progressReader } from '../process/progress.ts';
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
/** What comes then is the work of this machine, which may take long and says nothing. */
const RECEIVED = /(Receiving|Unpacking) objects: 100%/;
const TELL_MS = 1_000;

export interface Fetch {
  readonly transport: Transport;
  readonly directory: string;
  readonly url: string;
  /** The mirror was filled from there before. */
  readonly known: boolean;
  /** Milliseconds that the remote may say nothing. */
  readonly silenceMs: number;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** A lock file that a killed git left behind is removed; in a mirror nobody else's work is at stake. */
export async function fetchInto(place: Fetch, refspecs: readonly string[]): Promise<TransportAnswer> {
  const { transport, directory, url, known, silenceMs, onProgress } = place;
  // Progress is also what shows that a remote which packs for a long time is alive.
  const args = ['fetch', ...FETCH, '--progress', ...refspecs];
  const silence = { ms: silenceMs, until: RECEIVED };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await telling('asking', onProgress, (tell) =>
      reach(url, () => transport.git(args, { silence, ...(tell && { onError: progressReader(tell) }) })),
    );
    const failure = fetchFailure(answer, { shown: shownAddress(url), known });
    if (failure === null) return answer;
    // A push of another process, which needs no lock of ours, moved the tracking ref while this fetch was under way.
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

/** Says every second that it waits, until something else is told or the work is over. */
export async function telling<Value>(
  phase: 'asking' | 'locked',
  tell: Fetch['onProgress'],
  work: (onProgress: Fetch['onProgress']) => Promise<Value>,
): Promise<Value> {
  if (tell === undefined) return work(undefined);
  const began = performance.now();
  const tick = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    tell({ phase, percent: null, objects: 0, amount: `${seconds} s` });
  }, TELL_MS);
  tick.unref();
  try {
    return await work((progress) => {
      clearInterval(tick);
      tell(progress);
    });
  } finally {
    clearInterval(tick);
  }
}

/** A remote that takes too long is one that cannot be reached. */
export async function reach<Value>(url: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_TIMEOUT') throw error;
    throw new BacktrailError('REMOTE_UNAVAILABLE', `${shownAddress(url)} did not answer in time.`, {
      cause: error,
    });
  }
}
