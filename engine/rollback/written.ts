/** Verifies written commits against the plan: git reads each one back before anything is published. */
import {
  BacktrailError,
  type FileChange,
  type LogCommit,
  type ObjectId,
  quotePath,
  type RepositoryReader,
} from '../model/index.ts';
import type { Message } from '../record/message.ts';
import { formatTrailers } from '../record/trailers.ts';

export interface ExpectedCommit {
  readonly commit: ObjectId;
  readonly parent: ObjectId;
  readonly trailers: Message['trailers'];
  /** The whole message. */
  readonly message: string;
  /** Every path that the commit changes, and what it holds then. */
  readonly files: readonly FileChange[];
}

/** One process of git for all of them. @throws MESSAGE_MISMATCH or VERIFY_FAILED, naming the first trailer or path that is not as planned */
export async function requireWritten(
  git: RepositoryReader,
  commits: readonly ExpectedCommit[],
): Promise<void> {
  const written = await git.inspect(commits.map(({ commit }) => commit));
  for (const [index, meant] of commits.entries()) requireCommit(written[index], meant);
}

function requireCommit(written: LogCommit | undefined, meant: ExpectedCommit): void {
  if (written?.id !== meant.commit || written.parents.join() !== meant.parent) {
    throw new BacktrailError('VERIFY_FAILED', `Commit ${meant.commit} does not follow ${meant.parent}.`);
  }
  requireTrailers(written, meant);
  requireFiles(written, meant);
}

function requireTrailers({ trailers }: LogCommit, meant: ExpectedCommit): void {
  const lines = formatTrailers(meant.trailers);
  const mismatch = Array.from({ length: Math.max(lines.length, trailers.length) }).findIndex(
    (_, line) => lines[line] !== trailers[line],
  );
  if (mismatch < 0) return;
  const key = (lines[mismatch] ?? trailers[mismatch] ?? '').split(':')[0];
  throw new BacktrailError(
    'MESSAGE_MISMATCH',
    `Git reads the trailer ${key} of the commit differently than it was written.`,
  );
}

function requireFiles({ changes }: LogCommit, { commit, files }: ExpectedCommit): void {
  const made = new Map(changes.map(({ path, after }) => [path, after]));
  const wrong = files.find(({ path, after }) => {
    const entry = made.get(path);
    return entry === undefined || entry?.id !== after?.id || entry?.mode !== after?.mode;
  });
  const planned = new Set(files.map(({ path }) => path));
  const path = wrong?.path ?? [...made.keys()].find((surplus) => !planned.has(surplus));
  if (path !== undefined) {
    throw new BacktrailError(
      'VERIFY_FAILED',
      `Commit ${commit} does not contain what was planned at ${quotePath(path)}.`,
    );
  }
}
