/**
 * The real worker in a process of its own. Argument: JSON {redisUrl, cacheFolder, dieAt}: it kills itself, as the system's
 * out-of-memory killer would, at the moment that a step is reported.
 */
import { z } from 'zod';
import { executeIn } from '../../cli/commands/worker.ts';
import { createLogger, exitOnSignal, startWorker } from '../../workers/index.ts';

const { redisUrl, cacheFolder, dieAt } = z
  .object({ redisUrl: z.string(), cacheFolder: z.string(), dieAt: z.string().optional() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const committer = { name: 'Backtrail', email: 'backtrail@localhost' };
const execute = executeIn({ env: process.env, cacheFolder, committer, clock });
const logger = createLogger({ name: 'worker' });
const worker = startWorker({
  redisUrl,
  logger,
  execute: (input) =>
    execute({
      ...input,
      onStep: async (event) => {
        await input.onStep(event);
        if (event.step === dieAt) process.kill(process.pid, 'SIGKILL');
      },
    }),
});
exitOnSignal({ stop: () => worker.close(), logger });
