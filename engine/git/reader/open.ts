import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { printable } from '../process/failure.ts';
import { BacktrailError, isObjectId } from '../../model/index.ts';
import type { Head, ObjectId, RepositoryPublisher, RepositoryReader } from '../../model/index.ts';
import { identityOf, isPartial } from '../process/config.ts';
import type { ConfigEntry } from '../process/config.ts';
import type { ProcessEnvironment } from '../process/spawn.ts';
import { hasherOf } from '../store/hash.ts';
import { repositoryUnknown } from '../remote/location.ts';
import { isBranchName, requireBranchName } from '../store/refs.ts';
import type { GitRepository } from '../repository.ts';
import { userFile } from '../signing/signers.ts';
import { aloneWith } from '../local/upstream.ts';
import { readConfig } from './config.ts';
import { createFiles, needsGit, SIZE_LIMIT } from './files.ts';
import type { GitFiles } from './files.ts';
import { createIsomorphicHistory } from './history.ts';
import { createIsomorphicObjects } from './objects.ts';
import type { IsomorphicObjects } from './objects.ts';
import { readNamed, readRef } from './refs.ts';

export interface ReadOnlyOptions {
  readonly location: string;
  readonly folder: string;
  readonly env: ProcessEnvironment;
}

/**
 * A repository of this machine, read without any git program, through isomorphic-git. SHA256_UNSUPPORTED, GIT_MISSING
 * for whatever else that does not read (alternates, linked worktrees, reftables, packs over 64 MB) and for all that writes.
 */
export async function openReadOnly({ location, folder, env }: ReadOnlyOptions): Promise<GitRepository> {
  const { directory, worktree } = await discover(location, await realpath(folder));
  const files = createFiles(directory);
  const entries = await readConfig(files);
  requireReadable(directory, entries);
  await requirePlain(files);
  const cut = new Set(((await files.read('shallow'))?.toString() ?? '').split('\n').filter(isObjectId));
  const objects = await createIsomorphicObjects({
    files,
    shallow: cut.size > 0,
    partial: isPartial(entries),
  });
  const history = createIsomorphicHistory(objects, cut, (name) => readNamed(files, objects, name));
  const { messages, findRequest, isAncestor, diffPaths, inspect } = history;
  const reader: RepositoryReader = {
    kind: 'local',
    directory,
    worktree,
    location,
    shallow: cut.size > 0,
    renewed: false,
    objects,
    history,
    hasher: hasherOf('sha1'),
    head: () => readHead(files, objects),
    checkedOut: async () => (await readHead(files, objects)).branch,
    defaultBranch: async () => {
      const { branch } = await readHead(files, objects);
      if (branch !== null) return branch;
      throw new BacktrailError('BRANCH_UNKNOWN', 'HEAD is detached: it names no branch.', {
        hint: 'Check a branch out, or name one: `branch` in the configuration.',
      });
    },
    tip: (branch) => branchTip(files, branch),
    refresh: () => Promise.resolve(),
    look: () => Promise.resolve(null),
    messages,
    findRequest,
    isAncestor,
    diffPaths,
    inspect,
    commitBytes: (id) => objects.bytes(id, 'commit'),
    identity: () => Promise.resolve(identityOf(entries, env)),
    userFile: (key) => userFile(env, key),
    close: () => Promise.resolve(),
  };
  return { ...reader, ...withoutGit({ entries, folder: worktree ?? directory }) };
}

/** Says where a branch would be published, and refuses to. */
function withoutGit(repository: {
  readonly entries: readonly ConfigEntry[];
  readonly folder: string;
}): RepositoryPublisher {
  return {
    requireWriting() {
      throw readOnly();
    },
    preview: ({ branch }) => aloneWith(repository, branch),
    destination: (branch) => Promise.resolve({ remote: null, address: printable(repository.folder), branch }),
    tryPush: refuse,
    writeCommits: refuse,
    requireKey: refuse,
    beginChain: () => ({ add: refuse, end: refuse, drop: refuse }),
    expectWrites: () => () => undefined,
    publish: refuse,
    propose: refuse,
    proposedAt: refuse,
    readBack: refuse,
    requestsSince: refuse,
    followUp: refuse,
    deleteStaging: refuse,
    ledger: {
      tip: refuse,
      peek: () => Promise.resolve(null),
      append: refuse,
      prepare: refuse,
      begin: () => ({ add: refuse, end: refuse, drop: refuse }),
      finish: refuse,
      index: { read: refuse, write: refuse },
      arrivals: { read: refuse, write: refuse },
      inTurn: refuse,
      signs: refuse,
      signatures: refuse,
    },
    ledgerFetch: refuse,
  };
}

function readOnly(): BacktrailError {
  return needsGit(
    'The program git was not found: the repository can be read without it, but not rolled back.',
    'Install git 2.36 or later. Without it environments, history, show, compare, plan and log work, and nothing that writes.',
  );
}

const refuse = () => Promise.reject(readOnly());

interface GitDirectory {
  readonly directory: string;
  readonly worktree: string | null;
}

/** As git looks for it: upwards, in each folder first for `.git`, then whether it is a git directory itself. */
async function discover(location: string, from: string): Promise<GitDirectory> {
  for (let folder = from; ; folder = dirname(folder)) {
    const inner = join(folder, '.git');
    const found = await stat(inner).catch(() => null);
    if (found?.isFile() === true)
      throw needsGit(`${folder} is a linked worktree or a submodule, which only git reads.`);
    if (found !== null && (await isGitDirectory(inner)))
      return { directory: await realpath(inner), worktree: folder };
    if (await isGitDirectory(folder)) return { directory: folder, worktree: null };
    if (folder === dirname(folder)) throw repositoryUnknown(location);
  }
}

async function isGitDirectory(folder: string): Promise<boolean> {
  const kind = async (name: string) => lstat(join(folder, name)).catch(() => null);
  const [head, common, objects, refs] = await Promise.all(['HEAD', 'commondir', 'objects', 'refs'].map(kind));
  if (!head) return false;
  if (common) throw needsGit(`${folder} belongs to a linked worktree, which only git reads.`);
  if (!objects || !refs) return false;
  if (!objects.isDirectory() || !refs.isDirectory())
    throw needsGit(`${folder} keeps its objects or refs somewhere else, which only git reads.`);
  return true;
}

/** Bytes of all packs and their indexes in a git directory. */
export async function packSize(directory: string): Promise<number> {
  const names = await readdir(join(directory, 'objects/pack')).catch(() => []);
  const packs = names.filter((name) => /\.(pack|idx)$/.test(name));
  const sizes = await Promise.all(
    packs.map(async (name) => (await lstat(join(directory, 'objects/pack', name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function requirePlain(files: GitFiles): Promise<void> {
  const { directory } = files;
  if ((await files.read('objects/info/alternates'))?.toString().trim())
    throw needsGit(`${directory} borrows objects from another repository, which only git reads.`);
  const size = await packSize(directory);
  if (size > SIZE_LIMIT)
    throw needsGit(`The packs of ${directory} have ${size} bytes; without git the limit is ${SIZE_LIMIT}.`);
}

/** What says how a repository is stored. git looks in its own file only, without includes; so does this. */
function requireReadable(directory: string, entries: readonly ConfigEntry[]): void {
  for (const { key, value } of entries) {
    const plain =
      (!key.startsWith('extensions.') && key !== 'core.repositoryformatversion') ||
      (key === 'core.repositoryformatversion' && (value === '0' || value === '1')) ||
      HARMLESS.has(key) ||
      (key === 'extensions.objectformat' && value === 'sha1') ||
      (key === 'extensions.refstorage' && value === 'files');
    if (plain) continue;
    if (key === 'extensions.objectformat')
      throw new BacktrailError('SHA256_UNSUPPORTED', `The object ids of ${directory} are not of SHA-1.`);
    throw needsGit(`${directory} has ${key}, which only git reads.`);
  }
}

const HARMLESS = new Set(
  ['noop', 'partialclone', 'preciousobjects', 'worktreeconfig'].map((name) => `extensions.${name}`),
);

async function readHead(files: GitFiles, objects: IsomorphicObjects): Promise<Head> {
  const text = (await files.read('HEAD'))?.toString('utf8').trimEnd() ?? '';
  const named = /^ref:\s*refs\/heads\/(.+)$/.exec(text)?.[1];
  if (named !== undefined && isBranchName(named)) return { branch: named, commit: null };
  const id = await readRef(files, 'HEAD');
  if (id !== null && (await objects.type(id)) === 'commit') return { branch: null, commit: id };
  throw new BacktrailError('BRANCH_UNKNOWN', 'HEAD names neither a branch nor a commit.');
}

async function branchTip(files: GitFiles, branch: string): Promise<ObjectId> {
  const id = await readRef(files, `refs/heads/${requireBranchName(branch)}`);
  if (id !== null) return id;
  throw new BacktrailError('BRANCH_UNKNOWN', `The repository has no branch ${branch}.`);
}
