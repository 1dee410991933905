/** What every command works with: the options before it, the environment, and the repository. */
import { readFile } from 'node:fs/promises';
import { BacktrailError, type ConfigText, type Engine, openEngine, type Person } from '../engine/index.ts';
import type { Environment } from './environment.ts';
import type { Format } from './output.ts';

export interface GlobalOptions {
  readonly repo?: string;
  readonly config?: string;
  readonly output: Format;
}

export interface Session {
  readonly environment: Environment;
  readonly format: Format;
  readonly repo: string;
  readonly config: ConfigText | null;
  /** Opens the repository for as long as `use` takes. */
  withEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T>;
  author(engine: Engine): Promise<Person>;
}

export async function startSession(environment: Environment, options: GlobalOptions): Promise<Session> {
  const config = options.config === undefined ? null : await readConfig(options.config);
  const repo = options.repo ?? '.';
  const { env, cacheFolder, committer, clock } = environment;
  return {
    environment,
    format: options.output,
    repo,
    config,
    withEngine: async (use) => {
      const engine = await openEngine({
        repo,
        ...(config && { config }),
        env,
        cacheFolder,
        committer,
        clock,
      });
      try {
        return await use(engine);
      } finally {
        await engine.close();
      }
    },
    author: async (engine) => environment.author ?? (await engine.identity()) ?? environment.account,
  };
}

async function readConfig(file: string): Promise<ConfigText> {
  try {
    return { name: file, text: await readFile(file, 'utf8') };
  } catch (cause) {
    throw new BacktrailError('CONFIG_MISSING', `The configuration ${file} cannot be read.`, { cause });
  }
}
