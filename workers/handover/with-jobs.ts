import type { LedgerRequest, RequestId } from '../../engine/model/index.ts';
import type { JobState } from '../queue.ts';

/** A slow queue is not waited for: it is not the record. */
const PATIENCE_MS = 700;

/** Approved requests that a worker is executing are shown as `executing`, where the queue can be asked (`jobStates`). */
export async function withJobs<Request extends Pick<LedgerRequest, 'id' | 'status'>>(
  requests: readonly Request[],
  ask: (ids: readonly RequestId[]) => Promise<ReadonlyMap<RequestId, JobState>>,
): Promise<readonly Request[]> {
  const approved = requests.filter(({ status }) => status === 'approved').map(({ id }) => id);
  if (approved.length === 0) return requests;
  const states = await Promise.race([ask(approved), after(PATIENCE_MS)]).catch(() => null);
  return requests.map((request) =>
    states?.get(request.id)?.state === 'active' ? { ...request, status: 'executing' } : request,
  );
}

const after = (ms: number) => new Promise<null>((resolve) => setTimeout(() => resolve(null), ms).unref());
