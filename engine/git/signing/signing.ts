import { BacktrailError } from '../../model/index.ts';
import type { ObjectId, Person } from '../../model/index.ts';
import { configValue, hostileScope } from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import { lastLine, sentence } from '../process/failure.ts';
import { requireObjectId } from '../store/object-id.ts';
import { identity, seconds } from '../store/identity.ts';
import type { Runner } from '../process/runner.ts';

/**
 * Signatures by SSH keys, as git makes and checks them. Every setting that decides which program runs, and who is trusted, is
 * passed with each call, so that a concurrent change of the configuration has no effect.
 */

export interface Signing {
  /** Configuration to sign with; null where the user does not sign. */
  readonly own: readonly string[] | null;
  /** The same, for the program itself. */
  readonly key: SigningKey | null;
  readonly checking: readonly string[];
  /** The user's own file of revoked keys (`gpg.ssh.revocationFile`). */
  readonly revoked: string | null;
}

export interface SigningKey {
  readonly program: string;
  /** `user.signingKey`: a file, or the public key of one that an agent has. */
  readonly key: string;
}

/**
 * Whether to sign, and with which program, is taken from the user's own settings only; the key also from the repository's: it only
 * names a file, and a signature by a key that no one trusts counts for nothing.
 */
export function signingOf(entries: readonly ConfigEntry[]): Signing {
  const user = entries.filter((entry) => !hostileScope(entry));
  const key = configValue(entries, 'user.signingkey');
  const program = configValue(user, 'gpg.ssh.program') ?? 'ssh-keygen';
  const checking = setting('gpg.ssh.program', program);
  const format = [...setting('gpg.format', 'ssh'), ...checking];
  const signs = configValue(user, 'gpg.format') === 'ssh' && key !== null && key !== '';
  return {
    own: signs ? [...format, ...setting('user.signingKey', key)] : null,
    key: signs ? { program, key } : null,
    checking,
    revoked: configValue(user, 'gpg.ssh.revocationfile'),
  };
}

export const setting = (key: string, value: string) => ['-c', `${key}=${value}`];

/** Commits an existing tree with `git commit-tree`. @throws SIGNING_FAILED */
export async function commitTree(
  runner: Runner,
  signing: Signing,
  commit: {
    readonly tree: ObjectId;
    readonly parent: ObjectId | null;
    readonly author: Person;
    readonly committer: Person;
    readonly time: string;
    readonly message: string;
    readonly sign: boolean;
  },
): Promise<ObjectId> {
  const { tree, parent, time, sign } = commit;
  const [author, committer] = [identity(commit.author), identity(commit.committer)];
  const date = `@${seconds(time)} +0000`;
  const { code, stdout, stderr } = await runner.run(
    [
      ...setting('core.fsync', 'all'),
      ...setting('i18n.commitEncoding', 'UTF-8'),
      ...(signing.own ?? []),
      'commit-tree',
      ...(sign && signing.own !== null ? ['-S'] : ['--no-gpg-sign']),
      ...(parent === null ? [] : ['-p', requireObjectId(parent)]),
      requireObjectId(tree),
    ],
    {
      input: commit.message,
      env: {
        GIT_AUTHOR_NAME: author.name,
        GIT_AUTHOR_EMAIL: author.email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: committer.name,
        GIT_COMMITTER_EMAIL: committer.email,
        GIT_COMMITTER_DATE: date,
      },
      okCodes: [0, 1, 128],
    },
  );
  if (code === 0) return requireObjectId(stdout.toString('latin1').trim());
  throw signingFailed('event', stderr, code);
}

/** The reason is git's own last line, or the prompt of ssh-keygen that no one could answer. */
export function signingFailed(what: string, stderr: string, code: number): BacktrailError {
  const said = stderr.replace(/^fatal: failed to write commit object$/m, '').replace(/\?$/gm, '');
  const why = lastLine(said).replace(/^Enter passphrase[^:]*: /, '');
  return new BacktrailError('SIGNING_FAILED', `The ${what} could not be signed: ${sentence(why, code)}`, {
    ...(/passphrase/.test(why) && {
      hint: 'Give the key to the agent first, with `ssh-add`, then run it again.',
    }),
  });
}

/** By the header of the commit alone: not signed, by an SSH key, or in another way. */
export type SignatureKind = 'none' | 'ssh' | 'other';

/** The first signature header decides, as for `git verify-commit`. */
export function signatureKind(id: ObjectId, bytes: Buffer): SignatureKind {
  const end = bytes.indexOf('\n\n');
  const lines = bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString('latin1')
    .split('\n');
  const header = id.length === 64 ? 'gpgsig-sha256 ' : 'gpgsig ';
  const first = lines.find((line) => line.startsWith(header))?.slice(header.length);
  if (first === undefined) return 'none';
  return first.startsWith('-----BEGIN SSH SIGNATURE-----') ? 'ssh' : 'other';
}
