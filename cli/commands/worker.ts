import { isAbsolute } from 'node:path';
import {
  type Engine,
  knownLedgers,
  type Notice,
  openEngine,
  type Watch,
  watchClusters,
} from '../../engine/index.ts';
import {
  createLogger,
  createPushBudget,
  exitOnSignal,
  executeInBatches,
  type Observing,
  type Reconciling,
  type RunningWorker,
  startWorker,
  type WorkerSetup,
  withoutLogin,
} from '../../workers/index.ts';
import { type EnginePlace, engineOptionsOf } from '../engine-options.ts';
import type { Environment } from '../environment.ts';
import { address } from '../repo-address.ts';
import { type SharedEngine, shareEngines, type ShareEngine } from '../shared-engines.ts';
import type { GlobalOptions } from '../session.ts';
import { positive, type Program } from './command.ts';

interface WorkerOptions {
  readonly concurrency: number;
  readonly name: string;
  readonly sign?: boolean;
}

export function addWorker(program: Program): void {
  program.root
    .command('worker')
    .description('execute approved rollbacks until stopped; logs JSON lines')
    .option(
      '--concurrency <n>',
      'rollbacks at the same time; those of a repository share a push',
      positive,
      500,
    )
    .option('--name <name>', 'the name of this worker in logs', 'worker')
    .option('--sign', 'sign all commits with its own SSH key, as `commit.sign` of the configuration does')
    .addHelpText(
      'after',
      `
REDIS_URL names the queue: redis://HOST:PORT, redis-cluster://HOST:PORT,HOST:PORT or redis-sentinel://HOST:PORT,HOST:PORT/NAME,
and rediss://, rediss-cluster:// or rediss-sentinel:// with TLS.
With --repo, it serves that repository only. SIGTERM finishes the current step.
BACKTRAIL_PUSHES_PER_MINUTE limits how often the workers of a queue push to one host; without it there is no limit.
BACKTRAIL_ALLOWED_SIGNERS names the file of trusted keys (the format of git's gpg.ssh.allowedSignersFile).
BACKTRAIL_CLUSTERS names the file of clusters that are observed after a rollback; without it none is asked.`,
    )
    .action((options: WorkerOptions) => runWorker(program, options));
}

/** Ends with the process: a signal stops the worker and exits. */
async function runWorker(
  { root, environment }: Program,
  { concurrency, name, sign }: WorkerOptions,
): Promise<void> {
  const { repo } = root.opts<GlobalOptions>();
  const named = repo === undefined ? undefined : await served(repo, environment);
  const logger = createLogger({ name });
  const worker = startWorkerOf({ ...environment, sign }, { named, logger, name, concurrency });
  exitOnSignal({ stop: () => worker.close(), logger });
  await new Promise<never>(() => undefined);
}

/** `named`: the address of the only repository that it serves. */
export function startWorkerOf(
  environment: WorkerEnvironment & Pick<Environment, 'redisUrl' | 'pushesPerMinute'>,
  how: Pick<WorkerSetup, 'logger' | 'name' | 'concurrency'> & { readonly named: string | undefined },
): RunningWorker {
  const { named, ...setup } = how;
  const { logger } = setup;
  const openAny = openIn(environment, ({ code, message }) => logger.warn({ code }, message));
  const open: Open = (place) => openAny(named !== undefined && place === withoutLogin(named) ? named : place);
  const share = shareEngines(open);
  const { redisUrl, pushesPerMinute: perMinute = null } = environment;
  const turn = perMinute === null ? undefined : createPushBudget({ redisUrl, perMinute, logger });
  const worker = startWorker({
    ...setup,
    redisUrl,
    execute: executeInBatches(open, turn),
    reconciling: reconcileIn(share, environment),
    ...(isSet(environment.env['BACKTRAIL_CLUSTERS']) && { observing: observeIn(share, environment) }),
    ...(named !== undefined && { allowedRepos: [withoutLogin(named)] }),
  });
  // Where pushes are counted, as many rollbacks as can be share one.
  return turn === undefined ? worker : { ...worker, claim: () => Promise.resolve(null) };
}

/** The settings with which a worker opens repositories. */
type WorkerEnvironment = EnginePlace & {
  readonly renderCommands?: readonly string[];
  readonly sign?: boolean | undefined;
};

/** The address that `rollback --queue` uses, from any folder inside the repository. Does not fetch. */
async function served(repo: string, environment: WorkerEnvironment): Promise<string> {
  const place = address(repo);
  if (!isAbsolute(place)) return place;
  const engine = await openIn(environment)(place);
  try {
    engine.requireWriting();
    return engine.location();
  } finally {
    await engine.close();
  }
}

type Open = (repo: string) => Promise<Engine>;

/** The worker decides which render commands may run, not the configuration of a repository. */
export function openIn(environment: WorkerEnvironment, onNotice?: (notice: Notice) => void): Open {
  const { renderCommands, sign } = environment;
  const lines = new Map();
  return (repo) =>
    openEngine({ ...engineOptionsOf(environment), repo, onNotice, renderCommands, lines, sign });
}

const isSet = (value: string | undefined) => value !== undefined && value !== '';

/** What asks clusters is loaded with the first look. */
function observeIn(share: ShareEngine, { cacheFolder }: Pick<WorkerEnvironment, 'cacheFolder'>): Observing {
  const opened = new Map<string, Promise<{ readonly shared: SharedEngine; readonly watch: Watch }>>();
  const begin = async (repo: string) => {
    const shared = await share(repo);
    try {
      return { shared, watch: await watchClusters(shared.engine) };
    } catch (error) {
      await shared.release(true);
      throw error;
    }
  };
  const forget = async (repo: string, isBroken = false) => {
    const found = await opened.get(repo)?.catch(() => null);
    opened.delete(repo);
    await found?.shared.release(isBroken);
  };
  return {
    repos: () => knownLedgers(cacheFolder),
    look: async (repo, signal) => {
      const known = opened.get(repo) ?? begin(repo);
      opened.set(repo, known);
      try {
        return await (await known).watch.look(signal);
      } catch (error) {
        await known.catch(() => forget(repo, true));
        throw error;
      }
    },
    forget,
    close: async () => {
      await Promise.all([...opened.keys()].map((repo) => forget(repo)));
    },
  };
}

/** Keeps each repository open, as an engine caches what it has read; one that failed is reopened. */
export function reconcileIn(
  share: ShareEngine,
  { cacheFolder }: Pick<WorkerEnvironment, 'cacheFolder'>,
): Reconciling {
  const opened = new Map<string, SharedEngine>();
  const forget = async (repo: string, isBroken = false) => {
    const shared = opened.get(repo);
    opened.delete(repo);
    await shared?.release(isBroken);
  };
  return {
    repos: () => knownLedgers(cacheFolder),
    reconcile: async (repo) => {
      try {
        const shared = opened.get(repo) ?? (await share(repo));
        opened.set(repo, shared);
        return await shared.engine.requests.reconcile();
      } catch (error) {
        await forget(repo, true);
        throw error;
      }
    },
    close: async () => {
      await Promise.all([...opened.keys()].map((repo) => forget(repo)));
    },
  };
}
