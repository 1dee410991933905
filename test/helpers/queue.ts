import { afterEach } from 'vitest';
import type { RollbackRequest, RollbackResult } from '../../engine/model/index.ts';
import { makeRequestId } from '../../engine/model/index.ts';
import { createLogger, openQueue, startWorker } from '../../workers/index.ts';
import type { RollbackJob, RollbackQueue, WorkerSetup } from '../../workers/index.ts';

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

/** A logger that remembers its lines. */
export function recordingLogger() {
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const find = (part: string) => lines.filter((line) => line.includes(part));
  return { logger, lines, find };
}

/** Queues and workers that are closed after the test that opened them. */
export function useQueues(redis: { readonly url: string }) {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
  });
  return {
    openQueue: async (redisUrl = redis.url): Promise<RollbackQueue> => {
      const queue = await openQueue({ redisUrl });
      open.push(queue);
      return queue;
    },
    startWorker: (setup: Partial<WorkerSetup> & Pick<WorkerSetup, 'execute'>) => {
      const log = recordingLogger();
      const worker = startWorker({ redisUrl: redis.url, logger: log.logger, ...setup });
      open.push(worker);
      return { ...worker, ...log };
    },
  };
}
