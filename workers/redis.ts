import { Cluster, Redis } from 'ioredis';
import { BacktrailError } from '../engine/model/index.ts';
import { redact } from '../engine/model/failure.ts';
import { parseRedisAddress } from './redis/address.ts';

/** The queue's keys begin with this; the braces keep them on one node of a Redis Cluster. */
export const PREFIX = '{backtrail}';
export const QUEUE = 'rollbacks';

/** One server, a cluster, or the primary that Sentinels name. */
export type RedisClient = Redis | Cluster;

/** `host:port` for messages and logs, never with credentials. Throws INVALID_REQUEST where it is no Redis URL. */
export const addressOf = (redisUrl: string): string => parseRedisAddress(redisUrl).shown;

const backOff = (times: number) => Math.min(50 * 2 ** times, 2000);

/** For whoever stays: commands wait for the connection, which comes back within two seconds of Redis. */
export function connectToStay(redisUrl: string, options: { lazyConnect?: boolean } = {}): RedisClient {
  return createClient(redisUrl, {
    ...options,
    maxRetriesPerRequest: null,
    connectTimeout: 5000,
    retryStrategy: backOff,
  });
}

/**
 * A connection that works now, for whoever only asks and must not hang: nothing is kept for later, every command ends
 * within `timeoutMs`, and the first attempt to connect is the only one until it has worked once.
 * Rejects with QUEUE_UNAVAILABLE.
 */
export async function connectToAsk(redisUrl: string, timeoutMs: number): Promise<RedisClient> {
  const address = addressOf(redisUrl);
  let connected = false;
  const redis = createClient(redisUrl, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: (times: number) => (connected ? backOff(times) : null),
  });
  let reason: unknown;
  redis.on('error', (error) => (reason = error));
  try {
    await within(timeoutMs, redis.connect());
    await within(timeoutMs, redis.ping());
    connected = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    throw queueUnavailable(address, reason ?? error);
  }
}

interface ClientOptions {
  readonly lazyConnect?: boolean;
  readonly enableOfflineQueue?: boolean;
  readonly maxRetriesPerRequest: number | null;
  readonly connectTimeout: number;
  readonly commandTimeout?: number;
  readonly retryStrategy: (times: number) => number | null;
}

/** Throws INVALID_REQUEST. Certificates are checked by Node: a private authority is named by NODE_EXTRA_CA_CERTS. */
function createClient(redisUrl: string, options: ClientOptions): RedisClient {
  const { kind, tls, nodes, username, password, group, sentinelLogin } = parseRedisAddress(redisUrl);
  const login = { ...(username && { username }), ...(password && { password }), ...(tls && { tls: {} }) };
  if (kind === 'single') return new Redis(redisUrl, options);
  if (kind === 'sentinel')
    return new Redis({
      ...options,
      ...login,
      ...sentinelLogin,
      sentinels: [...nodes],
      name: group,
      sentinelRetryStrategy: options.retryStrategy,
      ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
      // A primary that became a replica refuses to write: its successor is asked for, and gets the command.
      reconnectOnError: ({ message }) => (message.startsWith('READONLY') ? 2 : false),
    });
  const { lazyConnect = false, enableOfflineQueue = true, retryStrategy, ...each } = options;
  return new Cluster([...nodes], {
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    // Certificates name hosts: these are not to be replaced by their addresses.
    dnsLookup: (host, done) => done(null, host),
    slotsRefreshTimeout: options.connectTimeout,
    ...(options.maxRetriesPerRequest === null && PATIENT),
    redisOptions: { ...each, ...login },
  });
}

/** A replica of a cluster takes over after 15 seconds, by the settings that Redis comes with. */
const PATIENT = { maxRedirections: 200, retryDelayOnFailover: 200, retryDelayOnClusterDown: 200 };

/** The sentence for a Redis that does not answer. */
export function queueUnavailable(address: string, cause: unknown): BacktrailError {
  const why = cause instanceof Error ? redact(cause.message || cause.name).replace(/\.+$/, '') : 'no answer';
  return new BacktrailError('QUEUE_UNAVAILABLE', `Redis at ${address} cannot be used: ${why}.`, {
    details: { address },
    cause,
  });
}

/** Rejects when the promise has not settled in time; what it does later is ignored. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}
