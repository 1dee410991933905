import { BacktrailError } from '../../model/index.ts';
import { keepAlive, notStarted, start, terminate, timedOut } from '../process/spawn.ts';
import type { Child, Environment } from '../process/spawn.ts';

/** git over the network: `fetch`, `push` and `ls-remote`, run in one of our mirrors with the user's way to reach the remote. */
export interface Transport {
  /** Resolves with whatever git answered. @throws GIT_TIMEOUT, GIT_MISSING, and GIT_FAILED once the repository is closed. */
  git(args: readonly string[], options?: TransportOptions): Promise<TransportAnswer>;
}

interface TransportOptions {
  /** Called with what git writes to standard error, as it comes. */
  readonly onError?: (chunk: Uint8Array) => void;
  readonly silence?: Silence;
}

/** How long a remote may say nothing at all. */
interface Silence {
  readonly ms: number;
  /** Once git has written this to standard error, it no longer waits for the remote, or has its own work to do. */
  readonly until?: RegExp;
}

export interface TransportAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds. git has exited, but a helper that it left behind (an ssh master, a credential cache) may keep its pipes open. */
const GRACE_MS = 1_000;
/** Bytes that are kept, of the end: a server may send any amount of text. */
const OUTPUT_LIMIT = 1024 * 1024;

export function createTransport(setup: {
  /** The mirror. */
  readonly directory: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Aborted when the repository is closed. */
  readonly signal: AbortSignal;
}): Transport {
  const { directory, env, timeoutMs, signal } = setup;
  return {
    git: (args, options = {}) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(closed());
          return;
        }
        const child = start({ args, cwd: directory, env });
        let failure: BacktrailError | null = null;
        const stop = (reason: BacktrailError) => {
          // In the grace period there is an answer already.
          if (child.exitCode !== null) return;
          failure ??= reason;
          terminate(child);
        };
        const onAbort = () => stop(closed());
        signal.addEventListener('abort', onAbort, { once: true });
        const timer = setTimeout(() => stop(timedOut(args, timeoutMs)), timeoutMs);
        const { silence } = options;
        const watch = silence && watchSilence(silence, () => stop(timedOut(args, silence.ms)));
        const output = collect(child, { onError: options.onError, heard: (text) => watch?.heard(text) });
        const settle = (outcome: () => void) => {
          clearTimeout(timer);
          watch?.end();
          signal.removeEventListener('abort', onAbort);
          outcome();
        };
        child.stdin.end();
        child.on('error', (error) => settle(() => reject(notStarted(error))));
        whenEnded(child, (code) =>
          settle(() => (failure === null ? resolve({ code, ...output() }) : reject(failure))),
        );
      }),
  };
}

const closed = () => new BacktrailError('GIT_FAILED', 'The repository was closed.');

/** Calls back once, when all output is read, or after the grace period. */
function whenEnded(child: Child, callback: (code: number) => void): void {
  let grace: NodeJS.Timeout | undefined;
  let isOver = false;
  const end = (code: number | null) => {
    clearTimeout(grace);
    if (!isOver) callback(code ?? 128);
    isOver = true;
  };
  child.once('exit', (code) => {
    grace = setTimeout(() => {
      // Read on, so that the helper's writes do not fail, but without keeping this process alive.
      keepAlive(child, false);
      end(code);
    }, GRACE_MS);
  });
  child.once('close', end);
}

function collect(
  child: Child,
  { onError, heard }: { onError: TransportOptions['onError']; heard: (text: string) => void },
): () => { stdout: string; stderr: string } {
  const streams = [child.stdout, child.stderr].map((stream) => {
    let kept: Buffer = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]).subarray(-OUTPUT_LIMIT);
      if (stream === child.stderr) onError?.(chunk);
      heard(stream === child.stderr ? chunk.toString('latin1') : '');
    });
    return () => kept.toString('utf8');
  });
  return () => ({ stdout: streams[0]?.() ?? '', stderr: streams[1]?.() ?? '' });
}

function watchSilence({ ms, until }: Silence, expired: () => void) {
  let done = false;
  const timer = setTimeout(expired, ms);
  return {
    heard(text: string): void {
      done ||= until?.test(text) === true;
      if (done) clearTimeout(timer);
      else timer.refresh();
    },
    end: () => clearTimeout(timer),
  };
}
