import { afterAll, beforeAll, beforeEach } from 'vitest';
import { Redis } from 'ioredis';
import { findServer, startRedis } from '../../../scripts/redis.ts';
import type { LocalKind, RunningRedis } from '../../../scripts/redis.ts';

const forced = process.env['BACKTRAIL_TEST_REDIS'] === 'js';

/** Is there a real server (Redis or Valkey) that tests may use? `BACKTRAIL_TEST_REDIS=js` says no. */
export const hasNativeRedis =
  !forced && (findServer('redis-server') !== null || findServer('valkey-server') !== null);

/** Tests flush and kill their server, so REDIS_URL, which may be a person’s own, is never used. */
export function startTestRedis(
  options: {
    only?: readonly LocalKind[];
    port?: number;
    config?: readonly string[];
    sentinel?: boolean;
  } = {},
): Promise<RunningRedis> {
  return startRedis(forced || options.only === undefined ? { ...options, only: testKinds() } : options);
}

function testKinds(): readonly LocalKind[] {
  return forced ? ['js-redis-server'] : ['redis-server', 'valkey-server', 'js-redis-server'];
}

export interface TestRedis {
  /** Only inside of tests and hooks. */
  readonly url: string;
  /** A connection for looking at keys. */
  readonly client: Redis;
}

const servers = new Map<string, Promise<RunningRedis>>();

/** One a worker; its supervisor ends it with the worker. */
function sharedRedis(only: readonly LocalKind[] | undefined): Promise<RunningRedis> {
  const key = only?.join() ?? '';
  const server = servers.get(key) ?? startTestRedis(only === undefined ? {} : { only });
  servers.set(key, server);
  return server;
}

/** The worker's Redis, empty before each test. Whoever stops one or changes its settings starts one of their own. */
export function useRedis(only?: readonly LocalKind[]): TestRedis {
  let server: RunningRedis | undefined;
  let client: Redis | undefined;
  beforeAll(async () => {
    server = await sharedRedis(only);
    client = new Redis(server.url);
    client.on('error', () => undefined);
  });
  beforeEach(async () => {
    await client?.flushall();
  });
  afterAll(() => client?.disconnect());
  return {
    get url() {
      if (server === undefined) throw new Error('Redis starts in beforeAll.');
      return server.url;
    },
    get client() {
      if (client === undefined) throw new Error('Redis starts in beforeAll.');
      return client;
    },
  };
}
