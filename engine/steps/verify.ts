/** Step 5: read back from where it was published: the branch contains the commit, and the commit changes what the plan says. */
import { BacktrailError, type FileChange, type ObjectId } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import type { Published } from './publish.ts';

export interface Verified extends Published {
  readonly verified: true;
}

/** VERIFY_FAILED names the first path or commit that is not as planned. */
export async function verify(git: GitRepository, published: Published): Promise<Verified> {
  const { plan, commit, deliveryCommit, delivery } = published;
  const tip = await git.readBack(plan.branch);
  const last = deliveryCommit ?? commit;
  if (tip !== last && !(await git.isAncestor(last, tip))) {
    throw new BacktrailError('VERIFY_FAILED', `Branch ${plan.branch} does not contain commit ${last}.`);
  }
  await requireChanges(git, { from: plan.base, to: commit, files: plan.files });
  if (deliveryCommit !== null)
    await requireChanges(git, { from: commit, to: deliveryCommit, files: delivery.outputs });
  return { ...published, verified: true };
}

async function requireChanges(
  git: GitRepository,
  expected: { from: ObjectId; to: ObjectId; files: readonly FileChange[] },
): Promise<void> {
  const { from, to, files } = expected;
  const made = new Map((await git.diffPaths(from, to)).map(({ path, after }) => [path, after]));
  const wrong = files.find(({ path, after }) => {
    const found = made.get(path);
    return found === undefined || found?.id !== after?.id || found?.mode !== after?.mode;
  });
  const planned = new Set(files.map(({ path }) => path));
  const surplus = [...made.keys()].find((path) => !planned.has(path));
  const path = wrong?.path ?? surplus;
  if (path !== undefined)
    throw new BacktrailError('VERIFY_FAILED', `Commit ${to} does not hold what was planned at ${path}.`);
}
