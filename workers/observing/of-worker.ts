import { randomUUID } from 'node:crypto';
import type { Logger } from '../log.ts';
import type { Observer, Observing } from './observer.ts';
import type { RedisClient } from '../redis.ts';

const NONE: Observer = {
  add: () => undefined,
  published: () => undefined,
  close: () => Promise.resolve(),
};

/** The observer of a worker: what it is made of is loaded only where clusters are asked. What it is told before that is told to it then. */
export function observerOf({
  observing,
  redis,
  logger,
  allowedRepos,
  random,
}: {
  readonly observing?: Observing | undefined;
  readonly redis: RedisClient;
  readonly logger: Logger;
  readonly allowedRepos?: readonly string[] | undefined;
  readonly random: () => number;
}): Observer {
  if (observing === undefined) return NONE;
  const starting = (async () => {
    const [{ startObserver }, { createObserverLease }] = await Promise.all([
      import('./observer.ts'),
      import('./observer-lease.ts'),
    ]);
    const lease = createObserverLease({ redis, id: randomUUID() });
    return startObserver({ ...observing, lease, logger, allowedRepos, random });
  })();
  return {
    add: (repo) => void starting.then((observer) => observer.add(repo)),
    published: (repo) => void starting.then((observer) => observer.published(repo)),
    close: async () => (await starting).close(),
  };
}
