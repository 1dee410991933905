/**
 * A worker of its own process, for tests that send it signals. Argument: JSON {redisUrl, name, journal, holdAt, holdMs, batches}.
 * It writes what it does to the journal, and stays in the step `holdAt` for `holdMs` or until the file JOURNAL.go is
 * there, signal or not, as git would. With `batches`, those of a repository are executed together, each step for all.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { STEPS, type Step } from '../../../engine/model/index.ts';
import {
  createLogger,
  executeInBatches,
  type ExecuteRollback,
  exitOnSignal,
  startWorker,
} from '../../../workers/index.ts';
import { resultOf } from './queue-values.ts';

const { redisUrl, name, journal, holdAt, holdMs, batches } = z
  .object({
    redisUrl: z.string(),
    name: z.string(),
    journal: z.string(),
    holdAt: z.string().optional(),
    holdMs: z.number().optional(),
    batches: z.boolean().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const note = (what: string) => appendFileSync(journal, `${name} ${what}\n`);

interface Walk {
  readonly tell: (step: Step) => Promise<unknown>;
  readonly signal?: AbortSignal;
}

async function walk({ tell, signal }: Walk): Promise<void> {
  note('starts');
  for (const step of STEPS) {
    if (step === holdAt) {
      note(`holds ${step}`);
      for (const end = Date.now() + (holdMs ?? 0); Date.now() < end && !existsSync(`${journal}.go`); )
        await sleep(20);
    }
    await tell(step);
    note(step);
    signal?.throwIfAborted();
  }
}

const executeTogether = executeInBatches(() =>
  Promise.resolve({
    rollbacks: {
      executeMany: async (asks) => {
        await walk({ tell: (step) => Promise.all(asks.map(({ onStep }) => onStep({ step }))) });
        for (const { id } of asks) note(`executed ${id}`);
        return new Map(asks.map(({ id }) => [id, { status: 'fulfilled', value: resultOf(id) }]));
      },
    },
    close: () => Promise.resolve(),
  }),
);

const executeAlone: ExecuteRollback = async ({ requestId, onStep, signal }) => {
  await walk({ tell: (step) => onStep({ step }), signal });
  return resultOf(requestId);
};

const logger = createLogger({ name });
const worker = startWorker({
  redisUrl,
  logger,
  name,
  execute: batches === true ? executeTogether : executeAlone,
});
exitOnSignal({ stop: () => worker.close(), logger });
note('up');
