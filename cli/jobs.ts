import type { RequestView } from '../engine/index.ts';
import type { Session } from './session.ts';

/** Approved requests that a worker is executing are shown as `executing`, if the queue can be reached. */
export async function withJobs(
  { environment, isRemote }: Session,
  requests: readonly RequestView[],
): Promise<readonly RequestView[]> {
  // The queue is loaded where it is needed.
  if (isRemote || !requests.some(({ status }) => status === 'approved')) return requests;
  const workers = await import('../workers/index.ts');
  return workers.withJobs(requests, async (ids) => {
    const queue = await workers.openQueue({ redisUrl: environment.redisUrl });
    try {
      return await workers.jobStates(queue, ids);
    } finally {
      await queue.close();
    }
  });
}
