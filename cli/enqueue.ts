/** Hands a confirmed rollback to a worker, and follows it. */
import { resolve } from 'node:path';
import { formatCoordinates, type RollbackRequest, type RollbackResult } from '../engine/index.ts';
import { enqueueRollback, followRollback, openQueue, type RollbackQueue } from '../workers/index.ts';
import type { Session } from './session.ts';

export async function enqueue(
  session: Session,
  request: RollbackRequest,
  options: { wait: boolean; say: (line: string) => void },
): Promise<RollbackResult> {
  const { config } = session;
  const queue = await openQueue({ redisUrl: session.environment.redisUrl });
  try {
    const job = { v: 1, request, repo: address(session.repo), ...(config && { config }) } as const;
    const { since } = await enqueueRollback(queue, job);
    if (!options.wait) return detached(request);
    return await follow(queue, request, { since, say: options.say });
  } finally {
    await queue.close();
  }
}

async function follow(
  queue: RollbackQueue,
  request: RollbackRequest,
  { since, say }: { since: string; say: (line: string) => void },
): Promise<RollbackResult> {
  say(`  queued ${request.id} at ${queue.address}`);
  return followRollback(queue, request.id, {
    since,
    onStep: ({ step }) => say(`  ✓ ${step}`),
    onRetry: ({ attempt, waitMs, failure }) =>
      say(
        `  attempt ${attempt} failed (${failure.code}: ${failure.message}); the next one in ${Math.ceil(waitMs / 1000)} s`,
      ),
    onIdle: () => say('  no worker is connected; start one with `backtrail worker`'),
  });
}

function detached(request: RollbackRequest): RollbackResult {
  return {
    requestId: request.id,
    status: 'executing',
    mode: request.scope.mode,
    scope: formatCoordinates(request.scope),
    base: request.base,
    target: request.target,
    commit: null,
    deliveryCommit: null,
    digest: request.digest,
    findings: [],
  };
}

/** A worker stands in another folder: paths become absolute, URLs and git's `host:path` stay. */
export function address(repo: string): string {
  return /^[A-Za-z][\w+.-]*:\/\/|^[^/.][^/]*:/.test(repo) ? repo : resolve(repo);
}
