import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { BacktrailError } from '../../model/index.ts';
import { commandName, gitFailure } from './failure.ts';

/** The only door to child processes. Each child leads a process group of its own, so that its helpers end with it. */

/** A running git with its three pipes. */
export type Child = ChildProcessWithoutNullStreams;

export type Environment = Readonly<Record<string, string>>;

export interface SpawnOptions {
  /** git where absent. */
  readonly program?: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
}

export interface RunOptions extends SpawnOptions {
  readonly input?: Uint8Array | string;
  /** Milliseconds; two minutes where absent. */
  readonly timeoutMs?: number;
  /** Limit of standard output; 256 MB where absent. */
  readonly maxBytes?: number;
  /** Takes standard output as it comes: `stdout` of the result is empty then. What it throws ends the process. */
  readonly onStdout?: (chunk: Buffer) => void;
  /** Exit codes that are an answer, not a failure; only 0 where absent. */
  readonly okCodes?: readonly number[];
  readonly signal?: AbortSignal;
  /** It was started before, with these arguments. */
  readonly child?: Child | undefined;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly pid: number;
}

const STDERR_LIMIT = 64 * 1024;

/**
 * Runs git to its end. Rejects with GIT_MISSING, GIT_TIMEOUT, REPOSITORY_UNTRUSTED, REPOSITORY_LOCKED or
 * GIT_FAILED; the exit code and the process id are in `details`.
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const result = await finish(options);
  if ((options.okCodes ?? [0]).includes(result.code)) return result;
  throw gitFailure({ args: options.args, code: result.code, stderr: result.stderr, pid: result.pid });
}

function finish(options: RunOptions): Promise<RunResult> {
  const { args, input, signal, timeoutMs = 120_000, maxBytes = 256 * 1024 * 1024 } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(closed(args));
      return;
    }
    const child = options.child ?? start(options);
    let stopped: unknown = null;
    const stop = (reason: unknown) => {
      stopped ??= reason;
      terminate(child);
    };
    const timer = setTimeout(() => stop(timedOut(args, timeoutMs)), timeoutMs);
    const { onStdout } = options;
    const take =
      onStdout &&
      ((chunk: Buffer) => {
        if (stopped !== null) return;
        try {
          onStdout(chunk);
        } catch (error) {
          stop(error);
        }
      });
    const output = collectOutput(child, maxBytes, () => stop(tooMuch(args, maxBytes)), take);
    const abort = () => stop(closed(args));
    signal?.addEventListener('abort', abort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    child.on('error', (error) => {
      settle();
      reject(notStarted(error));
    });
    child.on('close', (code) => {
      settle();
      if (stopped !== null) reject(stopped);
      else resolve({ code: code ?? 128, ...output(), pid: child.pid ?? 0 });
    });
    // Even nothing would be written: to a git that has ended already, which is an error with a stack trace.
    if (input === undefined) child.stdin.end();
    else child.stdin.end(input);
  });
}

/**
 * Collects what a child prints, up to `maxBytes` of standard output and the end of its standard error; call it for both. `onStdout` takes
 * standard output as it comes, in place of collecting it.
 */
export function collectOutput(
  child: Child,
  maxBytes: number,
  onExcess: () => void,
  onStdout?: (chunk: Buffer) => void,
): () => { readonly stdout: Buffer; readonly stderr: string } {
  const stdout: Buffer[] = [];
  let stderr = '';
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) onExcess();
    else if (onStdout === undefined) stdout.push(chunk);
    else onStdout(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = `${stderr}${text}`.slice(-STDERR_LIMIT);
  });
  return () => ({ stdout: Buffer.concat(stdout), stderr });
}

/** A child with its three pipes open; the caller listens for 'error' and 'close', and ends it. */
export function start({ program = 'git', args, cwd, env }: SpawnOptions): Child {
  const child = spawn(program, args, { cwd, env, detached: true, stdio: 'pipe', windowsHide: true });
  // A child that ends early closes its input; its exit says why, the broken pipe says nothing.
  child.stdin.on('error', () => undefined);
  return child;
}

/** Does this process wait for a child that stays open between its tasks? */
export function keepAlive(child: Child, alive: boolean): void {
  const pipes = [child.stdin, child.stdout, child.stderr].filter((pipe) => pipe instanceof Socket);
  for (const handle of [child, ...pipes]) {
    if (alive) handle.ref();
    else handle.unref();
  }
}

/** Ends the whole process group: first so that git can remove its lock files, then by force. */
export function terminate(child: Child): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const group = -child.pid;
  signalGroup(group, 'SIGTERM');
  const force = setTimeout(() => signalGroup(group, 'SIGKILL'), 2_000);
  force.unref();
  child.once('close', () => clearTimeout(force));
}

/** Ends the whole process group at once, also what a leader that has ended left behind. */
export function killGroup({ pid }: Child): void {
  if (pid !== undefined) signalGroup(-pid, 'SIGKILL');
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(group, signal);
  } catch {
    // It has ended already.
  }
}

export function notStarted(error: Error): BacktrailError {
  const missing = 'code' in error && error.code === 'ENOENT';
  if (missing) return new BacktrailError('GIT_MISSING', 'The program git was not found.', { cause: error });
  return new BacktrailError('GIT_FAILED', `git could not be started: ${error.message}.`, { cause: error });
}

export function timedOut(args: readonly string[], milliseconds: number): BacktrailError {
  return new BacktrailError('GIT_TIMEOUT', `${commandName(args)} took longer than ${milliseconds / 1000} s.`);
}

function closed(args: readonly string[]): BacktrailError {
  return new BacktrailError('GIT_FAILED', `${commandName(args)} was stopped: the repository was closed.`);
}

function tooMuch(args: readonly string[], bytes: number): BacktrailError {
  return new BacktrailError('GIT_FAILED', `${commandName(args)} gave more than ${bytes} bytes.`, {
    details: { limit: bytes },
  });
}

/**
 * The environment that git runs in. What the user's own environment and configuration say about identity, credentials,
 * transport and filters stays; what the repository's configuration could run is overridden: with the user's value
 * where there is one, else with a value that does nothing. The overrides travel as GIT_CONFIG_COUNT, so that git's own
 * children get them too.
 */

export type ProcessEnvironment = Readonly<Record<string, string | undefined>>;
