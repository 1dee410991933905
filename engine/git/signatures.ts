import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BacktrailError, isFailure } from '../model/index.ts';
import type { ObjectId, Signature } from '../model/index.ts';
import { lastLine, printable, sentence } from './failure.ts';
import { known } from './history.ts';
import type { NativeObjects } from './objects.ts';
import { tokens } from './raw.ts';
import type { Runner } from './runner.ts';
import { setting } from './signing.ts';
import type { Signing } from './signing.ts';

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
      for (const [id, signature] of await checkEach(place, some.slice(at, at + BATCH), by))
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

const BAD: Signature = { state: 'bad', principals: [], key: null };

/** git ends with a signature that makes no sense, as ssh-keygen does not wait for what it should sign: the others are asked again. */
async function checkEach(
  place: { readonly runner: Runner; readonly signing: Signing },
  ids: readonly ObjectId[],
  list: TrustList,
): Promise<Map<ObjectId, Signature>> {
  try {
    return ids.length === 0 ? new Map() : await check(place, ids, list);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_FAILED' || place.runner.signal.aborted) throw error;
    if (ids.length === 1) return new Map(ids.map((id) => [id, BAD]));
    const half = Math.ceil(ids.length / 2);
    const first = await checkEach(place, ids.slice(0, half), list);
    return new Map([...first, ...(await checkEach(place, ids.slice(half), list))]);
  }
}

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
  if (/^(error|fatal): cannot (run|exec) /m.test(stderr))
    throw new BacktrailError('GIT_MISSING', `No signature can be checked: ${sentence(lastLine(stderr), 0)}`, {
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
        : { ...(state === 'B' ? BAD : UNKNOWN), key },
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
