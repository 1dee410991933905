import { makeRequestId } from '../../../engine/model/index.ts';
import type { RequestId, RollbackResult } from '../../../engine/model/index.ts';
import type { RollbackJob } from '../../../workers/index.ts';

let counter = 0;

/** A valid job with a new request id. */
export function makeJob(): RollbackJob {
  counter += 1;
  const requestId = makeRequestId(Date.now(), new Uint8Array(10).fill(counter));
  return { v: 2, requestId, repo: '/srv/git/desired-state' };
}

export function resultOf(requestId: RequestId): RollbackResult {
  return {
    requestId,
    status: 'completed',
    mode: 'service',
    scope: 'acme/production/api',
    base: '2'.repeat(40),
    target: '1'.repeat(40),
    commit: 'c'.repeat(40),
    deliveryCommit: 'd'.repeat(40),
    digest: `sha256:${'3'.repeat(64)}`,
    findings: [],
  };
}
