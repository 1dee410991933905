/** The programs and folders that Backtrail works with, and who works with it. */
import { quotePath, type RepositoryReader } from '../model/index.ts';
import { type Check, isFailure, type Person } from '../model/index.ts';
import type { ProcessEnvironment } from '../git/process/spawn.ts';
import { freeBytes, type Health, isWritable, openHealth, userConfig } from '../git/local/health.ts';
import { findProgram, GIT_FEATURES, gitVersion, OLDEST_GIT } from '../git/process/program.ts';
import { settled } from './attempt.ts';

const machine = (
  name: string,
  status: Check['status'],
  said: Omit<Check, 'area' | 'name' | 'status'>,
): Check => ({
  area: 'machine',
  name,
  status,
  ...said,
});

const OLDEST_NODE = [20, 19] as const;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST_NODE;
  if (major > oldest || (major === oldest && minor >= oldestMinor))
    return machine('node', 'ok', { message: `Node.js is ${version}.` });
  return machine('node', 'fail', {
    message: `Node.js is ${version}, which is too old.`,
    hint: `Install Node.js ${OLDEST_NODE.join('.')} or later.`,
  });
}

/** `reads`: the repository could be opened. */
export async function checkGit(env: ProcessEnvironment, reads: boolean): Promise<Check> {
  const hint = `Install git ${OLDEST_GIT} or later and put it on PATH.`;
  const still = reads
    ? 'Looking (environments, history, show, compare, plan, log) works here without it; rollbacks and remotes do not.'
    : 'No command works here without it.';
  try {
    const [{ text, missing }, path] = await Promise.all([gitVersion(env, 10_000), findProgram('git', env)]);
    const features = GIT_FEATURES.map(({ name }) => ({ name, present: !missing.includes(name) }));
    const details = { version: text, path, features };
    if (missing.length === 0)
      return machine('git', 'ok', {
        message: `git is ${text}${path === null ? '' : `, at ${path}`}.`,
        details,
      });
    const message = `git ${text} is too old: it has no ${missing.join(', no ')}. ${still}`;
    return machine('git', 'fail', { message, hint, details });
  } catch (error) {
    if (!isFailure(error)) throw error;
    return machine('git', 'fail', { message: `${error.message} ${still}`, hint });
  }
}

/** A local repository by itself needs no mirror. */
export async function checkCache(folder: string, needed: boolean): Promise<Check> {
  if (await isWritable(folder))
    return machine('cache', 'ok', { message: `Mirrors of remotes can be kept in ${quotePath(folder)}.` });
  return machine('cache', needed ? 'fail' : 'warn', {
    message: `Mirrors of remotes cannot be kept in ${quotePath(folder)}: it cannot be written to.`,
    hint: 'Make it writable, or name another folder with XDG_CACHE_HOME.',
  });
}

const GIGABYTE = 1024 ** 3;

export interface DiskUse {
  readonly folder: string;
  readonly free: number;
  /** Bytes of the repository that is there. */
  readonly size: number;
}

export async function checkDisk(place: {
  readonly git: RepositoryReader | null;
  readonly health: Health | null;
  readonly cacheFolder: string;
  readonly env: ProcessEnvironment;
}): Promise<Check | null> {
  const { git, health, cacheFolder } = place;
  const folder = health?.common ?? git?.directory ?? cacheFolder;
  const free = await freeBytes(folder);
  if (free === null) return null;
  const size = await settled(sizeOf(place, folder));
  return diskCheck({ folder, free, size: 'value' in size ? size.value : 0 });
}

async function sizeOf({ git, health, env }: Parameters<typeof checkDisk>[0], folder: string) {
  const own = health ?? (git && (await openHealth({ location: folder, folder, env })));
  return own ? own.size() : 0;
}

export function diskCheck({ folder, free, size }: DiskUse): Check {
  const said = `${gigabytes(free)} are free at ${quotePath(folder)}`;
  // How much is free changes all the time; the message says it roughly.
  const details = { folder, size };
  if (free >= Math.max(GIGABYTE, 2 * size)) return machine('disk', 'ok', { message: `${said}.`, details });
  const needed = `the repository takes ${gigabytes(size)}, and maintenance may take as much again`;
  return machine('disk', 'warn', {
    message: `Only ${said}: ${size * 2 > GIGABYTE ? needed : 'that is less than 1 GB'}.`,
    hint: 'Free some space.',
    details,
  });
}

const gigabytes = (bytes: number) =>
  bytes >= 10 * GIGABYTE ? `${Math.round(bytes / GIGABYTE)} GB` : `${(bytes / GIGABYTE).toFixed(1)} GB`;

export async function checkIdentity(
  git: RepositoryReader | null,
  { env, account, committer }: { env: ProcessEnvironment; account: Person; committer: Person },
): Promise<Check | null> {
  const user = await settled(userConfig(env));
  const { entries, identity } = 'value' in user ? user.value : { entries: [], identity: null };
  const author = (git && (await git.identity())) ?? identity;
  // Without git its configuration is not known.
  if ('error' in user && !author) return null;
  const signs = entries.some(({ key, value }) => key === 'commit.gpgsign' && value !== 'false');
  const unsigned = signs
    ? ' Its commits are not signed, whatever commit.gpgSign says, unless `commit.sign` of the configuration or `--sign` says so.'
    : '';
  const details = { author: author ?? account, committer, commitGpgSign: signs };
  if (author)
    return machine('identity', 'ok', {
      message: `Rollbacks are asked for by ${person(author)}, and committed by ${person(committer)}.${unsigned}`,
      details,
    });
  return machine('identity', 'warn', {
    message: `Git knows no identity, so rollbacks are asked for by ${account.email}.${unsigned}`,
    hint: 'git config --global user.name NAME; git config --global user.email EMAIL',
    details,
  });
}

const person = ({ name, email }: Person) => `${name} <${email}>`;
