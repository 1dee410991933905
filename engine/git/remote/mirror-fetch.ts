import { BacktrailError, isFailure } from '../../model/index.ts';
import type { Progress } from '../../model/index.ts';
import { fetchFailure } from './answers.ts';
import { shownAddress } from '../process/failure.ts';
import { pastLocks } from './left-locks.ts';
import { SMALL_WINDOWS } from '../process/small-windows.ts';
import { progressReader, telling } from '../process/progress.ts';
import type { Transport, TransportAnswer } from './transport.ts';

/** One fetch into a mirror, retried where a lock or a concurrent push got in its way. */

const FETCH = [
  '--no-tags',
  '--no-auto-maintenance',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--refmap=',
  // Of a remote that is shallow itself: without it git leaves its branches out, and says so in a warning only.
  '--update-shallow',
];

const ATTEMPTS = 5;
/** After this, git works locally, which may take long and prints nothing. */
const RECEIVED = /(Receiving|Unpacking) objects: 100%/;

export interface Fetch {
  readonly transport: Transport;
  readonly directory: string;
  readonly url: string;
  /** The mirror was filled from there before. */
  readonly known: boolean;
  /** It is filled now: git checks the trees of the whole history. */
  readonly isNew?: boolean;
  /** Milliseconds that the remote may be silent. */
  readonly silenceMs: number;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** @throws BRANCH_UNKNOWN; REPOSITORY_LOCKED; what `fetchFailure` says */
export function fetchInto(context: Fetch, refspecs: readonly string[]): Promise<TransportAnswer> {
  return pastLocks(context.directory, () => fetchOnce(context, refspecs));
}

async function fetchOnce(context: Fetch, refspecs: readonly string[]): Promise<TransportAnswer> {
  const { transport, url, known, isNew = false, silenceMs, onProgress } = context;
  // Progress also shows that a remote that packs for a long time is alive.
  const args = [...(isNew ? [] : SMALL_WINDOWS), 'fetch', ...FETCH, '--progress', ...refspecs];
  const silence = { ms: silenceMs, until: RECEIVED };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await telling('asking', onProgress, (tell) =>
      reach(url, () => transport.git(args, { silence, ...(tell && { onError: progressReader(tell) }) })),
    );
    const failure = fetchFailure(answer, { shown: shownAddress(url), known });
    if (failure === null) return answer;
    if (/couldn't find remote ref/.test(answer.stderr))
      throw new BacktrailError('BRANCH_UNKNOWN', `The branch is not at ${shownAddress(url)}.`);
    // A push of another process, which takes no lock of ours, moved the tracking ref during this fetch.
    const isMoved = /cannot lock ref .*: is at \w+ but expected/.test(answer.stderr);
    if (attempt >= ATTEMPTS || !isMoved) throw failure;
  }
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
