/** What an engine is opened with where whoever opens it says nothing else. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Person } from './model/index.ts';
import type { EngineSettings } from './inner.ts';

const SERVICE: Person = { name: 'Backtrail', email: 'backtrail@localhost' };

type Defaults = Pick<EngineSettings, 'env' | 'cacheFolder' | 'committer' | 'clock'>;

/** The environment of the process; mirrors in the user's cache folder; git's committer, where the environment names one. */
export function defaultSettings(env: EngineSettings['env'] = process.env): Defaults {
  const [name, email] = [env['GIT_COMMITTER_NAME'], env['GIT_COMMITTER_EMAIL']];
  return {
    env,
    cacheFolder: join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'backtrail'),
    committer: name && email ? { name, email } : SERVICE,
    clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  };
}
