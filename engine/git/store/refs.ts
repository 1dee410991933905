import { BacktrailError, isFailure, isObjectId, isProposedBranch, isRefName } from '../../model/index.ts';
import { requireObjectId } from './object-id.ts';
import type { ObjectId, ProposedMove } from '../../model/index.ts';
import type { NativeObjects } from './objects.ts';
import { certain } from '../process/certain.ts';
import type { Runner } from '../process/runner.ts';

/** A ref with its expected old value (compare-and-swap). */
export interface RefEdit {
  readonly ref: string;
  /** null: the ref must not exist. */
  readonly expected: ObjectId | null;
  /** null deletes. */
  readonly next: ObjectId | null;
}

export { isRefName as isBranchName } from '../../model/index.ts';

export function requireBranchName(name: string): string {
  if (isRefName(name)) return name;
  throw new BacktrailError(
    'BRANCH_UNKNOWN',
    `${JSON.stringify(name.slice(0, 100))} is not a valid branch name.`,
  );
}

/** Of a branch of ours alone, whatever a caller names. */
export function proposedEdit({ branch, expected, next }: ProposedMove): RefEdit {
  if (!isProposedBranch(branch)) throw new BacktrailError('INTERNAL', 'It is not a branch of ours.');
  return { ref: `refs/heads/${branch}`, expected, next };
}

/** What a branch's ref points at. @throws BRANCH_UNKNOWN, or OBJECT_MISSING where its commit is not in the repository */
export async function readBranch(context: {
  readonly runner: Runner;
  readonly objects: NativeObjects;
  /** `refs/heads` or `refs/remotes/origin` */
  readonly under: string;
  readonly branch: string;
}): Promise<ObjectId> {
  const { runner, objects, under, branch } = context;
  const ref = `${under}/${requireBranchName(branch)}`;
  const id = await readRef({ runner, objects, ref });
  if (id !== null) return id;
  // Also lists what lies below a name that is a folder of branches.
  const listed = await runner.text(['for-each-ref', '--format=%(refname) %(objectname)', ref], {
    okCodes: [0, 128],
  });
  const lost = listed
    .split('\n')
    .find((line) => line.startsWith(`${ref} `))
    ?.slice(ref.length + 1);
  if (lost !== undefined && isObjectId(lost))
    throw new BacktrailError(
      'OBJECT_MISSING',
      `The branch ${branch} is at commit ${lost}, which is not in the repository.`,
      {
        hint: 'Look whether objects/info/alternates names a repository that moved, then run `git fsck`.',
        details: { id: lost },
      },
    );
  throw new BacktrailError('BRANCH_UNKNOWN', `The repository has no branch ${branch}.`);
}

/** What a ref points at, or null where there is none. */
export async function readRef(context: {
  readonly runner: Runner;
  readonly objects: NativeObjects;
  readonly ref: string;
}): Promise<ObjectId | null> {
  const { runner, objects, ref } = context;
  // Where no such ref exists, git reads `x-gdeadbee` as the output of `git describe`: show-ref takes the name literally.
  return /-g[0-9a-f]+$/i.test(ref) ? showRef(runner, ref) : objects.ref(ref);
}

/** The commits that a tag and a branch (below `branches`) of this name are at, tags peeled; null where there is none. */
export async function readNamed(
  runner: Runner,
  name: string,
  branches: string,
): Promise<{ tag: ObjectId | null; branch: ObjectId | null }> {
  if (!isRefName(name)) return { tag: null, branch: null };
  const [tag, branch] = [`refs/tags/${name}`, `${branches}/${name}`];
  const format = '--format=%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)';
  const listed = (await runner.text(['for-each-ref', format, tag, branch])).split('\n');
  const commitAt = (ref: string) => {
    const [, type, id = '', peeledType, peeled = ''] =
      listed.find((line) => line.startsWith(`${ref}\0`))?.split('\0') ?? [];
    const commit = type === 'commit' ? id : peeledType === 'commit' ? peeled : '';
    return isObjectId(commit) ? commit : null;
  };
  return { tag: commitAt(tag), branch: commitAt(branch) };
}

/**
 * The commit that a ref is at, by its whole name alone; null where there is none. LEDGER_TAMPERED where it is at anything else, or
 * is a symbolic ref.
 */
export async function readExactly(runner: Runner, ref: string): Promise<ObjectId | null> {
  const format = '--format=%(refname) %(objectname) %(objecttype) %(symref)';
  const listed = await runner.text(['for-each-ref', format, ref]);
  const line = listed.split('\n').find((line) => line.startsWith(`${ref} `));
  if (line === undefined) return null;
  const [, id = '', type, symref] = line.split(' ');
  if (isObjectId(id) && type === 'commit' && symref === '') return id;
  throw new BacktrailError('LEDGER_TAMPERED', `${ref} does not point to a commit.`, { details: { ref } });
}

async function showRef(runner: Runner, ref: string): Promise<ObjectId | null> {
  const { code, stdout } = await runner.run(['show-ref', '--verify', '--hash', '--', ref], {
    okCodes: [0, 1, 128],
  });
  return code === 0 ? stdout.toString('latin1').trim() : null;
}

/**
 * Moves refs, all or none, each from what it is expected to be. BRANCH_MOVED where one is something else,
 * REPOSITORY_LOCKED where another git process holds one.
 */
export async function updateRefs(runner: Runner, edits: readonly RefEdit[]): Promise<void> {
  if (edits.length === 0) return;
  const lines = edits.map(({ ref, expected, next }) => {
    if (next === null) return `delete ${ref}\0${expected ?? ''}\0`;
    return expected === null ? `create ${ref}\0${next}\0` : `update ${ref}\0${next}\0${expected}\0`;
  });
  try {
    await runner.transact(lines);
  } catch (error) {
    throw refFailure(error, edits);
  }
}

function refFailure(error: unknown, edits: readonly RefEdit[]): unknown {
  if (!isFailure(error) || error.code !== 'GIT_FAILED') return error;
  const moved = /but expected|reference already exists|unable to resolve reference|reference is missing/;
  if (!moved.test(error.message)) return error;
  const named = /cannot lock ref '([^']+)'/.exec(error.message)?.[1];
  return branchMoved((edits.find(({ ref }) => ref === named) ?? edits[0])?.ref ?? '', error);
}

/** `The branch main`; another ref by its whole name. */
export const refTitle = (ref: string) =>
  ref.startsWith('refs/') && !ref.startsWith('refs/heads/')
    ? `The ref ${ref}`
    : `The branch ${ref.replace(/^refs\/heads\//, '')}`;

export function branchMoved(ref: string, cause?: unknown): BacktrailError {
  return new BacktrailError('BRANCH_MOVED', `${refTitle(ref)} moved meanwhile.`, {
    cause,
    details: { ref },
  });
}

/** The new value must descend from the published one: `--force-with-lease` would also push one that does not. */
export async function requireDescent(
  context: Descent & { readonly expected: ObjectId; readonly next: ObjectId },
): Promise<void> {
  const { expected, next } = context;
  if (!(await descends(context, expected, next)))
    throw new BacktrailError('DESCENT_BROKEN', `Commit ${next} does not descend from ${expected}.`);
}

interface Descent {
  readonly runner: Runner;
  readonly objects: Pick<NativeObjects, 'commit'>;
}

/** First parents that are followed in the objects: mostly the ancestor is near, and only a longer way starts git. */
const STEPS = 16;

/** The same as `isAncestor`, mostly without a process. */
export async function descends(
  { runner, objects }: Descent,
  ancestor: ObjectId,
  of: ObjectId,
): Promise<boolean> {
  requireObjectId(ancestor);
  let at: ObjectId | undefined = requireObjectId(of);
  let isStraight = true;
  for (let steps = 0; steps <= STEPS && at !== undefined; steps += 1) {
    if (at === ancestor) return true;
    // At the cut of a shallow clone parents are missing.
    const commit: { readonly parents: readonly ObjectId[] } | null = await objects
      .commit(at)
      .catch(() => null);
    // No other way leads from the one to the first commit of all.
    if (commit?.parents.length === 0 && isStraight) return false;
    isStraight &&= commit?.parents.length === 1;
    at = commit?.parents[0];
  }
  return isAncestor(runner, ancestor, of);
}

async function isAncestor(runner: Runner, ancestor: ObjectId, of: ObjectId): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', requireObjectId(ancestor), requireObjectId(of)];
  return certain(runner, args.join(' '), async () => {
    const { code } = await runner.run(args, { okCodes: [0, 1] });
    return code === 0;
  });
}

/** Commits that are read one after the other: where there are more, git is asked. */
export const NEAR = 32;

interface NearLine {
  /** Along first parents, the tip first. */
  readonly line: readonly ObjectId[];
  /** It goes to the first commit of all, or to `until`. */
  readonly isWhole: boolean;
}

/** The newest commits of a line, without a process. In a shallow clone parents are missing at the cut: it ends before that, and is not whole. */
export async function nearLine(
  objects: Pick<NativeObjects, 'commit'>,
  tip: ObjectId,
  until: ObjectId | null = null,
): Promise<NearLine> {
  const line: ObjectId[] = [];
  for (let at: ObjectId | undefined = tip; at !== undefined; ) {
    if (line.length === NEAR) return { line, isWhole: false };
    const commit: { readonly parents: readonly ObjectId[] } | null = await objects
      .commit(at)
      .catch(() => null);
    if (commit === null) return { line, isWhole: false };
    line.push(at);
    if (at === until) break;
    at = commit.parents[0];
  }
  return { line, isWhole: true };
}
