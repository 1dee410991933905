/** Step 4: moves the branch from the plan's base to the new commit, atomically. @throws BRANCH_MOVED: plan again */
import type { RepositoryPublisher, RequestId } from '../model/index.ts';
import type { Delivered } from './deliver.ts';

export interface Published extends Delivered {
  readonly published: true;
}

export async function publish(
  git: RepositoryPublisher,
  requestId: RequestId,
  delivered: Delivered,
): Promise<Published> {
  const { plan, commit, deliveryCommit } = delivered;
  await git.publish({ branch: plan.branch, expected: plan.base, next: deliveryCommit ?? commit, requestId });
  return { ...delivered, published: true };
}
