import { createHash } from 'node:crypto';
import { PREFIX, within } from '../redis.ts';
import type { RedisClient } from '../redis.ts';

/**
 * `here`: this worker works on it, or nobody can be asked. `elsewhere`: another worker does, and takes more. `busy`: another one does, and is full.
 */
type Holder = 'here' | 'elsewhere' | 'busy';

/** Which worker of a queue works on a repository now: a preference, so that its rollbacks share a push. Correctness never depends on it. */
export interface RepositoryLease {
  /** Takes it where it is free. */
  claim(repo: string): Promise<Holder>;
  /** A sign of progress: without one, the lease is not renewed for long. */
  progress(repo: string): void;
  release(repo: string): Promise<void>;
  /** Releases all, and claims no more. */
  close(): Promise<void>;
}

interface LeaseSetup {
  /** Used only while it is connected. */
  readonly redis: RedisClient;
  /** Of the worker, unlike that of any other one. */
  readonly id: string;
  /** Whether this worker takes more jobs. */
  readonly hasRoom: () => boolean;
  /** Milliseconds; as below where absent. */
  readonly times?: { readonly lease: number; readonly renew: number; readonly quiet: number };
}

/** Milliseconds. A lease ends so long after the death of its holder, which renews it more often, but not where it has been quiet for so long. */
const TIMES = { lease: 3000, renew: 1000, quiet: 10_000 };
const ANSWER_MS = 250;

/** `<id> room` or `<id> full`. Answers the value of another holder, or an empty string where it is ours now. */
const CLAIM = `
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return ''
`;

const RELEASE = `
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`;

interface Held {
  readonly renewing: NodeJS.Timeout;
  heard: number;
}

export function createRepositoryLease({ redis, id, hasRoom, times = TIMES }: LeaseSetup): RepositoryLease {
  const held = new Map<string, Held>();
  let isClosed = false;
  const owner = `${id} `;
  /** Null where it does not answer. */
  const ask = async (script: string, repo: string, ...values: (string | number)[]) => {
    if (redis.status !== 'ready') return null;
    const answer = redis.eval(script, 1, keyOf(repo), owner, ...values);
    return await within(ANSWER_MS, answer).catch(() => null);
  };
  const take = (repo: string) => ask(CLAIM, repo, hasRoom() ? 'room' : 'full', times.lease);
  const drop = async (repo: string) => {
    const own = held.get(repo);
    if (!own) return;
    clearInterval(own.renewing);
    held.delete(repo);
    await ask(RELEASE, repo);
  };
  const renew = async (repo: string) => {
    const own = held.get(repo);
    if (!own) return;
    if (performance.now() - own.heard > times.quiet) return drop(repo);
    const holder = await take(repo);
    // Given back while it was renewed.
    if (!held.has(repo)) return void (await ask(RELEASE, repo));
    // It ended while this process stood still, and another one has it.
    if (typeof holder !== 'string' || holder === '') return;
    clearInterval(own.renewing);
    held.delete(repo);
  };
  return {
    claim: async (repo) => {
      if (isClosed || held.has(repo)) return 'here';
      const answer = await take(repo);
      if (typeof answer === 'string' && answer !== '') return answer.endsWith('room') ? 'elsewhere' : 'busy';
      if (answer === null || isClosed || held.has(repo)) return 'here';
      const renewing = setInterval(() => void renew(repo), times.renew);
      renewing.unref();
      held.set(repo, { renewing, heard: performance.now() });
      return 'here';
    },
    progress: (repo) => {
      const own = held.get(repo);
      if (own) own.heard = performance.now();
    },
    release: drop,
    close: async () => {
      isClosed = true;
      await Promise.all([...held.keys()].map(drop));
    },
  };
}

/** An address may be long, and may hold what is not for others. */
function keyOf(repo: string): string {
  return `${PREFIX}:holder:${createHash('sha256').update(repo).digest('hex').slice(0, 32)}`;
}
