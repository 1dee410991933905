/**
 * The real worker in a process of its own. Argument: JSON {redisUrl, cacheFolder, allowedSigners, dieAt, reconciles}: it kills
 * itself, as the system's out-of-memory killer would, at the moment that a step is reported.
 */
import { z } from 'zod';
import { openIn, reconcileIn } from '../../../cli/commands/worker.ts';
import { shareEngines } from '../../../cli/shared-engines.ts';
import { executeInBatches } from '../../../workers/index.ts';
import { createLogger, exitOnSignal, startWorker } from '../../../workers/index.ts';

const { redisUrl, cacheFolder, allowedSigners, dieAt, reconciles } = z
  .object({
    redisUrl: z.string(),
    cacheFolder: z.string(),
    allowedSigners: z.string(),
    dieAt: z.string().optional(),
    reconciles: z.string().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const committer = { name: 'Backtrail', email: 'backtrail@localhost' };
const open = openIn({ env: process.env, cacheFolder, allowedSigners, committer, clock });
const execute = executeInBatches(open);
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
  ...(reconciles !== undefined && {
    reconciling: {
      ...reconcileIn(shareEngines(open), { cacheFolder }),
      repos: () => Promise.resolve([reconciles]),
      everyMs: 300,
    },
  }),
});
exitOnSignal({ stop: () => worker.close(), logger });
