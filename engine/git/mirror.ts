import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { BacktrailError, isFailure } from '../model/index.ts';
import type { ObjectFormat, ObjectId } from '../model/index.ts';
import { fetchFailure, pushFailure } from './answers.ts';
import { printable } from './failure.ts';
import { withLock } from './lock.ts';
import { splitLogin } from './login.ts';
import type { Environment } from './spawn.ts';
import { createTransport } from './transport.ts';
import type { Transport, TransportAnswer } from './transport.ts';

/**
 * Our own bare copy of a remote: its branches under `refs/remotes/origin/`, our refs there under `refs/backtrail/remote/`.
 * It is a cache: what is staged in it is published or forgotten.
 */
export interface Mirror {
  readonly directory: string;
  /** Fetches every branch. */
  refresh(): Promise<void>;
  /** Fetches one branch. BRANCH_UNKNOWN where the remote has none of that name. */
  fetchBranch(branch: string): Promise<void>;
  /** The branch that the remote's HEAD names. */
  head(): Promise<string>;
  push(edit: {
    readonly branch: string;
    readonly expected: ObjectId;
    readonly next: ObjectId;
  }): Promise<void>;
  /** Resolves when nothing runs in the background any more. */
  idle(): Promise<void>;
}

export interface MirrorOptions {
  readonly url: string;
  readonly cacheFolder: string;
  /** The hardened environment, which names the url as that of REMOTE. */
  readonly env: Environment;
  /** Milliseconds for one fetch or push. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /**
   * Puts objects, and tracking refs to them, into a new mirror, so that the first fetch brings only what is missing. Nothing
   * of the refs stays but what that fetch, which prunes, leaves. A failure costs time only.
   */
  readonly seed?: (directory: string) => Promise<void>;
}

/** Not `origin`: the user's own configuration may speak of that. */
export const REMOTE = 'backtrail';
export const TRACKING = 'refs/remotes/origin';

const REFSPECS = [`+refs/heads/*:${TRACKING}/*`, '+refs/backtrail/*:refs/backtrail/remote/*'];
const FETCH = [
  'fetch',
  '--no-tags',
  '--no-auto-maintenance',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--refmap=',
];
const COMMIT_GRAPH = ['commit-graph', 'write', '--reachable', '--changed-paths', '--no-progress'];
const CLEAN_UP = [
  '-c',
  'gc.auto=6700',
  '-c',
  'gc.autoDetach=false',
  '-c',
  'gc.writeCommitGraph=false',
  'gc',
  '--auto',
  '--quiet',
];

/** Older lock files of git in our own mirror were left by a process that was killed. */
const STALE_MS = 60_000;

/** Another password is no other repository. */
export function mirrorFolder(cacheFolder: string, url: string): string {
  const name = createHash('sha256').update(splitLogin(url).address).digest('hex');
  return join(resolve(cacheFolder), 'mirrors', `${name}.git`);
}

/** Opens the mirror, up to date; makes it first where there is none yet. */
export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  const directory = mirrorFolder(options.cacheFolder, options.url);
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  const mirror = createMirror(directory, options);
  if (await exists(directory)) await mirror.refresh();
  else await lockedBy(directory, options, () => fillNew(directory, options));
  return mirror;
}

/** It appears under its name only when it is whole. */
async function fillNew(directory: string, options: MirrorOptions): Promise<void> {
  if (await exists(directory)) return;
  await removeUnfinished(directory);
  const unfinished = `${directory}.new-${randomUUID()}`;
  try {
    const transport = transportOf(unfinished, options);
    const fill = async (format: ObjectFormat) => {
      await makeEmpty(unfinished, format, transport);
      await options.seed?.(unfinished).catch(() => undefined);
      return reach(options.url, () => transport.git([...FETCH, '--prune', REMOTE, ...REFSPECS]));
    };
    let answer = await fill('sha1');
    if (OTHER_FORMAT.test(answer.stderr)) answer = await fill('sha256');
    const known = options.seed !== undefined;
    if (answer.code !== 0) throw fetchFailure(answer, { shown: printable(options.url), known });
    await transport.git(COMMIT_GRAPH);
    await rename(unfinished, directory);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What git says where the remote has SHA-256 ids; a mirror has to have ids of the same kind. */
const OTHER_FORMAT = /mismatched algorithms: client sha1; server sha256/;

async function makeEmpty(directory: string, format: ObjectFormat, transport: Transport): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  const made = await transport.git([
    'init',
    '--quiet',
    '--bare',
    '--template=',
    `--object-format=${format}`,
    '.',
  ]);
  if (made.code !== 0)
    throw new BacktrailError('GIT_FAILED', `The mirror could not be made: ${printable(made.stderr)}`);
}

function createMirror(directory: string, options: MirrorOptions): Mirror {
  const { url, signal } = options;
  const shown = printable(url);
  const transport = transportOf(directory, options);
  let background = Promise.resolve();

  const fetch = (refspecs: readonly string[]) =>
    lockedBy(directory, options, () => fetchUnlocked({ transport, directory, url, refspecs }));
  const maintain = async () => {
    for (const args of [[...COMMIT_GRAPH, '--split'], CLEAN_UP])
      if (!signal.aborted) await transport.git(args).catch(() => undefined);
  };
  return {
    directory,
    async refresh() {
      const { stderr } = await fetch(['--prune', REMOTE, ...REFSPECS]);
      if (stderr.includes(' -> ')) background = background.then(maintain);
    },
    async fetchBranch(branch) {
      await fetch([REMOTE, `+refs/heads/${branch}:${TRACKING}/${branch}`]);
    },
    async head() {
      const answer = await reach(url, () => transport.git(['ls-remote', '--symref', REMOTE, 'HEAD']));
      if (answer.code !== 0) throw fetchFailure(answer, { shown, known: true });
      const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(answer.stdout)?.[1];
      if (branch === undefined)
        throw new BacktrailError('BRANCH_UNKNOWN', `HEAD names no branch at ${shown}.`);
      return branch;
    },
    async push({ branch, expected, next }) {
      const answer = await reach(url, () => pushOnce(transport, { branch, expected, next }));
      if (answer.code !== 0) throw pushFailure(answer, { shown, branch });
    },
    idle: () => background,
  };
}

const ATTEMPTS = 5;

/** A lock file that a killed git left behind is removed; in a mirror nobody else's work is at stake. */
async function fetchUnlocked(call: {
  transport: Transport;
  directory: string;
  url: string;
  refspecs: readonly string[];
}): Promise<TransportAnswer> {
  const { transport, directory, url, refspecs } = call;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await reach(url, () => transport.git([...FETCH, ...refspecs]));
    if (answer.code === 0) return answer;
    // A push of another process, which needs no lock of ours, moved the tracking ref while this fetch was under way.
    if (attempt < ATTEMPTS && /cannot lock ref .*: is at \w+ but expected/.test(answer.stderr)) continue;
    if (/couldn't find remote ref/.test(answer.stderr))
      throw new BacktrailError('BRANCH_UNKNOWN', `The branch is not at ${printable(url)}.`);
    const failure = fetchFailure(answer, { shown: printable(url), known: true });
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

/** Atomic where the server can; one ref alone is all or nothing anyway. */
async function pushOnce(
  transport: Transport,
  { branch, expected, next }: { branch: string; expected: ObjectId; next: ObjectId },
): Promise<TransportAnswer> {
  const lease = `--force-with-lease=refs/heads/${branch}:${expected}`;
  const options = [
    '--porcelain',
    '--no-verify',
    '--no-signed',
    '--no-follow-tags',
    '--recurse-submodules=no',
    lease,
  ];
  const refspec = `${next}:refs/heads/${branch}`;
  const answer = await transport.git(['push', ...options, '--atomic', REMOTE, refspec]);
  if (answer.code === 0 || !/does not support --atomic/.test(answer.stderr)) return answer;
  return transport.git(['push', ...options, REMOTE, refspec]);
}

/** A remote that takes too long is one that cannot be reached. */
async function reach<Value>(url: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'GIT_TIMEOUT') throw error;
    throw new BacktrailError('REMOTE_UNAVAILABLE', `${printable(url)} did not answer in time.`, {
      cause: error,
    });
  }
}

function transportOf(directory: string, { env, timeoutMs, signal }: MirrorOptions): Transport {
  return createTransport({ directory, env: { ...env, GIT_DIR: directory }, timeoutMs, signal });
}

function lockedBy<Value>(
  directory: string,
  options: MirrorOptions,
  work: () => Promise<Value>,
): Promise<Value> {
  return withLock(`${directory}.lock`, { waitMs: options.timeoutMs, signal: options.signal }, work);
}

/** What killed processes began; whoever holds the lock may remove it. */
async function removeUnfinished(directory: string): Promise<void> {
  const begun = `${basename(directory)}.new-`;
  for (const name of await readdir(dirname(directory)))
    if (name.startsWith(begun)) await rm(join(dirname(directory), name), { recursive: true, force: true });
}

async function exists(directory: string): Promise<boolean> {
  return (await stat(join(directory, 'HEAD')).catch(() => null)) !== null;
}
