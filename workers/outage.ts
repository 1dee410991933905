import type { Logger } from './log.ts';
import type { RedisClient } from './redis.ts';

export interface Outage {
  /** Is this error of the connection, and thereby told already? */
  covers(error: Error): boolean;
  /** From now on a lost connection is expected. */
  expected(): void;
}

/** One line when Redis goes away and one when it is back, however many commands and connections notice. */
export function watchOutages(
  redis: RedisClient,
  { address, logger }: { address: string; logger: Logger },
): Outage {
  let away = false;
  let quiet = false;
  let cause: Error | undefined;
  redis.on('error', (error: Error) => {
    cause = error;
    leave();
  });
  redis.on('close', () => leave());
  redis.on('ready', () => {
    if (away) logger.info({ redis: address }, 'Redis is back');
    away = false;
    cause = undefined;
  });
  function leave() {
    if (away || quiet) return;
    away = true;
    // Not `reason`: the log masks that, as it is what people write.
    logger.error({ redis: address, cause: cause?.message }, 'Redis is away; trying again until it is back');
  }
  return {
    covers: (error) => away || quiet || isConnectionError(error),
    expected: () => (quiet = true),
  };
}

function isConnectionError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code) ||
    /connection is closed|sentinels are unreachable|slots cache|startup nodes|too many cluster redirections/i.test(
      error.message,
    ) ||
    /^(?:CLUSTERDOWN|LOADING|MASTERDOWN|UNBLOCKED)\b/.test(error.message)
  );
}
