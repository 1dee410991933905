import type { Progress } from '../../model/index.ts';
import { telling } from './progress.ts';
import { run, start } from './spawn.ts';
import { createTransact } from './transactions.ts';
import type { Transact } from './transactions.ts';
import type { Child, Environment, RunOptions, RunResult } from './spawn.ts';

/** git in one repository: the directory, the environment and the life of its children, bound once. */
export interface Runner {
  /** The git directory. */
  readonly directory: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Aborted when the repository is closed. */
  readonly signal: AbortSignal;
  run(args: readonly string[], options?: RunnerOptions): Promise<RunResult>;
  /** Standard output as text, without the last newline. */
  text(args: readonly string[], options?: RunnerOptions): Promise<string>;
  start(args: readonly string[]): Child;
  readonly transact: Transact;
}

export type RunnerOptions = Pick<
  RunOptions,
  'input' | 'timeoutMs' | 'maxBytes' | 'okCodes' | 'onStdout' | 'child'
> & {
  readonly cwd?: string;
  readonly env?: Environment;
};

export function createRunner(options: {
  readonly directory: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told of what takes longer than a second, unless whoever asks for it reads it as it comes. */
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}): Runner {
  const { directory, timeoutMs, signal, onProgress } = options;
  const env = { ...options.env, GIT_DIR: directory };
  const runHere: Runner['run'] = (args, { cwd = directory, env: more, ...rest } = {}) =>
    run({ timeoutMs, ...rest, args, cwd, env: more === undefined ? env : { ...env, ...more }, signal });
  const tellingHere: Runner['run'] = (args, more) =>
    more?.onStdout !== undefined || onProgress === undefined
      ? runHere(args, more)
      : telling('working', onProgress, () => runHere(args, more)).finally(() => onProgress(null));
  const startHere: Runner['start'] = (args) => start({ args, cwd: directory, env });
  return {
    directory,
    env,
    timeoutMs,
    signal,
    transact: createTransact({ timeoutMs, signal, start: startHere }),
    run: tellingHere,
    async text(args, options) {
      const { stdout } = await tellingHere(args, options);
      return stdout.toString('utf8').replace(/\n$/, '');
    },
    start: startHere,
  };
}
