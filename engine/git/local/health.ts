import { access, constants, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readCommitGraph } from '../store/commit-graph.ts';
import type { CommitGraph } from '../store/commit-graph.ts';
import { identityOf, LIST_CONFIG, parseConfigList } from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import { discoveryEnvironment, hardenedEnvironment, overriddenKeys } from '../process/environment.ts';
import type { ProcessEnvironment } from '../process/spawn.ts';
import { gitFailure } from '../process/failure.ts';
import { repositoryUnknown } from '../remote/location.ts';
import { createRunner } from '../process/runner.ts';
import type { Runner } from '../process/runner.ts';
import { run } from '../process/spawn.ts';
import { checkedOutIn } from './worktree.ts';

/** What could be in the way of a repository that can be read. It looks only. */
export interface Health {
  /** The git directory; of a linked worktree, its own. */
  readonly directory: string;
  /** The git directory that linked worktrees share. */
  readonly common: string;
  readonly shallow: boolean;
  /** Objects were left out when it was cloned. */
  readonly partial: boolean;
  readonly objectFormat: string;
  /** Keys of the repository's own configuration that do not hold under Backtrail. */
  readonly overridden: readonly string[];
  /** Programs in the folder of hooks: none of them runs. */
  readonly hooks: readonly string[];
  /** Lock files of git, with the time of their last change in milliseconds since 1970. */
  locks(): Promise<readonly LockFile[]>;
  /** What rollbacks staged and left, with the committer's time in milliseconds since 1970. */
  staging(): Promise<readonly { readonly ref: string; readonly time: number }[]>;
  graph(): Promise<CommitGraph | null>;
  /** How many commits all refs reach. */
  commits(): Promise<number>;
  /** The worktree in which a branch is checked out. */
  checkedOutIn(branch: string): Promise<string | null>;
  /** How many paths of a worktree differ from its HEAD; files that are not tracked do not count. */
  changedIn(worktree: string): Promise<number>;
  /** Bytes of packs and loose objects. */
  size(): Promise<number>;
}

export interface LockFile {
  readonly path: string;
  /** Relative to the git directory that holds it, with `/`. */
  readonly name: string;
  readonly time: number;
}

/** Of the repository that a folder of this machine is or lies in. REPOSITORY_UNKNOWN, REPOSITORY_UNTRUSTED, GIT_MISSING. */
export async function openHealth(place: {
  readonly location: string;
  readonly folder: string;
  readonly env: ProcessEnvironment;
}): Promise<Health> {
  const { location, folder, env: user } = place;
  const here = { cwd: folder, env: discoveryEnvironment(user), okCodes: [0, 128] };
  const { code, stdout, stderr } = await run({ ...here, args: FIND });
  if (/not a git repository/.test(stderr)) throw repositoryUnknown(location);
  if (code !== 0) throw gitFailure({ args: FIND, code, stderr });
  const [directory = '', shared = '', shallow, objectFormat = ''] = stdout.toString('utf8').split('\n');
  const common = resolve(folder, shared);
  const config = await listConfig(user, directory);
  const env = hardenedEnvironment({ user, entries: config, transport: false });
  const runner = createRunner({ directory, env, timeoutMs: 120_000, signal: new AbortController().signal });
  return {
    directory,
    common,
    shallow: shallow === 'true',
    partial: config.some(({ key }) => /^extensions\.partialclone$|^remote\..*\.promisor$/s.test(key)),
    objectFormat,
    overridden: overriddenKeys(config),
    hooks: await hooksIn(join(common, 'hooks')),
    locks: async () => [
      ...(await locksIn(directory)),
      ...(common === directory ? [] : await locksIn(common)),
    ],
    staging: () => staging(runner),
    graph: () => readCommitGraph(common),
    commits: async () => Number(await runner.text(['rev-list', '--count', '--all'])),
    checkedOutIn: (branch) => checkedOutIn(runner, branch),
    changedIn: (worktree) => changedIn(runner, worktree),
    size: () => objectSize(runner),
  };
}

const FIND = [
  'rev-parse',
  '--absolute-git-dir',
  '--git-common-dir',
  '--is-shallow-repository',
  '--show-object-format',
];

async function listConfig(user: ProcessEnvironment, directory: string | null): Promise<ConfigEntry[]> {
  const env = { ...discoveryEnvironment(user), ...(directory !== null && { GIT_DIR: directory }) };
  const { stdout } = await run({ args: LIST_CONFIG, cwd: directory ?? '/', env });
  return parseConfigList(stdout);
}

/** The user's own configuration, where no repository says anything. */
export async function userConfig(env: ProcessEnvironment) {
  const entries = await listConfig(env, null);
  return { entries, identity: identityOf(entries, env) };
}

async function hooksIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const { mode = 0 } = (await stat(join(folder, name)).catch(() => null)) ?? {};
      return name.endsWith('.sample') || (mode & 0o111) === 0 ? [] : [name];
    }),
  );
  return found.flat().sort();
}

/** The folders of a git directory in which git makes lock files that last: not those of objects, which are many. */
async function locksIn(directory: string): Promise<LockFile[]> {
  const listed = await Promise.all([
    readdir(directory),
    ...['refs', 'objects/info'].map(async (folder) =>
      (await readdir(join(directory, folder), { recursive: true }).catch(() => [])).map(
        (name) => `${folder}/${name}`,
      ),
    ),
  ]);
  const locks: LockFile[] = [];
  for (const name of listed.flat().filter((name) => name.endsWith('.lock'))) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => null);
    if (found?.isFile() === true) locks.push({ path, name, time: found.mtimeMs });
  }
  return locks;
}

async function staging(runner: Runner): Promise<{ ref: string; time: number }[]> {
  const format = '--format=%(committerdate:unix) %(refname)';
  const listed = await runner.text(['for-each-ref', format, 'refs/backtrail/staging/']);
  return [...listed.matchAll(/^(\d+) (.+)$/gm)].map(([, seconds, ref = '']) => ({
    ref,
    time: Number(seconds) * 1000,
  }));
}

async function objectSize(runner: Runner): Promise<number> {
  const counted = await runner.text(['count-objects', '-v']);
  const kilobytes = [...counted.matchAll(/^(?:size|size-pack): (\d+)$/gm)];
  return kilobytes.reduce((sum, [, value]) => sum + Number(value) * 1024, 0);
}

async function changedIn(runner: Runner, worktree: string): Promise<number> {
  const { stdout } = await runner.run(
    // In a submodule another git would run, under the configuration of that submodule.
    ['status', '--porcelain', '-z', '--untracked-files=no', '--no-renames', '--ignore-submodules=all'],
    {
      cwd: worktree,
      env: { GIT_WORK_TREE: worktree },
    },
  );
  return stdout.toString('latin1').split('\0').filter(Boolean).length;
}

/** Can files be made in this folder, or, where it is not there yet, in the nearest one above it? Makes none. */
export async function isWritable(folder: string): Promise<boolean> {
  const nearest = await nearestFolder(folder);
  return nearest !== null && (await access(nearest, constants.W_OK | constants.X_OK).then(yes, no));
}

/** Bytes that may still be written there; null where that cannot be known. */
export async function freeBytes(folder: string): Promise<number | null> {
  const nearest = await nearestFolder(folder);
  const disk = nearest === null ? null : await statfs(nearest).catch(() => null);
  return disk === null ? null : disk.bavail * disk.bsize;
}

const yes = () => true;
const no = () => false;

/** null where a file is in the way. */
async function nearestFolder(folder: string): Promise<string | null> {
  try {
    return (await stat(folder)).isDirectory() ? folder : null;
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return absent && dirname(folder) !== folder ? nearestFolder(dirname(folder)) : null;
  }
}
