import { afterEach } from 'vitest';
import { createLogger, openQueue, startWorker } from '../../../workers/index.ts';
import type { RollbackQueue, WorkerSetup } from '../../../workers/index.ts';

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
