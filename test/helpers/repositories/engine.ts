import { join } from 'node:path';
import {
  confirmPlan,
  type Engine,
  type EngineOptions,
  type ExecuteOptions,
  makeRequestId,
  openEngine,
  type Ask,
  type RollbackResult,
} from '../../../engine/internal.ts';
import { closeAfterFile, closeAfterTest } from '../run/lifetime.ts';
import { temporaryFolder, type Repo } from './repo.ts';

export const JANE = { name: 'Jane Doe', email: 'jane@example.com' };
export const SERVICE = { name: 'Backtrail', email: 'backtrail@localhost' };

const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

/** An engine that is closed after the test, or after the file. `repo` may be an address of the same repository. */
export async function engineOf(
  repo: Pick<Repo, 'folder' | 'env'>,
  options: {
    location?: string;
    config?: string;
    cacheFolder?: string;
    env?: Record<string, string>;
    lives?: 'test' | 'file';
  } & Partial<
    Pick<
      EngineOptions,
      | 'offline'
      | 'cacheLimit'
      | 'onNotice'
      | 'onProgress'
      | 'renderCommands'
      | 'allowedSigners'
      | 'clock'
      | 'hosts'
      | 'sign'
    >
  > = {},
): Promise<Engine> {
  const cacheFolder = options.cacheFolder ?? join(await temporaryFolder(), 'cache');
  const { offline, cacheLimit, onNotice, onProgress } = options;
  const config =
    options.config === undefined ? {} : { config: { name: 'config.yaml', text: options.config } };
  const engine = await openEngine({
    repo: options.location ?? repo.folder,
    ...config,
    env: { ...repo.env, ...options.env },
    cacheFolder,
    committer: SERVICE,
    clock: options.clock ?? clock,
    allowedSigners: options.allowedSigners,
    offline,
    cacheLimit,
    onNotice,
    onProgress,
    renderCommands: options.renderCommands,
    hosts: options.hosts,
    sign: options.sign,
  });
  (options.lives === 'file' ? closeAfterFile : closeAfterTest)(() => engine.close());
  return engine;
}

let made = 0;

/** Plans, confirms and executes, as the command line does; nothing is held unless that is asked for. */
export async function rollBack(
  engine: Engine,
  ask: Ask,
  options: ExecuteOptions & { reason?: string; id?: string } = {},
): Promise<RollbackResult> {
  const planned = await engine.plan({ hold: false, ...ask });
  return engine.execute(confirmation(planned, { ...ask, ...options }), options);
}

export function confirmation(
  planned: Awaited<ReturnType<Engine['plan']>>,
  options: { reason?: string; id?: string; allowRemoval?: boolean } = {},
) {
  made += 1;
  const random = new Uint8Array(10).fill(made % 256);
  return confirmPlan(planned, {
    id: options.id ?? makeRequestId(1_790_000_000_000 + made, random),
    reason: options.reason ?? 'It answers 500',
    author: JANE,
    now: 1_790_000_000_000,
    allowRemoval: options.allowRemoval ?? false,
  });
}
