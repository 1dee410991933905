import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { BacktrailError } from '../engine/model/index.ts';

/** Programs that speak Redis' protocol, in the order of preference; the last one is a package of this project. */
export const LOCAL_KINDS = ['redis-server', 'valkey-server', 'js-redis-server'] as const;
export type LocalKind = (typeof LOCAL_KINDS)[number];

export interface RunningRedis {
  readonly url: string;
  readonly kind: 'REDIS_URL' | LocalKind;
  /** Process id of the server, and its temporary folder; absent for a server that is not ours. */
  readonly pid?: number;
  readonly folder?: string;
  /** Ends a server that was started here, and waits until it is gone; leaves another one alone. */
  readonly stop: () => Promise<void>;
}

interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Only these, and never REDIS_URL: for tests, which flush and kill their server. */
  readonly only?: readonly LocalKind[];
  /** Otherwise one that is free. */
  readonly port?: number;
  /** More lines for the configuration of a native server. */
  readonly config?: readonly string[];
  /** Watches others instead of holding data. */
  readonly sentinel?: boolean;
}

/**
 * A Redis for the demo and the tests: REDIS_URL, else a server of our own on the loopback address, without
 * persistence, which ends with this process however that ends (see redis-supervisor.mjs).
 * Rejects with QUEUE_UNAVAILABLE, which says how to install one.
 */
export async function startRedis(options: StartOptions = {}): Promise<RunningRedis> {
  const { env = process.env, only, ...settings } = options;
  const url = env['REDIS_URL'];
  if (only === undefined && url !== undefined && url !== '')
    return { url, kind: 'REDIS_URL', stop: () => Promise.resolve() };
  const failures: string[] = [];
  for (const kind of only ?? LOCAL_KINDS) {
    const command = findServer(kind, env);
    if (command === null) continue;
    try {
      return await launch({ ...settings, kind, command });
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw noRedis(failures);
}

/** Starts a Redis for the time of `use`. */
export async function withRedis<T>(
  use: (redis: RunningRedis) => Promise<T>,
  options?: StartOptions,
): Promise<T> {
  const redis = await startRedis(options);
  try {
    return await use(redis);
  } finally {
    await redis.stop();
  }
}

/** Where the server's program is; null where there is none. */
export function findServer(kind: LocalKind, env: NodeJS.ProcessEnv = process.env): string | null {
  if (kind === 'js-redis-server') {
    const packaged = fileURLToPath(new URL('../node_modules/js-redis-server/package.json', import.meta.url));
    return isAccessible(packaged, constants.R_OK) ? kind : null;
  }
  const candidates = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return (
    candidates.map((folder) => join(folder, kind)).find((path) => isAccessible(path, constants.X_OK)) ?? null
  );
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function noRedis(failures: readonly string[]): BacktrailError {
  const tried = failures.length === 0 ? '' : ` Tried: ${failures.join('; ')}`;
  return new BacktrailError('QUEUE_UNAVAILABLE', `No Redis was found to start.${tried}`, {
    hint:
      'Install one (Debian: apt-get install redis-server; macOS: brew install redis; anywhere: npm install, which brings ' +
      'js-redis-server), or name a running one with REDIS_URL=redis://HOST:PORT.',
  });
}

type Supervisor = ChildProcessByStdio<Writable, Readable, null>;

interface Order extends Omit<StartOptions, 'env' | 'only'> {
  readonly kind: LocalKind;
  readonly command: string;
}

async function launch(order: Order): Promise<RunningRedis> {
  const script = fileURLToPath(new URL('redis-supervisor.mjs', import.meta.url));
  // A session of its own: Ctrl-C reaches this process only, which may need its queue to end in order.
  const supervisor = spawn(process.execPath, [script, JSON.stringify(order)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  supervisor.stdin.on('error', () => undefined);
  try {
    const { url, pid, folder } = await readAnswer(supervisor);
    letGo(supervisor);
    const running = { url, kind: order.kind, pid, stop: () => end(supervisor) };
    return folder === null ? running : { ...running, folder };
  } catch (error) {
    await end(supervisor);
    throw error;
  }
}

const answerSchema = z.union([
  z.object({ url: z.string(), pid: z.number(), folder: z.string().nullable() }),
  z.object({ error: z.string() }),
]);

async function readAnswer(supervisor: Supervisor) {
  const lines = createInterface({ input: supervisor.stdout });
  const timer = setTimeout(() => supervisor.kill('SIGTERM'), 20_000);
  try {
    for await (const line of lines) {
      const answer = answerSchema.parse(JSON.parse(line));
      if ('error' in answer) throw new Error(answer.error);
      return answer;
    }
    throw new Error('the server gave no sign of life within 20 seconds');
  } finally {
    clearTimeout(timer);
    lines.close();
  }
}

/** A script that forgets `stop` can still end; its end closes the pipe, and that ends the server. */
function letGo(supervisor: Supervisor): void {
  supervisor.unref();
  supervisor.stdout.destroy();
  if ('unref' in supervisor.stdin && typeof supervisor.stdin.unref === 'function') supervisor.stdin.unref();
}

async function end(supervisor: Supervisor): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  supervisor.ref();
  const gone = once(supervisor, 'exit');
  supervisor.stdin.end();
  const timer = setTimeout(() => supervisor.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}
