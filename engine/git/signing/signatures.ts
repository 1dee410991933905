import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BacktrailError, emailKey, isFailure } from '../../model/index.ts';
import type { ObjectId, Signature } from '../../model/index.ts';
import { lastLine, printable, sentence } from '../process/failure.ts';
import { requireObjectId } from '../store/object-id.ts';
import type { NativeObjects } from '../store/objects.ts';
import { tokens } from '../process/raw-output.ts';
import type { Runner } from '../process/runner.ts';
import { setting } from './signing.ts';
import type { Signing } from './signing.ts';

/** Commits per git process, which starts ssh-keygen a few times for each, one after the other: as many processes as there are cores, up to four. */
const BATCH = 500;
const TOGETHER = Math.min(availableParallelism(), 4);
/** So few are not divided: it would take longer to start another git. */
const FEW = 32;

/**
 * Who signed each of these commits. git verifies only signatures by SSH keys, so that no other program runs.
 * @throws CONFIG_INVALID where the list cannot be read
 */
export async function readSignatures(
  context: { readonly runner: Runner; readonly objects: NativeObjects; readonly signing: Signing },
  ids: readonly ObjectId[],
  {
    file: allowedSigners,
    times,
  }: { readonly file: string | null; readonly times?: ReadonlyMap<ObjectId, number> },
): Promise<Map<ObjectId, Signature>> {
  const { objects } = context;
  const kinds = await Promise.all(ids.map(async (id) => [id, await objects.signature(id)] as const));
  const found = new Map<ObjectId, Signature>(
    kinds.map(([id, kind]) => [id, kind === 'none' ? NOT_SIGNED : UNKNOWN]),
  );
  const signedBySsh = [...new Set(kinds.filter(([, kind]) => kind === 'ssh').map(([id]) => id))];
  const list = allowedSigners === null ? null : resolve(allowedSigners);
  const trusted = list === null ? '' : await readList(list);
  // git checks validity of keys at the date that the committer claims; here it is checked at the time in `times`.
  const timeless = withoutTimes(trusted);
  const mark = async (some: readonly ObjectId[], by: TrustList) => {
    const size = Math.min(BATCH, Math.max(FEW, Math.ceil(some.length / TOGETHER)));
    for (let at = 0; at < some.length; at += TOGETHER * size) {
      const starts = Array.from({ length: TOGETHER }, (_, number) => at + number * size);
      const checked = starts.map((start) => checkEach(context, some.slice(start, start + size), by));
      for (const signatures of await Promise.all(checked))
        for (const [id, signature] of signatures) found.set(id, signature);
    }
  };
  const revoked = context.signing.revoked ?? NOTHING;
  await withList(timeless === trusted ? null : timeless, list ?? NOTHING, (file) =>
    mark(signedBySsh, { file, text: trusted, times, revoked }),
  );
  // git reports `B` also for a revoked key, and for one that the list has for other namespaces.
  const bad = signedBySsh.filter((id) => found.get(id)?.state === 'bad');
  await mark(bad, { file: NOTHING, text: '', times, revoked: NOTHING });
  return found;
}

/** An allowed-signers file, its text, and a file of revoked keys. */
interface TrustList {
  readonly file: string;
  readonly text: string;
  readonly times: ReadonlyMap<ObjectId, number> | undefined;
  readonly revoked: string;
}

/** Runs `use` with a temporary file of this text, or with `file` where the text is null. */
async function withList(
  text: string | null,
  file: string,
  use: (file: string) => Promise<void>,
): Promise<void> {
  if (text === null) return use(file);
  const folder = await mkdtemp(join(tmpdir(), 'backtrail-signers-'));
  try {
    const copy = join(folder, 'allowed-signers');
    await writeFile(copy, text, { mode: 0o600 });
    await use(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const NOTHING = '/dev/null';

const NOT_SIGNED: Signature = { state: 'none', principals: [], key: null };
const UNKNOWN: Signature = { state: 'unknown', principals: [], key: null };
const UNLISTED: Signature = { ...UNKNOWN, unlisted: true };

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

/** git fails on a malformed signature, as ssh-keygen exits before it has read its input: halves the batch to find it. */
async function checkEach(
  context: { readonly runner: Runner; readonly signing: Signing },
  ids: readonly ObjectId[],
  list: TrustList,
): Promise<Map<ObjectId, Signature>> {
  try {
    return ids.length === 0 ? new Map() : await check(context, ids, list);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_FAILED' || context.runner.signal.aborted) throw error;
    if (ids.length === 1) return new Map(ids.map((id) => [id, BAD]));
    const half = Math.ceil(ids.length / 2);
    const first = await checkEach(context, ids.slice(0, half), list);
    return new Map([...first, ...(await checkEach(context, ids.slice(half), list))]);
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
      '--format=tformat:%H%x00%G?%x00%GS%x00%GF%x00%ct',
      '--no-walk=unsorted',
      '--stdin',
    ],
    { input: `${ids.map(requireObjectId).join('\n')}\n` },
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
    const committed = Number(text()) * 1000;
    const time = list.times?.get(id) ?? committed;
    const names = state === 'G' ? principalsOf(list.text, { found: principal, key, time }) : null;
    const isUnlisted = state !== 'G' && list.file !== NOTHING;
    const doubted = state === 'B' ? BAD : isUnlisted ? UNLISTED : UNKNOWN;
    found.set(id, names === null ? { ...doubted, key } : { state: 'good', ...names, key });
  }
  return found;
}

/** Principals, options, type and key of a line. */
const LINE = /^\s*([^\s"#]+)\s+(?:(\S.*?)\s+)?((?:sk-)?(?:ssh|ecdsa)-\S+)\s+([A-Za-z0-9+/=]+)(?:\s|$)/;
const GIT = /^$|^namespaces="(?:[^"]*,)?git(?:,[^"]*)?"$/i;
/** `valid-after` and `valid-before` (ssh-keygen(1), ALLOWED SIGNERS). */
const VALID = /(^|,)valid-(after|before)="?(\d{8}|\d{12}|\d{14})(Z?)"?(?=,|$)/gi;

/** The list without the times between which keys are valid. Those of a certificate authority are left to git: the signing key is not the authority's. */
function withoutTimes(list: string): string {
  return list
    .split('\n')
    .map((line) => {
      const options = LINE.exec(line)?.[2];
      if (options === undefined || /cert-authority/i.test(options)) return line;
      const rest = options.replace(VALID, '').replace(/^,/, '');
      return rest === options ? line : line.replace(options, () => rest);
    })
    .join('\n');
}

/**
 * git prints one principal only. Others with the same key count as well, where their line sets no further condition;
 * patterns with `*` or `?` name no one, and are given apart. null where no line of the key was valid at that time.
 */
function principalsOf(
  list: string,
  signed: { readonly found: string; readonly key: string | null; readonly time: number },
): Pick<Signature, 'principals' | 'served'> | null {
  const { found, key, time } = signed;
  const lines = list.split('\n').flatMap((line) => {
    const [, names = '', options = '', , blob] = LINE.exec(line) ?? [];
    if (blob === undefined || fingerprint(blob) !== key) return [];
    const rest = options.replace(VALID, '').replace(/^,/, '');
    return [{ names: names.split(','), isValid: isValid(options, time), isPlain: GIT.test(rest) }];
  });
  const foundNames = found.split(',').map(emailKey);
  // Of the line that git found, the times were left out: another line of the same names may still be valid.
  const own = lines.filter(({ names }) => names.some((name) => foundNames.includes(emailKey(name))));
  const holds = own.length === 0 || own.some((line) => line.isValid);
  const plain = lines.filter((line) => line.isValid && line.isPlain);
  const others = plain.flatMap(({ names }) => names);
  if (!holds && others.length === 0) return null;
  const all = [...(holds ? foundNames : []), ...others.map(emailKey)];
  const denied = all.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  const served = plain
    .map(({ names }) => names.map(emailKey))
    .filter((names) => names.some((name) => /[*?]/.test(name) && !name.startsWith('!')));
  return {
    principals: [...new Set(all)].filter(
      (name) => name !== '' && !/[*?!]/.test(name) && !denied.includes(name),
    ),
    ...(served.length > 0 && { served }),
  };
}

/** Is a time (milliseconds since 1970) within the validity that the options of a line set? Options that cannot be parsed make the line invalid. */
function isValid(options: string, time: number): boolean {
  const limits = [...options.matchAll(VALID)];
  if (/valid-/i.test(options.replace(VALID, ''))) return false;
  return limits.every(([, , which = '', digits = '', zone = '']) => {
    const limit = timeOfDigits(digits, zone !== '');
    return which.toLowerCase() === 'after' ? time >= limit : time < limit;
  });
}

/** `YYYYMMDD[HHMM[SS]]`, in this machine's zone unless `utc`; NaN, which is before and after nothing, for what is not a valid time. */
function timeOfDigits(digits: string, utc: boolean): number {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?$/.exec(digits) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${utc ? 'Z' : ''}`);
}

const fingerprint = (blob: string) =>
  `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
