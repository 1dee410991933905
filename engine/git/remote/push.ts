import { randomUUID } from 'node:crypto';
import type { ObjectId } from '../../model/index.ts';
import { pushFailure } from './answers.ts';
import { shownAddress } from '../process/failure.ts';
import { reach } from './mirror-fetch.ts';
import type { Transport, TransportAnswer } from './transport.ts';

/** Not `origin`: the user's own configuration may speak of that. */
export const REMOTE = 'backtrail';

const PUSH = [
  'push',
  '--porcelain',
  // Shows that the remote has answered; from then on its hooks may take any time.
  '--progress',
  '--no-verify',
  '--no-signed',
  '--no-follow-tags',
  '--recurse-submodules=no',
];
const NOT_ATOMIC = /does not support --atomic/;

/** A move of one ref at the remote. */
export interface Push {
  readonly ref: string;
  /** null: the ref must not exist. */
  readonly expected: ObjectId | null;
  /** Descends from `expected`: a lease forces. */
  readonly next: ObjectId;
}

/** Atomic where the server can; one ref alone is all or nothing anyway. */
export async function pushOnce(
  transport: Transport,
  { ref, expected, next }: Push,
  silenceMs: number,
): Promise<TransportAnswer> {
  const options = [...PUSH, `--force-with-lease=${ref}:${expected ?? ''}`];
  const refspec = `${next}:${ref}`;
  const silence = untilAnswer(silenceMs);
  const answer = await transport.git([...options, '--atomic', REMOTE, refspec], { silence });
  if (answer.code === 0 || !NOT_ATOMIC.test(answer.stderr)) return answer;
  return transport.git([...options, REMOTE, refspec], { silence });
}

const untilAnswer = (ms: number) => ({ ms, until: /./ });

/**
 * A dry run: the server advertises its refs as for a real push, so that it checks permission; its rules and hooks do not run. The ref does
 * not exist there: over http, git contacts the server no further for one that is up to date. Fails as a push does.
 */
export async function tryPush(
  url: string,
  transport: Transport,
  commit: ObjectId,
  silenceMs: number,
): Promise<{ readonly atomic: boolean }> {
  const ref = `refs/heads/backtrail-doctor-${randomUUID()}`;
  const shown = shownAddress(url);
  const dryRun = (options: readonly string[]) =>
    reach(url, () =>
      transport.git([...PUSH, '--dry-run', ...options, REMOTE, `${commit}:${ref}`], {
        silence: untilAnswer(silenceMs),
      }),
    );
  const answer = await dryRun(['--atomic']);
  if (answer.code === 0) return { atomic: true };
  if (!NOT_ATOMIC.test(answer.stderr)) throw pushFailure(answer, { shown, ref });
  const plain = await dryRun([]);
  if (plain.code !== 0) throw pushFailure(plain, { shown, ref });
  return { atomic: false };
}
