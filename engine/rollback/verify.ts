/**
 * Step 5: read back from where it was published: the branch contains the commits. That they hold what was planned was read back
 * before (`written.ts`), and an object id identifies its content.
 */
import { BacktrailError } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import type { Published } from './publish.ts';

export interface Verified extends Published {
  readonly verified: true;
}

export async function verify(git: GitRepository, published: Published): Promise<Verified> {
  const { plan, commit, deliveryCommit } = published;
  const tip = await git.readBack(plan.branch);
  const last = deliveryCommit ?? commit;
  if (tip !== last && !(await git.isAncestor(last, tip))) {
    throw new BacktrailError('VERIFY_FAILED', `Branch ${plan.branch} does not contain commit ${last}.`);
  }
  return { ...published, verified: true };
}
