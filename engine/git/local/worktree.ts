import { realpath } from 'node:fs/promises';
import { BacktrailError, isFailure } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { gitFailure, printable } from '../process/failure.ts';
import { readChanges, tokens } from '../process/raw-output.ts';
import { branchMoved } from '../store/refs.ts';
import type { Environment } from '../process/spawn.ts';
import type { Runner, RunnerOptions } from '../process/runner.ts';

/** Where a branch is checked out: the folder of the worktree, or null. */
export async function checkedOutIn(runner: Runner, branch: string): Promise<string | null> {
  const { stdout } = await runner.run(['worktree', 'list', '--porcelain', '-z']);
  for (const record of stdout.toString('utf8').split('\0\0')) {
    const lines = record.split('\0');
    const folder = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
    const gone = lines.some((line) => line.startsWith('prunable'));
    if (folder !== undefined && !gone && lines.includes(`branch refs/heads/${branch}`)) return folder;
  }
  return null;
}

export async function samePlace(one: string, other: string): Promise<boolean> {
  return (await real(one)) === (await real(other));
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/**
 * Moves the branch that is checked out in `worktree`, and its files with it. Hooks and the repository's own filters do
 * not run. WORKTREE_DIRTY names the first file whose local change is in the way; BRANCH_MOVED where HEAD is not
 * that branch at `expected` any more. When it fails, the files are what they were.
 */
export async function fastForward(place: {
  readonly runner: Runner;
  readonly worktree: string;
  readonly branch: string;
  readonly expected: ObjectId;
  readonly next: ObjectId;
  /** Hardened anew: the configuration may have changed since the repository was opened. */
  readonly env: Environment;
}): Promise<void> {
  const { runner, worktree, branch, expected, next } = place;
  const options = { cwd: worktree, env: { ...place.env, GIT_WORK_TREE: worktree } };
  // The second word is `HEAD` where it is detached, and missing where the branch has no commit.
  const head = await runner.text(['rev-parse', 'HEAD', '--symbolic-full-name', 'HEAD', '--'], {
    ...options,
    okCodes: [0, 128],
  });
  if (!head.startsWith(`${expected}\nrefs/heads/${branch}\n`)) throw branchMoved(branch);
  try {
    const { code, stderr } = await runner.run([...MERGE, next], { ...options, okCodes: [0, 1, 2, 128] });
    if (code !== 0) throw mergeFailure({ code, stderr, branch });
  } catch (error) {
    await putBack({ runner, options, expected, next }).catch((cause: unknown) => {
      throw notPutBack(error, cause);
    });
    throw error;
  }
}

interface Place {
  readonly runner: Runner;
  readonly options: RunnerOptions;
  readonly expected: ObjectId;
  readonly next: ObjectId;
}

/**
 * git merges into the files and the index first and moves the branch last. Where the branch could not be moved (another
 * git holds it, or moved it), the files that were to change stand at `next`. They were clean, or git had refused before,
 * so a merge of two trees (git help read-tree) takes exactly those back; every other local change stays.
 */
async function putBack(place: Place): Promise<void> {
  const { runner, options, expected, next } = place;
  if (!(await isHalfDone(place))) return;
  await runner.run(['-c', 'core.fsync=all', 'read-tree', '-m', '-u', next, expected], options);
}

/** The index holds what `next` changes, but the branch does not. */
async function isHalfDone({ runner, options, expected, next }: Place): Promise<boolean> {
  const differing = async (command: readonly string[], ...trees: string[]) => {
    const { stdout } = await runner.run([...command, ...DIFF, ...trees, '--'], options);
    return readChanges(tokens(stdout)).map(({ path }) => path);
  };
  const changed = new Set(await differing(['diff-tree', '-r'], expected, next));
  const isElsewhere = (paths: readonly string[]) => paths.every((path) => !changed.has(path));
  const head = await runner.text(['rev-parse', '--verify', 'HEAD'], options);
  if (head !== expected && !isElsewhere(await differing(['diff-tree', '-r'], expected, head))) return false;
  return changed.size > 0 && isElsewhere(await differing(['diff-index', '--cached'], next));
}

const DIFF = ['--raw', '-z', '--no-renames', '--ignore-submodules=none', '-O/dev/null'];

function notPutBack(error: unknown, cause: unknown): unknown {
  if (!isFailure(error)) return error;
  const { code, details } = error;
  return new BacktrailError(code, `${error.message} What it had written stayed in the worktree.`, {
    hint: 'Look at `git status`, and take the staged changes back with `git restore --staged --worktree`.',
    details,
    cause,
  });
}

const MERGE = [
  '-c',
  'core.fsync=all',
  'merge',
  '--ff-only',
  '--quiet',
  '--no-stat',
  '--no-edit',
  '--no-verify',
  '--no-autostash',
  '--no-gpg-sign',
  '--no-verify-signatures',
  '--no-overwrite-ignore',
];

function mergeFailure(answer: { code: number; stderr: string; branch: string }): BacktrailError {
  const { code, branch } = answer;
  const stderr = printable(answer.stderr);
  const failure = gitFailure({ args: MERGE, code, stderr });
  if (failure.code === 'REPOSITORY_LOCKED') return failure;
  if (/Not possible to fast-forward|but expected|Diverging branches/.test(stderr))
    return branchMoved(branch, failure);
  const path = overlap(stderr);
  if (path !== null) return overwritten(path);
  const unsafe = /invalid path '([^\n]+)'/i.exec(stderr)?.[1];
  if (unsafe !== undefined)
    return new BacktrailError('PATH_UNSAFE', `Git must not check out ${JSON.stringify(unsafe)}.`, {
      cause: failure,
    });
  if (/unmerged files|not concluded|unfinished|needs merge/.test(stderr))
    return new BacktrailError('WORKTREE_DIRTY', 'The worktree is in the middle of a merge.', {
      cause: failure,
    });
  return failure;
}

export function overwritten(path: string): BacktrailError {
  return new BacktrailError('WORKTREE_DIRTY', `The local change of ${path} is in the way.`, {
    details: { path },
  });
}

/** The first file that git names below `would be overwritten` (indented by a tab), or as not up to date. */
function overlap(stderr: string): string | null {
  const listed = /(?:would be (?:overwritten|removed)|lose untracked files)[^\n]*\n[\t ]+([^\n]+)/.exec(
    stderr,
  );
  const entry = /Entry '([^\n]+)' (?:not uptodate|would be overwritten)/.exec(stderr);
  const untracked = /Untracked working tree file '([^\n]+)' would be/.exec(stderr);
  return (listed ?? entry ?? untracked)?.[1]?.trim() ?? null;
}
