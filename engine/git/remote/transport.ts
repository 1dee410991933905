import { simpleGit } from 'simple-git';
import type { SimpleGitOptions } from 'simple-git';
import { BacktrailError } from '../../model/index.ts';
import { timedOut } from '../process/spawn.ts';
import type { Environment } from '../process/spawn.ts';

/** git for what is slow anyway: fetch, push, configuration and maintenance of our own mirrors, through simple-git. */
export interface Transport {
  /** Resolves with whatever git answered; rejects with GIT_TIMEOUT, or GIT_FAILED once the repository is closed. */
  git(args: readonly string[], options?: TransportOptions): Promise<TransportAnswer>;
}

export interface TransportOptions {
  readonly timeoutMs?: number;
  /** Called with what git writes on its error stream, as it comes. */
  readonly onError?: (chunk: Uint8Array) => void;
  readonly silence?: Silence;
}

/** How long a remote may say nothing at all. */
export interface Silence {
  readonly ms: number;
  /** Once git has written this on its error stream, it waits for the remote no more, or has its own work to do. */
  readonly until?: RegExp;
}

export interface TransportAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * simple-git refuses settings that could run a program, wherever they come from. Ours switch such programs off, and no
 * word that a stranger wrote reaches its arguments unchecked: so all of them are allowed.
 */
const ALLOWED: NonNullable<SimpleGitOptions['unsafe']> = {
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeCommandBinaries: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeDiffTextConv: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafeMergeDriver: true,
  allowUnsafePack: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
};

export function createTransport(place: {
  readonly directory: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Transport {
  return {
    git: (args, options) => ask({ ...place, ...options, args }),
  };
}

/** Longer than any answer takes that is still under way when git has exited; a helper left behind keeps its pipes open. */
const GRACE_MS = 1_000;

async function ask(call: {
  readonly directory: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly args: readonly string[];
  readonly onError?: (chunk: Uint8Array) => void;
  readonly silence?: Silence;
}): Promise<TransportAnswer> {
  const { directory, env, timeoutMs, signal, args, onError, silence } = call;
  const late = AbortSignal.timeout(timeoutMs);
  const ended = new AbortController();
  const stop = () => ended.abort();
  const watch = silence && watchSilence(silence, stop);
  for (const reason of [late, signal]) reason.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let answer = { code: -1, stderr: '' };
  const git = simpleGit({
    baseDir: directory,
    abort: ended.signal,
    completion: { onClose: true, onExit: GRACE_MS },
    allowEnvironment: Object.keys(env),
    unsafe: ALLOWED,
    errors: (_, { exitCode, stdErr }) => {
      answer = { code: exitCode, stderr: Buffer.concat(stdErr).toString('utf8') };
      return undefined;
    },
  });
  git.outputHandler((_command, stdout, stderr) => {
    if (onError) stderr.on('data', onError);
    if (!watch) return;
    stdout.on('data', () => watch.heard(''));
    stderr.on('data', (chunk: Uint8Array) => watch.heard(Buffer.from(chunk).toString('latin1')));
  });
  try {
    const stdout = await git.env({ ...env }).raw([...args]);
    if (!ended.signal.aborted) return { ...answer, stdout };
  } catch (cause) {
    if (!ended.signal.aborted) throw new BacktrailError('GIT_FAILED', 'git could not be run.', { cause });
  } finally {
    watch?.end();
    for (const reason of [late, signal]) reason.removeEventListener('abort', stop);
  }
  if (silence && watch?.isOver() === true) throw timedOut(args, silence.ms);
  throw late.aborted
    ? timedOut(args, timeoutMs)
    : new BacktrailError('GIT_FAILED', 'The repository was closed.');
}

function watchSilence({ ms, until }: Silence, stop: () => void) {
  let [over, done] = [false, false];
  const timer = setTimeout(() => {
    over = true;
    stop();
  }, ms);
  return {
    heard(text: string): void {
      done ||= until?.test(text) === true;
      if (done) clearTimeout(timer);
      else timer.refresh();
    },
    isOver: () => over,
    end: () => clearTimeout(timer),
  };
}
