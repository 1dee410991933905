import { run, start } from './spawn.ts';
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
}

export type RunnerOptions = Pick<RunOptions, 'input' | 'timeoutMs' | 'maxBytes' | 'okCodes'> & {
  readonly cwd?: string;
  readonly env?: Environment;
};

export function createRunner(options: {
  readonly directory: string;
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Runner {
  const { directory, timeoutMs, signal } = options;
  const env = { ...options.env, GIT_DIR: directory };
  const runHere: Runner['run'] = (args, { cwd = directory, env: more, ...rest } = {}) =>
    run({ timeoutMs, ...rest, args, cwd, env: more === undefined ? env : { ...env, ...more }, signal });
  return {
    directory,
    env,
    timeoutMs,
    signal,
    run: runHere,
    async text(args, options) {
      const { stdout } = await runHere(args, options);
      return stdout.toString('utf8').replace(/\n$/, '');
    },
    start: (args) => start({ args, cwd: directory, env }),
  };
}
