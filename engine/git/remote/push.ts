import { randomUUID } from 'node:crypto';
import type { ObjectId } from '../../model/index.ts';
import { pushFailure } from './answers.ts';
import { shownAddress } from '../process/failure.ts';
import { SMALL_WINDOWS } from '../process/small-windows.ts';
import { reach } from './mirror-fetch.ts';
import type { RefEdit } from '../store/refs.ts';
import type { Transport, TransportAnswer } from './transport.ts';

/** Not `origin`: the user's own configuration may speak of that. */
export const REMOTE = 'backtrail';

const PUSH = [
  ...SMALL_WINDOWS,
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

/**
 * Moves refs at the remote, each under a lease, all or none; they descend from what is expected, for a lease forces, except for branches of ours. One ref alone is all or
 * nothing also where the server has no atomic pushes; several are not pushed there.
 */
export async function pushOnce(
  transport: Transport,
  moves: readonly RefEdit[],
  silenceMs: number,
): Promise<TransportAnswer> {
  const options = [
    ...PUSH,
    ...moves.map(({ ref, expected }) => `--force-with-lease=${ref}:${expected ?? ''}`),
  ];
  const refspecs = moves.map(({ ref, next }) => `${next ?? ''}:${ref}`);
  const silence = untilAnswer(silenceMs);
  const answer = await transport.git([...options, '--atomic', REMOTE, ...refspecs], { silence });
  if (answer.code === 0 || moves.length > 1 || !isNotAtomic(answer)) return answer;
  return transport.git([...options, REMOTE, ...refspecs], { silence });
}

export const isNotAtomic = ({ stderr }: TransportAnswer) => NOT_ATOMIC.test(stderr);

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
  if (!isNotAtomic(answer)) throw pushFailure(answer, { shown, ref });
  const plain = await dryRun([]);
  if (plain.code !== 0) throw pushFailure(plain, { shown, ref });
  return { atomic: false };
}
