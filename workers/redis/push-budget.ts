import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import { connectToAsk, PREFIX, within } from '../redis.ts';
import type { RedisClient } from '../redis.ts';

/** Resolves when a batch for this repository may be published; at once for one on this machine, or where `signal` is aborted. */
export type PushTurn = (repo: string, signal: AbortSignal) => Promise<void>;

interface BudgetSetup {
  readonly redisUrl: string;
  /** To one host, by all workers of the queue together. */
  readonly perMinute: number;
  readonly logger: Logger;
  /** Milliseconds; a minute where absent. */
  readonly windowMs?: number;
}

const ANSWER_MS = 2500;
/** Milliseconds. Whoever waits asks so often, and counts as gone after so much silence. */
const POLL_MS = 500;
const SILENCE_MS = 10_000;

/**
 * The pushes of the last minute, and who waits in the order of their coming. Answers 0 for "now", and otherwise after how many
 * milliseconds to ask again. The times are those of Redis: workers need not agree about theirs.
 */
const TAKE = `
local pushes, waiting, seen = KEYS[1], KEYS[2], KEYS[3]
local ticket, limit, window, silence = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', waiting, 'NX', now, ticket)
redis.call('ZADD', seen, now, ticket)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - silence)) do
  redis.call('ZREM', waiting, gone)
  redis.call('ZREM', seen, gone)
end
redis.call('ZREMRANGEBYSCORE', pushes, '-inf', now - window)
local answer = 0
if redis.call('ZRANGE', waiting, 0, 0)[1] ~= ticket then
  answer = silence
elseif redis.call('ZCARD', pushes) >= limit then
  answer = math.max(1, redis.call('ZRANGE', pushes, 0, 0, 'WITHSCORES')[2] + window - now)
else
  redis.call('ZADD', pushes, now, ticket)
  redis.call('ZREM', waiting, ticket)
  redis.call('ZREM', seen, ticket)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, window + silence) end
return answer
`;

/** A Redis that cannot be asked holds nothing up: then the batch is published without a turn, and the log says so. */
export function createPushBudget(setup: BudgetSetup): PushTurn {
  return async (repo, signal) => {
    const host = hostOf(repo);
    if (host === null || signal.aborted) return;
    let redis: RedisClient | null = null;
    try {
      redis = await connectToAsk(setup.redisUrl, ANSWER_MS);
      redis.on('error', () => undefined);
      await waitForTurn(redis, host, { ...setup, signal });
    } catch (error) {
      setup.logger.warn({ err: error, host }, 'the budget of pushes cannot be asked; publishing without it');
    } finally {
      redis?.disconnect();
    }
  };
}

type Waiting = BudgetSetup & { readonly signal: AbortSignal };

async function waitForTurn(redis: RedisClient, host: string, setup: Waiting): Promise<void> {
  const { perMinute, logger, windowMs = 60_000, signal } = setup;
  const ticket = randomUUID();
  const base = `${PREFIX}:pushes:${host}`;
  const keys = [base, `${base}:waiting`, `${base}:seen`] as const;
  const started = performance.now();
  for (let asked = 0; !signal.aborted; asked += 1) {
    const asking = redis.eval(TAKE, keys.length, ...keys, ticket, perMinute, windowMs, SILENCE_MS);
    const answer = Number(await within(ANSWER_MS, asking));
    if (answer === 0 && asked > 0)
      logger.info({ host, waitedMs: Math.round(performance.now() - started) }, 'its turn to push has come');
    if (answer === 0) return;
    if (asked === 0) logger.info({ host, perMinute }, 'the budget of pushes is used up; waiting for a turn');
    await sleep(Math.min(answer, POLL_MS), undefined, { signal }).catch(() => undefined);
  }
  // Nobody is to wait for whoever stops.
  await within(ANSWER_MS, redis.zrem(keys[1], ticket));
}

/** Of a URL or of git's `user@host:path`, in lower case and without its port; null for a repository on this machine. */
export function hostOf(repo: string): string | null {
  const [, scheme = '', authority = ''] = /^([a-z][\w+.-]*):\/\/([^/]*)/i.exec(repo) ?? [];
  const named = scheme === '' ? (/^(?:[^/@]*@)?([\w.-]{2,}|\[[^\]]*\]):/.exec(repo)?.[1] ?? '') : authority;
  if (scheme.toLowerCase() === 'file' || named === '') return null;
  return encodeURIComponent(named.replace(/^.*@/s, '').replace(/:\d*$/, '').toLowerCase());
}
