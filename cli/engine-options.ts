import type { EngineOptions } from '../engine/index.ts';
import type { Environment } from './environment.ts';

/** What every engine of this process is opened with, besides its repository. */
export function engineOptionsOf(environment: EnginePlace): Omit<EngineOptions, 'repo'> {
  const { env, cacheFolder, cacheLimit, committer, clock, random, allowedSigners } = environment;
  return { env, cacheFolder, cacheLimit, committer, clock, random, allowedSigners };
}

type Named = 'env' | 'cacheFolder' | 'committer' | 'clock';

export type EnginePlace = Pick<Environment, Named> &
  Partial<Pick<Environment, 'cacheLimit' | 'random' | 'allowedSigners'>>;
