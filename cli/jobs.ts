import type { RequestView } from '../engine/index.ts';
import type { Session } from './session.ts';

/** A slow queue is not waited for: it is not the record. */
const PATIENCE_MS = 700;

/** Approved requests that a worker is executing are shown as `executing`, if the queue can be reached. */
export async function withJobs(
  session: Session,
  requests: readonly RequestView[],
): Promise<readonly RequestView[]> {
  const approved = requests.filter(({ status }) => status === 'approved').map(({ id }) => id);
  if (approved.length === 0 || session.isRemote) return requests;
  const active = await Promise.race([askQueue(session, approved), after(PATIENCE_MS)]).catch(() => null);
  return requests.map((request) => (active?.has(request.id) ? { ...request, status: 'executing' } : request));
}

async function askQueue({ environment }: Session, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { jobStates, openQueue } = await import('../workers/index.ts');
  const queue = await openQueue({ redisUrl: environment.redisUrl });
  try {
    const states = await jobStates(queue, ids);
    return new Set(ids.filter((id) => states.get(id)?.state === 'active'));
  } finally {
    await queue.close();
  }
}

const after = (ms: number) => new Promise<null>((resolve) => setTimeout(() => resolve(null), ms).unref());
