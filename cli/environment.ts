/** The only place that reads the environment of the process. */
import { randomBytes } from 'node:crypto';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Clock, Person } from '../engine/index.ts';

export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where mirrors of remote repositories live. */
  readonly cacheFolder: string;
  readonly redisUrl: string;
  readonly committer: Person;
  /** Who asks: git's own variables, where set; the user's git configuration comes next. */
  readonly author: Person | null;
  /** The account on this machine, for where git knows nobody. */
  readonly account: Person;
  readonly color: boolean;
  /** Can questions be asked? */
  readonly interactive: boolean;
  readonly clock: Clock;
  random(bytes: number): Uint8Array;
}

const SERVICE: Person = { name: 'Backtrail', email: 'backtrail@localhost' };

export function readEnvironment(): Environment {
  const { env } = process;
  const user = account();
  return {
    env,
    cacheFolder: join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'backtrail'),
    redisUrl: env['REDIS_URL'] || 'redis://127.0.0.1:6379',
    committer: person(env['GIT_COMMITTER_NAME'], env['GIT_COMMITTER_EMAIL']) ?? SERVICE,
    author: person(env['GIT_AUTHOR_NAME'], env['GIT_AUTHOR_EMAIL']),
    account: { name: user, email: `${user}@${hostname() || 'localhost'}` },
    color: process.stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
    random: (bytes) => randomBytes(bytes),
  };
}

function person(name: string | undefined, email: string | undefined): Person | null {
  return name && email ? { name, email } : null;
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // an id without an entry in the system's list of users, as in many containers
  }
}
