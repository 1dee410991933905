import { BacktrailError, openEngine } from '../../engine/index.ts';
import { createLogger, exitOnSignal, type RunningWorker, withoutLogin } from '../../workers/index.ts';
import { engineOptionsOf } from '../engine-options.ts';
import type { GlobalOptions } from '../session.ts';
import { type Program, STATE } from './command.ts';
import { startWorkerOf } from './worker.ts';

interface ServeOptions {
  readonly listen: string;
  readonly worker?: boolean;
  readonly serverConfig?: string;
  readonly state?: string;
}

export function addServe(program: Program): void {
  program.root
    .command('serve')
    .description('answer over HTTP for one repository, until stopped')
    .option('--listen <address>', 'host and port', '127.0.0.1:4180')
    .option('--server-config <file>', 'who may call, by which names, and how often (docs/serving.md)')
    .option('--state <folder>', STATE)
    .option('--worker', 'execute rollbacks of this repository in the same process, for a small team')
    .action((options: ServeOptions) => serve(program, options));
}

async function serve(
  { root, environment }: Program,
  { listen, worker: hasWorker, serverConfig, state }: ServeOptions,
): Promise<void> {
  const { repo = '.' } = root.opts<GlobalOptions>();
  const { defaultState, readServerConfiguration, startServer } = await import('../../server/index.ts');
  const configuration = serverConfig === undefined ? undefined : await readServerConfiguration(serverConfig);
  const engine = await openEngine({
    ...engineOptionsOf(environment),
    repo,
    offline: true,
    renderCommands: environment.renderCommands,
  });
  const logger = createLogger({ name: 'server', destination: process.stderr });
  let worker: RunningWorker | null = null;
  const running = await startServer({
    engine,
    claim: async () => worker?.claim(withoutLogin(engine.location())) ?? null,
    listen: listenOf(listen),
    configuration,
    state: state ?? defaultState(environment.env),
    redisUrl: environment.redisUrl,
    // Without it, a worker finds in the ledger what is approved.
    needsQueue: hasWorker === true || Boolean(environment.env['REDIS_URL']),
    person: environment.author ?? (await engine.identity()) ?? environment.account,
    logger,
    version: root.version() ?? '',
    random: environment.random,
    now: () => environment.clock.now(),
  });
  worker = hasWorker
    ? startWorkerOf(environment, { named: engine.location(), logger, name: 'server' })
    : null;
  exitOnSignal({
    stop: async () => {
      // Whoever waits for a result is answered first: its rollback may go back to the queue.
      await running.close();
      await worker?.close();
      await engine.close();
    },
    logger,
  });
  // Whoever reads this may stop the server at once.
  process.stdout.write(`listening on ${running.url}\n`);
  // Behind `#`, so that no server and no log of a proxy sees it: the page gives it for a cookie.
  if (running.token !== null) process.stdout.write(`single user: ${running.url}/#token=${running.token}\n`);
  await new Promise<never>(() => undefined);
}

/** `127.0.0.1:4180`, `[::1]:4180`, `:4180`. @throws INVALID_REQUEST */
export function listenOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', port = ''] = /^(?:\[([\da-f:.]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(text) ?? [];
  if (port !== '' && Number(port) < 65_536)
    return { host: bracketed ?? (plain || '127.0.0.1'), port: Number(port) };
  throw new BacktrailError(
    'INVALID_REQUEST',
    `--listen is not HOST:PORT: ${JSON.stringify(text.slice(0, 60))}.`,
  );
}
