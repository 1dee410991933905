/** Step 4: moves the branch from the plan's base to the new commit, atomically. @throws BRANCH_MOVED: plan again */
import type { RepositoryPublisher, RequestId } from '../model/index.ts';
import type { Delivered } from './deliver.ts';
import { publishWith, type RideAlong } from './records.ts';

export interface Published extends Delivered {
  readonly published: true;
}

export async function publish(
  git: RepositoryPublisher,
  requestId: RequestId,
  delivered: Delivered,
  along: readonly (RideAlong | null)[] = [],
): Promise<Published> {
  const { plan, commit, deliveryCommit } = delivered;
  const next = deliveryCommit ?? commit;
  await publishWith(git, { branch: plan.branch, expected: plan.base, next, requestId }, along);
  return { ...delivered, published: true };
}
