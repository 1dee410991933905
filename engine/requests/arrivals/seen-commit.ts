/** Commits by what they change, read once: they never change. */
import type { LogCommit, ObjectId } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { changeDigest } from '../../record/change-digest.ts';

/** A commit, without its changes, and their digest. */
export interface SeenCommit {
  readonly commit: LogCommit;
  readonly digest: string;
}

/** Commits that are read at a time. */
const TOGETHER = 500;

/** Adds those of `ids` that are not among them. */
export async function lookAt(
  { inspect, hasher }: Pick<GitRepository, 'inspect' | 'hasher'>,
  ids: readonly ObjectId[],
  seen: Map<ObjectId, SeenCommit>,
): Promise<void> {
  const unseen = ids.filter((id) => !seen.has(id));
  for (let at = 0; at < unseen.length; at += TOGETHER)
    for (const { changes, ...commit } of await inspect(unseen.slice(at, at + TOGETHER)))
      seen.set(commit.id, { commit: { ...commit, changes: [] }, digest: changeDigest(hasher, changes) });
}
