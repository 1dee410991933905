import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { printable } from '../process/failure.ts';
import { BacktrailError, isFailure, isObjectId, quotePath } from '../../model/index.ts';
import type {
  BranchEdit,
  Finding,
  Head,
  ObjectFormat,
  Progress,
  RefMove,
  RequestId,
} from '../../model/index.ts';
import { configValue, identityOf, isPartial } from '../process/config.ts';
import { type ConfigReader, createConfigReader } from '../config-reader.ts';
import type { ConfigEntry } from '../process/config.ts';
import { discoveryEnvironment, hardenedEnvironment, quarantineOf } from '../process/environment.ts';
import type { ProcessEnvironment } from '../process/spawn.ts';
import { gitFailure } from '../process/failure.ts';
import { requireOwnFilters } from './filters.ts';
import { repositoryUnknown } from '../remote/location.ts';
import type { NativeObjects } from '../store/objects.ts';
import { createLedgerStore } from '../ledger/store.ts';
import {
  branchMoved,
  isBranchName,
  proposedEdit,
  readBranch,
  readExactly,
  readRef,
  requireDescent,
  updateRefs,
} from '../store/refs.ts';
import { indexPlace, type KnownLines } from '../history/line-cache.ts';
import { common } from '../repository.ts';
import type { Common, GitRepository } from '../repository.ts';
import { requireVersion } from '../process/program.ts';
import { createRunner } from '../process/runner.ts';
import type { Runner } from '../process/runner.ts';
import { userFileIn } from '../signing/signers.ts';
import { signingOf } from '../signing/signing.ts';
import { run } from '../process/spawn.ts';
import type { Environment } from '../process/spawn.ts';
import { firstOverlap } from './overlap.ts';
import { aloneWith, requireLasting, requireLastingRef } from './upstream.ts';
import { checkedOutIn, fastForward, samePlace } from './worktree.ts';

export interface LocalOptions {
  readonly location: string;
  readonly folder: string;
  readonly env: ProcessEnvironment;
  readonly cacheFolder: string;
  readonly timeoutMs: number;
  readonly lines: KnownLines;
  readonly quarantine?: boolean | undefined;
  readonly sign?: boolean | undefined;
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

/** What a clone needs of its local side besides. */
export interface LocalRepository extends GitRepository {
  readonly objects: NativeObjects;
  readonly runner: Runner;
  readonly partial: boolean;
  /** The git directory that linked worktrees share. */
  readonly commonDirectory: string;
  /** The whole configuration that holds here now. */
  config(): Promise<ConfigEntry[]>;
  /** Where this worktree has the branch checked out: the first local change in the way of one of `paths`, or null. */
  overlap(branch: string, paths: readonly string[]): Promise<string | null>;
}

/** A repository of this machine: a worktree, a folder in one, a linked worktree, a git directory, a bare repository. */
export async function openLocal(options: LocalOptions): Promise<LocalRepository> {
  const found = await discover(options);
  const stop = new AbortController();
  const reader = createConfigReader({ ...options, ...found });
  const entries = await reader.fresh();
  const env = {
    ...hardenedEnvironment({ user: options.env, entries, transport: false }),
    ...(options.quarantine && quarantineOf(options.env)),
    // Where the configuration names the worktree, git takes its own folder for a part of it, and paths begin there.
    ...(configValue(entries, 'core.worktree') !== null && { GIT_WORK_TREE: found.directory }),
  };
  const runner = createRunner({
    directory: found.directory,
    env,
    timeoutMs: options.timeoutMs,
    signal: stop.signal,
    onProgress: options.onProgress,
  });
  const shared = common(runner, {
    ...found,
    index: indexPlace(found.common, options),
    signing: signingOf(entries),
    sign: options.sign,
  });
  const local: Local = {
    ...options,
    runner,
    shared,
    config: reader,
    worktree: found.worktree,
    bare: found.bare,
    dropped: new Set(),
  };
  const folder = found.worktree ?? found.directory;
  const notices = ({ branch }: { branch: string }) => Promise.resolve(aloneWith({ entries, folder }, branch));
  return {
    ...shared,
    runner,
    partial: isPartial(entries),
    commonDirectory: found.common,
    config: () => reader.read(),
    overlap: (branch, paths) => overlap(local, branch, paths),
    kind: 'local',
    location: options.location,
    worktree: found.worktree,
    resolve: async (revision) => {
      if (revision === '' || /[\0\n]/.test(revision)) return null;
      const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
      const commit = await runner.text(args, { okCodes: [0, 1, 128] });
      return isObjectId(commit) ? commit : null;
    },
    head: () => readHead(runner),
    checkedOut: async () => (await readHead(runner)).branch,
    defaultBranch: () => headBranch(runner),
    tip: (branch) => tip(local, branch),
    refresh: () => Promise.resolve(),
    preview: async (edit) => [...(await notices(edit)), ...(await filterFindings(local, edit))],
    destination: (branch) => Promise.resolve({ remote: null, address: printable(folder), branch }),
    look: () => Promise.resolve(null),
    renewed: false,
    publish: async (edit) => {
      await requireLasting({ entries, folder }, edit.branch);
      return publish(local, edit);
    },
    async propose({ moves, also = [] }) {
      const edits = moves.map(proposedEdit);
      for (const { ref } of edits) await requireNowhere(local, ref);
      const together = (await areMovable(local, also)) ? also : [];
      await updateRefs(runner, [...edits, ...together]);
      return together.length === 0 ? also : [];
    },
    proposedAt: (branch) => {
      const { ref } = proposedEdit({ branch, expected: null, next: null });
      return readRef({ runner, objects: shared.objects, ref });
    },
    followUp: notices,
    tryPush: () => Promise.resolve(null),
    ledgerFetch: () => Promise.resolve(null),
    deleteStaging: async (...requestIds) => {
      const left = requestIds.filter((id) => !local.dropped.delete(id));
      if (left.length > 0) await shared.deleteStaging(...left);
    },
    readBack: (branch) => tip(local, branch),
    identity: () => Promise.resolve(identityOf(entries, options.env)),
    userFile: async (key) => userFileIn(await reader.read(), options.env, key),
    ledger: createLedgerStore({
      runner,
      objects: shared.objects,
      entries,
      cacheFolder: options.cacheFolder,
      address: found.common,
      target: '.',
      refs: {
        read: (ref) => readExactly(runner, ref),
        here: (ref) => ref,
        async move(edit, staged) {
          await requireMovable(local, edit);
          await updateRefs(runner, [edit, ...staged]);
        },
      },
    }),
    requireWriting: () => undefined,
    close() {
      shared.objects.close();
      stop.abort();
      return Promise.resolve();
    },
  };
}

interface Local extends LocalOptions {
  readonly runner: Runner;
  readonly shared: Common;
  readonly config: ConfigReader;
  readonly worktree: string | null;
  readonly bare: boolean;
  /** Requests whose staging refs went away with their publishing. */
  readonly dropped: Set<RequestId | undefined>;
}

interface Found {
  readonly directory: string;
  readonly worktree: string | null;
  readonly shallow: boolean;
  readonly format: ObjectFormat;
  readonly bare: boolean;
  /** The git directory that linked worktrees share. */
  readonly common: string;
}

const DISCOVER = [
  // Whoever named the repository meant it; nothing of its configuration runs anyway.
  '-c',
  'safe.bareRepository=all',
  'rev-parse',
  '--absolute-git-dir',
  '--is-inside-work-tree',
  '--is-shallow-repository',
  '--show-object-format',
  '--is-bare-repository',
  '--git-common-dir',
  // Last, because it ends git where there is no worktree.
  '--show-toplevel',
];

const QUESTIONS = DISCOVER.filter((word) => word.startsWith('--') && word !== '--show-toplevel');
const ANSWERS = QUESTIONS.length;

async function askEach(here: { cwd: string; env: Readonly<Record<string, string>>; timeoutMs: number }) {
  const before = DISCOVER.filter((word) => !word.startsWith('--'));
  const answers = await Promise.all(
    QUESTIONS.map((question) => run({ ...here, args: [...before, question] })),
  );
  return answers.map(({ stdout }) => stdout.toString('utf8').replace(/\n$/, ''));
}

async function discover({ location, folder, env, timeoutMs }: LocalOptions): Promise<Found> {
  const here = { cwd: folder, env: discoveryEnvironment(env), timeoutMs };
  const { code, stdout, stderr } = await run({ ...here, args: DISCOVER, okCodes: [0, 128] });
  if (/not a git repository/.test(stderr)) throw repositoryUnknown(location);
  const lines = stdout.toString('utf8').replace(/\n$/, '').split('\n');
  const isAnswered = lines.length === ANSWERS + (lines[1] === 'true' ? 1 : 0);
  if (!isAnswered || code !== 0) await requireVersion(env, timeoutMs);
  if (code !== 0 && !(isAnswered && lines[1] === 'false')) throw gitFailure({ args: DISCOVER, code, stderr });
  // A folder may have line breaks in its name: then each question takes a process of its own.
  if (!isAnswered) lines.splice(0, lines.length, ...(await askEach(here)));
  const [directory = '', inside, shallow, format, bare, shared = '', top] = lines;
  const worktree = inside === 'true' ? await ownWorktree(here, top ?? (await topLevel(here))) : null;
  return {
    directory,
    worktree,
    shallow: shallow === 'true',
    format: format === 'sha256' ? 'sha256' : 'sha1',
    bare: bare === 'true',
    common: await realpath(resolve(folder, shared)),
  };
}

type Here = Parameters<typeof askEach>[0];

async function topLevel(here: Here): Promise<string> {
  const { stdout } = await run({ ...here, args: ['rev-parse', '--show-toplevel'] });
  return stdout.toString('utf8').replace(/\n$/, '');
}

/**
 * The folder that holds `.git`. A repository can name any other folder as its worktree (`core.worktree`); files would
 * then be written there, so that is refused.
 */
async function ownWorktree(here: Here, claimed: string): Promise<string> {
  let folder = await realpath(here.cwd);
  while ((await stat(join(folder, '.git')).catch(() => null)) === null && folder !== dirname(folder))
    folder = dirname(folder);
  if (await samePlace(claimed, folder)) return folder;
  throw new BacktrailError(
    'REPOSITORY_UNTRUSTED',
    `The repository in ${quotePath(folder)} puts its files into ${quotePath(claimed)}.`,
    {
      hint: 'Remove core.worktree from the configuration of the repository.',
    },
  );
}

/** HEAD can change at any moment, so it is read each time: its file where that says it plainly, else by git. */
async function readHead(runner: Runner): Promise<Head> {
  const plain = await readFile(join(runner.directory, 'HEAD'), 'utf8').catch(() => '');
  const named = /^ref: refs\/heads\/([^\n]+)\n$/.exec(plain)?.[1];
  if (named !== undefined && isBranchName(named)) return { branch: named, commit: null };
  const head = await runner.text(['symbolic-ref', '--quiet', 'HEAD'], { okCodes: [0, 1] });
  if (head.startsWith('refs/heads/')) return { branch: head.slice('refs/heads/'.length), commit: null };
  const commit = await runner.text(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    okCodes: [0, 1, 128],
  });
  if (isObjectId(commit)) return { branch: null, commit };
  throw new BacktrailError('BRANCH_UNKNOWN', 'HEAD names neither a branch nor a commit.');
}

async function headBranch(runner: Runner): Promise<string> {
  const { branch } = await readHead(runner);
  if (branch !== null) return branch;
  throw new BacktrailError('BRANCH_UNKNOWN', 'HEAD is detached: it names no branch.', {
    hint: 'Check a branch out, or name one: `branch` in the configuration.',
  });
}

function tip({ runner, shared }: Local, branch: string): ReturnType<GitRepository['tip']> {
  return readBranch({ runner, objects: shared.objects, under: 'refs/heads', branch });
}

/**
 * Git need not be asked where there are no linked worktrees: in a bare repository no branch is checked out then, in another one
 * that of HEAD, which is read anew.
 */
async function checkedOutAt({ runner, bare, worktree }: Local, branch: string): Promise<string | null> {
  const linked = await stat(join(runner.directory, 'worktrees')).catch(() => null);
  if (linked === null && bare) return null;
  if (linked === null && worktree !== null && (await samePlace(join(worktree, '.git'), runner.directory)))
    return (await readHead(runner)).branch === branch ? worktree : null;
  return checkedOutIn(runner, branch);
}

async function publish(local: Local, edit: BranchEdit): Promise<readonly RefMove[]> {
  const { runner, shared, worktree } = local;
  const { branch, expected, next, also = [], isWhole = false } = edit;
  await requireDescent({ runner, objects: shared.objects, expected, next });
  // Also proves the name of the branch.
  await tip(local, branch);
  const place = await checkedOutAt(local, branch);
  if (place === null) {
    const together = (await areMovable(local, also)) ? also : [];
    if (isWhole && together.length < also.length) throw apart(branch);
    await updateRefs(runner, [
      { ref: `refs/heads/${branch}`, expected, next },
      ...together,
      ...shared.staged(edit.requestId),
    ]);
    local.dropped.add(edit.requestId);
    return together.length === 0 ? also : [];
  }
  if (isWhole) throw apart(branch);
  if (worktree === null || !(await samePlace(place, worktree))) throw checkedOut(branch, place);
  const paths = await shared.changedPaths(expected, next);
  const env = await requireFilters(local, worktree, paths);
  // They are written after it, and decide all the same whether it may go: somebody may have withdrawn it.
  await areMovable(local, also);
  await fastForward({ runner, worktree, branch, expected, next, env });
  return also;
}

/** Whether records may move with a branch. What stands in their way does not keep the branch: whoever writes them after it is told. */
async function areMovable(local: Local, moves: readonly RefMove[]): Promise<boolean> {
  try {
    for (const move of moves) await requireMovable(local, move);
    return true;
  } catch (error) {
    if (!isFailure(error) || error.code === 'BRANCH_MOVED') throw error;
    return false;
  }
}

/** A ref that is not a branch of people's. */
async function requireMovable(local: Local, { ref, expected }: RefMove): Promise<void> {
  requireLastingRef(await local.config.read(), ref);
  await requireNowhere(local, ref);
  // Also proves that it is not a symbolic ref: its target would move.
  if ((await readExactly(local.runner, ref)) !== expected) throw branchMoved(ref);
}

/** Files would not follow. */
async function requireNowhere(local: Local, ref: string): Promise<void> {
  if (!ref.startsWith('refs/heads/')) return;
  const branch = ref.slice('refs/heads/'.length);
  const place = await checkedOutAt(local, branch);
  if (place !== null) throw checkedOut(branch, place);
}

const checkedOut = (branch: string, place: string) =>
  new BacktrailError('BRANCH_CHECKED_OUT', `The branch ${branch} is checked out in ${quotePath(place)}.`, {
    details: { branch, worktree: place },
  });

const apart = (branch: string) =>
  new BacktrailError('BRANCH_CHECKED_OUT', `${branch} and its records cannot be moved together here.`);

/** The configuration may have changed since the repository was opened, and files are about to be touched. */
async function requireFilters(
  local: Local,
  worktree: string,
  paths: readonly string[],
): Promise<Environment> {
  return filtersOf(local, { worktree, paths, entries: await local.config.fresh() });
}

/** Gives the environment under that configuration; FILTER_UNTRUSTED. */
async function filtersOf(
  local: Local,
  place: { worktree: string; paths: readonly string[]; entries: readonly ConfigEntry[] },
): Promise<Environment> {
  const { runner, env: user } = local;
  const hardened = hardenedEnvironment({ user, entries: place.entries, transport: false });
  const env = { ...hardened, GIT_DIR: runner.directory };
  await requireOwnFilters({ ...place, runner, env });
  return env;
}

async function overlap(local: Local, branch: string, paths: readonly string[]): Promise<string | null> {
  const { runner, worktree } = local;
  const place = worktree === null ? null : await checkedOutAt(local, branch);
  if (worktree === null || place === null || !(await samePlace(place, worktree))) return null;
  return firstOverlap({ runner, worktree, paths, env: await requireFilters(local, worktree, paths) });
}

/** Where the branch is checked out here: what would keep its files from following. */
async function filterFindings(
  local: Local,
  { branch, paths }: { branch: string; paths: readonly string[] },
): Promise<Finding[]> {
  const { worktree } = local;
  const place = worktree === null || paths.length === 0 ? null : await checkedOutAt(local, branch);
  if (worktree === null || place === null || !(await samePlace(place, worktree))) return [];
  // Nothing is checked out yet: what is read again then need not be read again now.
  const entries = await local.config.read();
  return filtersOf(local, { worktree, paths, entries }).then(() => [], filterFinding);
}

/** Blocks before anything is confirmed. */
export function filterFinding(error: unknown): Finding[] {
  if (!isFailure(error) || error.code !== 'FILTER_UNTRUSTED') throw error;
  const { code, message, hint } = error;
  return [{ code, severity: 'block', message, hint }];
}
