import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BacktrailError,
  escapePath,
  isFailure,
  isObjectId,
  isSafePath,
  MODE,
  type NewCommit,
  type NewCommits,
  type ObjectId,
  quotePath,
  type Write,
} from '../../model/index.ts';
import type { Runner } from '../process/runner.ts';
import { peopleLines } from './identity.ts';
import { IMPORT, takeImport } from './import-process.ts';
import { requireObjectId } from './object-id.ts';
import { stagingFolder } from './staging.ts';

export interface Written {
  readonly ids: readonly ObjectId[];
  /** The staging refs and what they hold. */
  readonly refs: readonly { readonly ref: string; readonly id: ObjectId }[];
}

const MODES = new Set<string>(Object.values(MODE));

/**
 * Writes commits as objects below a staging ref of this request; nothing that anybody looks at moves.
 * The same input gives the same ids. Format: git help fast-import. Gives the ids in the order of the commits.
 * PATH_UNSAFE for a path that git must not check out, GIT_FAILED (nothing written) for everything that git refuses.
 */
export async function writeCommits(runner: Runner, { requestId, commits }: NewCommits): Promise<Written> {
  const prefix = `${stagingFolder(requestId)}${randomUUID()}`;
  if (commits[0]?.parent === null) throw new BacktrailError('INTERNAL', 'The first commit has no parent.');
  return writeChains(runner, prefix, commits);
}

/** The same below any name for a ref; a first commit without a parent begins a history. */
export async function writeChains(
  runner: Runner,
  prefix: string,
  commits: readonly NewCommit[],
): Promise<Written> {
  if (commits.length === 0) return { ids: [], refs: [] };
  const input = stream(prefix, commits);
  try {
    const marks = await runner.text(IMPORT, { input, child: takeImport(runner) });
    const ids = marks.split('\n');
    if (ids.length !== commits.length || !ids.every(isObjectId))
      throw new BacktrailError('GIT_FAILED', 'git fast-import did not say which commits it wrote.');
    return { ids, refs: refsOf(prefix, commits, ids) };
  } catch (error) {
    await removeCrashReport(runner, error);
    throw error;
  }
}

/** A refused stream leaves a report with everything that was in it. */
export async function removeCrashReport({ directory }: Runner, error: unknown): Promise<void> {
  const pid = isFailure(error) ? error.details['pid'] : undefined;
  if (typeof pid === 'number') await rm(join(directory, `fast_import_crash_${pid}`), { force: true });
}

/** Each commit that does not follow the one before it begins a ref of its own, so that all of them stay reachable. */
function stream(prefix: string, commits: readonly NewCommit[]): Buffer {
  const parts: Uint8Array[] = [];
  let chain = 0;
  for (const [index, commit] of commits.entries()) {
    if (commit.parent !== null || index === 0) chain += 1;
    const before = index === 0 ? null : `:${index}`;
    const from = commit.parent === null ? before : requireObjectId(commit.parent);
    parts.push(...commitParts({ commit, ref: `${prefix}/${chain}`, mark: index + 1, from }));
  }
  parts.push(Buffer.from('done\n'));
  return Buffer.concat(parts);
}

/** What each chain's ref holds in the end. */
function refsOf(prefix: string, commits: readonly NewCommit[], ids: readonly ObjectId[]): Written['refs'] {
  const refs = new Map<string, ObjectId>();
  let chain = 0;
  for (const [index, { parent }] of commits.entries()) {
    if (parent !== null || index === 0) chain += 1;
    refs.set(`${prefix}/${chain}`, ids[index] ?? '');
  }
  return [...refs].map(([ref, id]) => ({ ref, id }));
}

/** One commit of a stream, ending with the question for its id. */
export function* commitParts(context: {
  commit: NewCommit;
  ref: string;
  mark: number;
  from: string | null;
}): Generator<Uint8Array> {
  const { commit, ref, mark, from } = context;
  yield Buffer.from(`commit ${ref}\nmark :${mark}\n${peopleLines(commit)}`);
  if (commit.message.includes('\0'))
    throw new BacktrailError('INTERNAL', 'A commit message holds a NUL character.');
  yield* data(Buffer.from(commit.message));
  if (from !== null) yield Buffer.from(`from ${from}\n`);
  // A file may take the place of a folder that goes away, and the other way round.
  for (const write of commit.writes) if (write.after === null) yield Buffer.from(`D ${quoted(write)}\n`);
  for (const write of commit.writes) yield* modification(write);
  yield Buffer.from(`\nget-mark :${mark}\n`);
}

function* modification(write: Write): Generator<Uint8Array> {
  const { after } = write;
  if (after === null) return;
  const { mode, id, content } = after;
  if (!MODES.has(mode))
    throw new BacktrailError(
      'PATH_UNSAFE',
      `The mode ${mode} of ${quotePath(write.path)} is not one of git's.`,
    );
  if (content !== undefined) {
    yield Buffer.from(`M ${mode} inline ${quoted(write)}\n`);
    yield* data(content);
    return;
  }
  yield Buffer.from(`M ${mode} ${requireObjectId(id)} ${quoted(write)}\n`);
}

function* data(bytes: Uint8Array): Generator<Uint8Array> {
  yield Buffer.from(`data ${bytes.length}\n`);
  yield bytes;
  yield Buffer.from('\n');
}

/** The path between quotes, as C writes it. The root itself is written only as a whole folder. */
function quoted({ path, after }: Write): string {
  const root = path === '' && after?.mode === MODE.tree;
  if (!root && !isSafePath(path))
    throw new BacktrailError('PATH_UNSAFE', `The path ${quotePath(path)} must not be written.`, {
      details: { path },
    });
  return `"${escapePath(path)}"`;
}
