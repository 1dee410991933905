/** Which worker of a queue observes a repository, and that something was published there: kept in Redis, which may be flushed at any time. */
import { createHash } from 'node:crypto';
import { PREFIX, type RedisClient, within } from '../redis.ts';
import { createRepositoryLease } from '../redis/repository-lease.ts';

export interface ObserverLease {
  /** Whether this worker observes it; it goes on doing so until it releases it, or dies. False also where Redis does not answer. */
  claim(repo: string): Promise<boolean>;
  release(repo: string): Promise<void>;
  /** Tells whichever worker observes it. */
  published(repo: string): Promise<void>;
  /** Changes when something was published; null: nothing was lately, or it is not known. */
  lastPublished(repo: string): Promise<string | null>;
  close(): Promise<void>;
}

interface LeaseSetup {
  readonly redis: RedisClient;
  /** Of the worker, unlike that of any other one. */
  readonly id: string;
  /** Milliseconds; as below where absent. */
  readonly times?: { readonly lease: number; readonly renew: number };
}

/** Another worker takes over so long after the death of this one. */
const TIMES = { lease: 15_000, renew: 4000 };
const ANSWER_MS = 1000;
/** Seconds. */
const REMEMBERED = 3600;

export function createObserverLease({ redis, id, times = TIMES }: LeaseSetup): ObserverLease {
  // A look may take long, and waits for clusters: it is no sign of having stopped.
  const lease = createRepositoryLease({
    redis,
    id,
    hasRoom: () => true,
    times: { ...times, quiet: Number.POSITIVE_INFINITY },
  });
  const isThere = () => redis.status === 'ready';
  const ask = <Value>(answer: Promise<Value>) => within(ANSWER_MS, answer).catch(() => null);
  return {
    claim: async (repo) => isThere() && (await lease.claim(nameOf(repo))) === 'here',
    release: (repo) => lease.release(nameOf(repo)),
    published: async (repo) => {
      if (!isThere()) return;
      await ask(redis.multi().incr(keyOf(repo)).expire(keyOf(repo), REMEMBERED).exec());
    },
    lastPublished: async (repo) => (isThere() ? ask(redis.get(keyOf(repo))) : null),
    close: () => lease.close(),
  };
}

/** Apart from the lease of whoever publishes there. */
const nameOf = (repo: string) => `observer ${repo}`;

const keyOf = (repo: string) =>
  `${PREFIX}:published:${createHash('sha256').update(repo).digest('hex').slice(0, 32)}`;
