/**
 * A worker of its own process, for tests that send it signals. Argument: JSON {redisUrl, name, journal, holdAt, holdMs}.
 * It writes what it does to the journal, and stays in the step `holdAt` for `holdMs` or until the file JOURNAL.go is
 * there, signal or not, as git would.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { STEPS } from '../../../engine/model/index.ts';
import { createLogger, exitOnSignal, startWorker } from '../../../workers/index.ts';
import { resultOf } from './queue-values.ts';

const { redisUrl, name, journal, holdAt, holdMs } = z
  .object({
    redisUrl: z.string(),
    name: z.string(),
    journal: z.string(),
    holdAt: z.string().optional(),
    holdMs: z.number().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const note = (what: string) => appendFileSync(journal, `${name} ${what}\n`);

const logger = createLogger({ name });
const worker = startWorker({
  redisUrl,
  logger,
  name,
  execute: async ({ requestId, onStep, signal }) => {
    note('starts');
    for (const step of STEPS) {
      if (step === holdAt) {
        note(`holds ${step}`);
        for (const end = Date.now() + (holdMs ?? 0); Date.now() < end && !existsSync(`${journal}.go`); )
          await sleep(20);
      }
      await onStep({ step });
      note(step);
      signal.throwIfAborted();
    }
    return resultOf(requestId);
  },
});
exitOnSignal({ stop: () => worker.close(), logger });
note('up');
