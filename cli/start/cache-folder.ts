import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where mirrors of remote repositories live, and what V8 compiled. */
export const cacheFolderOf = (env: Readonly<Record<string, string | undefined>>): string =>
  join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'backtrail');
