/** The only place that reads the environment of the process, but for where compiled code is kept (cli/main.ts). */
import { hostname, userInfo } from 'node:os';
import type { Clock, Person } from '../engine/index.ts';
import { BacktrailError } from '../engine/model/failure.ts';
import { cacheFolderOf } from './start/cache-folder.ts';
import { type Pager, pagerOf } from './terminal/pager-choice.ts';

export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where mirrors of remote repositories live. */
  readonly cacheFolder: string;
  /** Bytes of all mirrors together. */
  readonly cacheLimit: number;
  readonly redisUrl: string;
  /** To one host, by all workers of a queue together; null: as many as there are. */
  readonly pushesPerMinute?: number | null;
  /** Commands that a repository's configuration may render with; see `renderCommands` of the engine. */
  readonly renderCommands: readonly string[];
  /** The file of the keys trusted on this machine; null if git's own setting names it, or none is set. */
  readonly allowedSigners: string | null;
  readonly committer: Person;
  /** The author, from git's own variables; else from the user's git configuration. */
  readonly author: Person | null;
  /** The account on this machine, if git has no identity. */
  readonly account: Person;
  readonly color: boolean;
  /** Columns of the terminal, or those that COLUMNS asks for; null if unknown. */
  readonly columns?: number | null;
  /** The pager for long results; null without a terminal. */
  readonly pager?: Pager | null;
  /** Can questions be asked? */
  readonly interactive: boolean;
  /** Is there a terminal that shows how far a fetch is? */
  readonly progress: boolean;
  readonly clock: Clock;
  readonly nodeVersion: string;
  readonly random: (bytes: number) => Uint8Array;
}

const SERVICE: Person = { name: 'Backtrail', email: 'backtrail@localhost' };

export function readEnvironment(): Environment {
  const { env } = process;
  const user = account();
  return {
    env,
    cacheFolder: cacheFolderOf(env),
    // Parsed by the command that needs it: errors are then printed in the requested format, and help does not need it.
    get cacheLimit() {
      return parseBytes('BACKTRAIL_CACHE_LIMIT', env['BACKTRAIL_CACHE_LIMIT'] || '10G');
    },
    redisUrl: env['REDIS_URL'] || 'redis://127.0.0.1:6379',
    get pushesPerMinute() {
      return parsePushes(env['BACKTRAIL_PUSHES_PER_MINUTE'] ?? '');
    },
    renderCommands: list(env['BACKTRAIL_RENDER_COMMANDS'] ?? ''),
    allowedSigners: env['BACKTRAIL_ALLOWED_SIGNERS'] || null,
    committer: person(env['GIT_COMMITTER_NAME'], env['GIT_COMMITTER_EMAIL']) ?? SERVICE,
    author: person(env['GIT_AUTHOR_NAME'], env['GIT_AUTHOR_EMAIL']),
    account: { name: user, email: `${user}@${hostname() || 'localhost'}` },
    color: process.stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    columns: columns(env['COLUMNS']) ?? columns(process.stdout.columns),
    pager: process.stdout.isTTY && env['TERM'] !== 'dumb' ? pagerOf(env, process.stdout) : null,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    progress: process.stderr.isTTY && env['TERM'] !== 'dumb',
    clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
    nodeVersion: process.versions.node,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  };
}

/** A terminal of unknown size reports 0 columns wide. */
function columns(given: string | number | undefined): number | null {
  const number = Number(given ?? 0);
  return Number.isInteger(number) && number > 0 ? Math.max(20, number) : null;
}

/** Separated by semicolons or line ends. */
const list = (text: string) =>
  text
    .split(/[;\n]/)
    .map((entry) => entry.trim().replace(/\s+/g, ' '))
    .filter((entry) => entry !== '');

function person(name: string | undefined, email: string | undefined): Person | null {
  return name && email ? { name, email } : null;
}

const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/** `500M`, `10G`, or bytes. INVALID_REQUEST for anything else. */
export function parseBytes(name: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,15})([KMGT]?)$/i.exec(text) ?? [];
  const factor = Object.entries(UNITS).find(([known]) => known === unit.toUpperCase())?.[1] ?? 1;
  if (number !== '') return Number(number) * factor;
  throw new BacktrailError(
    'INVALID_REQUEST',
    `${name} is not a valid size: ${JSON.stringify(text.slice(0, 40))}.`,
    {
      hint: 'Write it as 500M or 10G.',
    },
  );
}

/** Empty: null, no limit. INVALID_REQUEST for anything but a positive number. */
export function parsePushes(text: string): number | null {
  if (text.trim() === '') return null;
  if (/^0*[1-9]\d{0,5}$/.test(text.trim())) return Number(text);
  throw new BacktrailError(
    'INVALID_REQUEST',
    `BACKTRAIL_PUSHES_PER_MINUTE is not a positive number: ${JSON.stringify(text.slice(0, 40))}.`,
    { hint: 'Write it as 6, or leave it out for no limit.' },
  );
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // an id without an entry in the system's list of users, as in many containers
  }
}
