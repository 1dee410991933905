import { makeRequestId } from '../../engine/model/index.ts';
import type { RollbackRequest, RollbackResult } from '../../engine/model/index.ts';
import type { RollbackJob } from '../../workers/index.ts';

let counter = 0;

/** A valid job with a new request id. */
export function makeJob(request: Partial<RollbackRequest> = {}): RollbackJob {
  counter += 1;
  return {
    v: 1,
    request: {
      id: makeRequestId(Date.now(), new Uint8Array(10).fill(counter)),
      scope: { tenant: 'acme', environment: 'production', service: 'api', mode: 'service' },
      target: '1'.repeat(40),
      base: '2'.repeat(40),
      digest: `sha256:${'3'.repeat(64)}`,
      reason: 'Bad image tag',
      author: { name: 'Jane', email: 'jane@example.com' },
      requestedAt: '2026-11-20T10:00:00.000Z',
      allowRemoval: false,
      ...request,
    },
    repo: '/srv/git/desired-state',
  };
}

export function resultOf(request: RollbackRequest): RollbackResult {
  const { id, scope, base, target, digest } = request;
  return {
    requestId: id,
    status: 'completed',
    mode: scope.mode,
    scope: 'acme/production/api',
    base,
    target,
    commit: 'c'.repeat(40),
    deliveryCommit: 'd'.repeat(40),
    digest,
    findings: [],
  };
}
