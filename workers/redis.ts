import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { BacktrailError } from '../engine/model/index.ts';
import { redact } from './redact.ts';

/** The queue's keys begin with this; the braces keep them on one node of a Redis Cluster. */
export const PREFIX = '{backtrail}';
export const QUEUE = 'rollbacks';

/** `host:port` for messages and logs, never with credentials. Throws INVALID_REQUEST where it is no Redis URL. */
export function addressOf(redisUrl: string): string {
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '')
    throw new BacktrailError('INVALID_REQUEST', 'The address of Redis is not valid.', {
      hint: 'Write it as redis://HOST:PORT, or rediss:// with TLS; REDIS_URL names it.',
    });
  return `${url.hostname}:${url.port === '' ? '6379' : url.port}`;
}

const backOff = (times: number) => Math.min(50 * 2 ** times, 2000);

/** Options for whoever stays: commands wait for the connection, which comes back within two seconds of Redis. */
export const stayingOptions = {
  maxRetriesPerRequest: null,
  connectTimeout: 5000,
  retryStrategy: backOff,
} satisfies RedisOptions;

/**
 * A connection that works now, for whoever only asks and must not hang: nothing is kept for later, every command ends
 * within `timeoutMs`, and the first attempt to connect is the only one until it has worked once.
 * Rejects with QUEUE_UNAVAILABLE.
 */
export async function connectToAsk(redisUrl: string, timeoutMs: number): Promise<Redis> {
  const address = addressOf(redisUrl);
  let connected = false;
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: (times: number) => (connected ? backOff(times) : null),
  } satisfies RedisOptions;
  const redis = new Redis(redisUrl, options);
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

/** The sentence for a Redis that does not answer. */
export function queueUnavailable(address: string, cause: unknown): BacktrailError {
  const why = cause instanceof Error ? redact(cause.message || cause.name) : 'no answer';
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
