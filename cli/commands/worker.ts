import { isAbsolute } from 'node:path';
import { type Notice, openEngine } from '../../engine/index.ts';
import { createLogger, exitOnSignal, type ExecuteRollback, startWorker } from '../../workers/index.ts';
import { address } from '../enqueue.ts';
import type { Environment } from '../environment.ts';
import type { GlobalOptions } from '../session.ts';
import { positive, type Program } from './command.ts';

interface WorkerOptions {
  readonly concurrency: number;
  readonly name: string;
}

export function addWorker(program: Program): void {
  program.root
    .command('worker')
    .description('carries out queued rollbacks until it is stopped; logs JSON lines')
    .option('--concurrency <n>', 'rollbacks at the same time', positive, 2)
    .option('--name <name>', 'how logs name this worker', 'worker')
    .addHelpText(
      'after',
      '\nREDIS_URL names the queue. With --repo, it serves that repository only. SIGTERM finishes the step in hand.',
    )
    .action((options: WorkerOptions) => runWorker(program, options));
}

/** Ends with the process: a signal stops the worker and exits. */
async function runWorker(
  { root, environment }: Program,
  { concurrency, name }: WorkerOptions,
): Promise<void> {
  const { repo } = root.opts<GlobalOptions>();
  const allowedRepos = repo === undefined ? undefined : [await served(repo, environment)];
  const logger = createLogger({ name });
  const worker = startWorker({
    redisUrl: environment.redisUrl,
    execute: executeIn(environment, ({ code, message }) => logger.warn({ code }, message)),
    logger,
    concurrency,
    name,
    ...(allowedRepos && { allowedRepos }),
  });
  exitOnSignal({ stop: () => worker.close(), logger });
  await new Promise<never>(() => undefined);
}

/** As `rollback --queue` names it, from whatever folder inside. A remote is not fetched for that. */
async function served(
  repo: string,
  { env, cacheFolder, committer, clock }: Pick<Environment, 'env' | 'cacheFolder' | 'committer' | 'clock'>,
): Promise<string> {
  const place = address(repo);
  if (!isAbsolute(place)) return place;
  const engine = await openEngine({ repo: place, env, cacheFolder, committer, clock });
  try {
    engine.requireWriting();
    return engine.location();
  } finally {
    await engine.close();
  }
}

/** Carries a request out with an engine of its own, so that a repository that failed holds nothing open. */
export function executeIn(
  {
    env,
    cacheFolder,
    cacheLimit,
    committer,
    clock,
    renderCommands,
  }: Pick<Environment, 'env' | 'cacheFolder' | 'committer' | 'clock'> &
    Partial<Pick<Environment, 'cacheLimit' | 'renderCommands'>>,
  onNotice?: (notice: Notice) => void,
): ExecuteRollback {
  return async ({ request, repo, config, onStep, signal }) => {
    const place = { repo, ...(config && { config }), env, cacheFolder, cacheLimit };
    // The configuration may have come with the job, from anybody who can reach the queue: it permits nothing.
    const engine = await openEngine({ ...place, committer, clock, onNotice, renderCommands });
    try {
      return await engine.execute(request, { onStep, signal });
    } finally {
      await engine.close();
    }
  };
}
