/** A commit of a merged branch has no place on the first-parent line: the merge that brought it there has. */
import {
  BacktrailError,
  isFailure,
  isObjectId,
  type ObjectId,
  type RepositoryReader,
} from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** Throws the failure on; REVISION_NOT_ON_BRANCH with a hint that names the merge, where there is one. */
export async function throwNamingMerge(
  git: RepositoryReader,
  snapshot: Snapshot,
  error: unknown,
): Promise<never> {
  if (!isFailure(error) || error.code !== 'REVISION_NOT_ON_BRANCH') throw error;
  const { commit } = error.details;
  const merge =
    typeof commit === 'string' && isObjectId(commit) ? await findMerge(git, snapshot, commit) : null;
  if (merge === null) throw error;
  const { code, message, details } = error;
  const hint = `It came in with the merge ${merge.slice(0, 12)}: name that one, or the commit before it on the line.`;
  throw new BacktrailError(code, message, { hint, details: { ...details, merge }, cause: error });
}

/** The oldest commit of the line that has `commit` among its ancestors: all newer ones have it too. */
async function findMerge(
  git: RepositoryReader,
  snapshot: Snapshot,
  commit: ObjectId,
): Promise<ObjectId | null> {
  const line = await snapshot.history.firstParents(snapshot.base);
  const holds = async (index: number) => git.isAncestor(commit, line[index] ?? snapshot.base);
  if (!(await holds(0))) return null;
  let [newer, older] = [0, line.length];
  while (older - newer > 1) {
    const middle = Math.floor((newer + older) / 2);
    if (await holds(middle)) newer = middle;
    else older = middle;
  }
  return line[newer] ?? null;
}
