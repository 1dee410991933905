import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BacktrailError } from '../model/index.ts';
import type { ObjectId, Person, Signature } from '../model/index.ts';
import { configValue, hostileScope } from './config.ts';
import type { ConfigEntry } from './config.ts';
import { lastLine, printable, sentence } from './failure.ts';
import { known } from './history.ts';
import { identity, seconds } from './import.ts';
import type { NativeObjects } from './objects.ts';
import { tokens } from './raw.ts';
import type { Runner } from './runner.ts';

/**
 * Signatures by SSH keys, as git makes and checks them. All that decides what runs, and who is trusted, is given to git with
 * each call, so that a configuration that changes meanwhile changes nothing.
 */

export interface Signing {
  /** Configuration to sign with; null where the user does not sign. */
  readonly own: readonly string[] | null;
  readonly checking: readonly string[];
  /** The user's own file of keys that do not count any more. */
  readonly revoked: string | null;
}

/**
 * That they sign, and with which program, is for the user's own settings to say; which of their keys, also for the
 * repository's: it names a file, and what it signs with another key counts for nobody.
 */
export function signingOf(entries: readonly ConfigEntry[]): Signing {
  const user = entries.filter((entry) => !hostileScope(entry));
  const key = configValue(entries, 'user.signingkey');
  const program = setting('gpg.ssh.program', configValue(user, 'gpg.ssh.program') ?? 'ssh-keygen');
  const format = [...setting('gpg.format', 'ssh'), ...program];
  const signs = configValue(user, 'gpg.format') === 'ssh' && key !== null && key !== '';
  return {
    own: signs ? [...format, ...setting('user.signingKey', key)] : null,
    checking: program,
    revoked: configValue(user, 'gpg.ssh.revocationfile'),
  };
}

const setting = (key: string, value: string) => ['-c', `${key}=${value}`];

/** A commit of a tree that is there, made by git itself. SIGNING_FAILED where it is to be signed and cannot be. */
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
      ...(parent === null ? [] : ['-p', known(parent)]),
      known(tree),
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
  if (code === 0) return known(stdout.toString('latin1').trim());
  const why = lastLine(stderr.replace(/^fatal: failed to write commit object$/m, '').replaceAll('?\n', '\n'));
  throw new BacktrailError('SIGNING_FAILED', `The event could not be signed: ${sentence(why, code)}`);
}

/** What one look at a commit's header tells: not signed, by an SSH key, or in another way. */
export type SignatureKind = 'none' | 'ssh' | 'other';

/** As git finds it: the first of its headers of that name says how, whatever further ones say. */
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

/** Commits for one run of git, which starts ssh-keygen a few times for each. */
const BATCH = 500;

/**
 * Who signed each of these commits. Only those with a signature by an SSH key are asked of git: no other program runs.
 * CONFIG_INVALID where the list cannot be read.
 */
export async function readSignatures(
  place: { readonly runner: Runner; readonly objects: NativeObjects; readonly signing: Signing },
  ids: readonly ObjectId[],
  allowedSigners: string | null,
): Promise<Map<ObjectId, Signature>> {
  const { objects } = place;
  const kinds = await Promise.all(ids.map(async (id) => [id, await objects.signature(id)] as const));
  const found = new Map<ObjectId, Signature>(
    kinds.map(([id, kind]) => [id, kind === 'none' ? NOT_SIGNED : UNKNOWN]),
  );
  const asked = [...new Set(kinds.filter(([, kind]) => kind === 'ssh').map(([id]) => id))];
  const list = allowedSigners === null ? null : resolve(allowedSigners);
  const trusted = list === null ? '' : await readList(list);
  const mark = async (some: readonly ObjectId[], by: TrustList) => {
    for (let at = 0; at < some.length; at += BATCH)
      for (const [id, signature] of await check(place, some.slice(at, at + BATCH), by))
        found.set(id, signature);
  };
  const revoked = place.signing.revoked ?? NOTHING;
  await mark(asked, { file: list ?? NOTHING, text: trusted, revoked });
  // git also calls bad what was signed by a key that is revoked, or that the list has for other uses.
  const bad = asked.filter((id) => found.get(id)?.state === 'bad');
  await mark(bad, { file: NOTHING, text: '', revoked: NOTHING });
  return found;
}

/** Whom git is to believe: a file, what stands in it, and a file of keys that do not count any more. */
interface TrustList {
  readonly file: string;
  readonly text: string;
  readonly revoked: string;
}

const NOTHING = '/dev/null';

const NOT_SIGNED: Signature = { state: 'none', principals: [], key: null };
const UNKNOWN: Signature = { state: 'unknown', principals: [], key: null };

async function readList(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new BacktrailError('CONFIG_INVALID', `The list of allowed signers ${file} cannot be read.`, {
      hint: 'Name a file that can be read, in the format of `man ssh-keygen`: BACKTRAIL_ALLOWED_SIGNERS=FILE.',
      cause,
    });
  }
}

const LOG = ['log', '-z', '--no-patch', '--no-notes', '--no-decorate', '--no-show-signature', '--no-color'];

async function check(
  { runner, signing }: { runner: Runner; signing: Signing },
  ids: readonly ObjectId[],
  list: TrustList,
): Promise<Map<ObjectId, Signature>> {
  const trust = [
    ...setting('gpg.ssh.allowedSignersFile', list.file),
    ...setting('gpg.ssh.revocationFile', list.revoked),
  ];
  const { stdout, stderr } = await runner.run(
    [
      ...signing.checking,
      ...trust,
      ...LOG,
      '--format=tformat:%H%x00%G?%x00%GS%x00%GF',
      '--no-walk=unsorted',
      '--stdin',
    ],
    { input: `${ids.map(known).join('\n')}\n` },
  );
  if (/cannot (run|exec) /.test(stderr))
    throw new BacktrailError('GIT_FAILED', `No signature can be checked: ${sentence(lastLine(stderr), 0)}`, {
      hint: 'Install OpenSSH, so that ssh-keygen is on PATH.',
    });
  const found = new Map<ObjectId, Signature>();
  const rest = tokens(stdout);
  const text = () => rest.next()?.toString('utf8') ?? '';
  for (let id = text(); id !== ''; id = text()) {
    const state = text();
    const [principal, key] = [text(), printable(text()) || null];
    found.set(
      id,
      state === 'G'
        ? { state: 'good', principals: principalsOf(list.text, principal, key), key }
        : { state: state === 'B' ? 'bad' : 'unknown', principals: [], key },
    );
  }
  return found;
}

/** Principals, options, type and key of a line. */
const LINE = /^\s*([^\s"#]+)\s+(?:(\S.*?)\s+)?((?:sk-)?(?:ssh|ecdsa)-\S+)\s+([A-Za-z0-9+/=]+)(?:\s|$)/;
const PLAIN = /^$|^namespaces="(?:[^"]*,)?git(?:,[^"]*)?"$/i;

/**
 * git tells one principal only. Others that have the same key hold just as well, where their line sets no further condition;
 * names with `*` or `?` in them are nobody's.
 */
function principalsOf(list: string, found: string, key: string | null): string[] {
  const others = list.split('\n').flatMap((line) => {
    const [, names = '', options = '', , blob] = LINE.exec(line) ?? [];
    return blob !== undefined && fingerprint(blob) === key && PLAIN.test(options) ? names.split(',') : [];
  });
  const all = [...found.split(','), ...others].map((name) => name.trim().toLowerCase());
  const denied = all.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  return [...new Set(all)].filter((name) => name !== '' && !/[*?!]/.test(name) && !denied.includes(name));
}

const fingerprint = (blob: string) =>
  `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
