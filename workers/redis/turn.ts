import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connectToStay, within } from '../redis.ts';
import { createRepositoryLease } from './repository-lease.ts';

/** Which of several processes does what one of them is enough for. */
export interface Turn {
  /** To be asked every second. Also true where Redis does not answer: what is done twice then must do no harm. */
  isMine(): Promise<boolean>;
  close(): Promise<void>;
}

/** Milliseconds that the first question waits for Redis. */
const CONNECT_MS = 2000;

/** `name`: of what is done, and where. */
export function takeTurns({ redisUrl, name }: { readonly redisUrl: string; readonly name: string }): Turn {
  const redis = connectToStay(redisUrl);
  redis.on('error', () => undefined);
  const lease = createRepositoryLease({ redis, id: randomUUID(), hasRoom: () => true });
  const connected = within(CONNECT_MS, once(redis, 'ready')).catch(() => undefined);
  return {
    isMine: async () => {
      await connected;
      lease.progress(name);
      return (await lease.claim(name)) === 'here';
    },
    close: async () => {
      await lease.close();
      redis.disconnect();
    },
  };
}
