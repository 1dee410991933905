/** A Redis that is killed and comes back at the same address with nothing in it. */
import { openQueue } from '../../workers/index.ts';
import { type RunningRedis, startRedis } from '../redis.ts';

export interface Redis {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  flush(): Promise<void>;
  /** Jobs that have not ended; those that wait for their next attempt get it now. */
  open(): Promise<number>;
  stop(): Promise<void>;
}

export async function startTroubledRedis(): Promise<Redis> {
  const only = ['redis-server', 'valkey-server', 'js-redis-server'] as const;
  let running: RunningRedis = await startRedis({ only });
  const { url } = running;
  const port = Number(new URL(url).port);
  const ask = async <Value>(work: (queue: Awaited<ReturnType<typeof openQueue>>) => Promise<Value>) => {
    const queue = await openQueue({ redisUrl: url });
    try {
      return await work(queue);
    } finally {
      await queue.close();
    }
  };
  return {
    url,
    async kill() {
      if (running.pid !== undefined) process.kill(running.pid, 'SIGKILL');
      await running.stop();
    },
    async start() {
      running = await startRedis({ only, port });
    },
    flush: () => ask(async ({ redis }) => void (await redis.flushall())),
    open: () =>
      ask(async ({ jobs }) => {
        // One of a rollback that another worker has done ends at its next attempt, which may be minutes away.
        await jobs.promoteJobs();
        const { wait = 0, active = 0, delayed = 0, paused = 0 } = await jobs.getJobCounts();
        return wait + active + delayed + paused;
      }),
    stop: () => running.stop(),
  };
}
