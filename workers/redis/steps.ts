import { QueueEvents } from 'bullmq';
import { STEPS } from '../../engine/model/index.ts';
import { parseProgress, type RollbackProgress } from '../payload.ts';
import { openQueue, type RollbackQueue } from '../queue.ts';
import { connectToStay, PREFIX, QUEUE, within } from '../redis.ts';

export interface StepsSetup {
  readonly redisUrl: string;
  /** The only repository whose rollbacks are told of, spelled as in the requests. */
  readonly repo: string;
  /** Each step once, in order; a takeover by another worker does not tell of steps again. */
  readonly onStep: (requestId: string, progress: RollbackProgress) => void;
  /** A rollback has ended, well or not. */
  readonly onEnd: (requestId: string) => void;
}

export interface WatchedSteps {
  close(): Promise<void>;
}

/** Rollbacks that are remembered: whose they are, and how far they have been told of. */
const REMEMBERED = 5000;

/** Follows all rollbacks of a repository from now on, through one connection; it waits for a Redis that is away. */
export function watchSteps({ redisUrl, repo, onStep, onEnd }: StepsSetup): WatchedSteps {
  const events = new QueueEvents(QUEUE, {
    // BullMQ connects a copy of it.
    connection: connectToStay(redisUrl, { lazyConnect: true }),
    prefix: PREFIX,
  });
  events.on('error', () => undefined);
  const jobs = createJobs(redisUrl, repo);
  const reached = new Map<string, number>();
  events.on('progress', ({ jobId, data }) => {
    void jobs.isOurs(jobId).then((isOurs) => {
      if (!isOurs) return;
      const before = reached.get(jobId) ?? -1;
      const steps = parseProgress(data).filter(({ step }) => STEPS.indexOf(step) > before);
      remember(reached, jobId, Math.max(before, ...steps.map(({ step }) => STEPS.indexOf(step))));
      for (const step of steps) onStep(jobId, step);
    });
  });
  for (const event of ['completed', 'failed'] as const)
    events.on(event, ({ jobId }: { readonly jobId: string }) => {
      void jobs.isOurs(jobId).then((isOurs) => isOurs && onEnd(jobId));
    });
  return {
    close: async () => {
      await Promise.all([stopListening(events), jobs.close()]);
    },
  };
}

/** Closing in order waits for a Redis that may be away: then the connection is cut. */
export async function stopListening(events: QueueEvents): Promise<void> {
  const closing = events.close().catch(() => undefined);
  try {
    await within(1000, closing);
  } catch {
    await events
      .getBackend()
      .close(true)
      .catch(() => undefined);
  }
}

/** Whose a job is; asked once of each. */
function createJobs(redisUrl: string, repo: string) {
  let opening: Promise<RollbackQueue> | null = null;
  const known = new Map<string, Promise<boolean>>();
  const ask = async (id: string) => {
    opening ??= openQueue({ redisUrl });
    try {
      const { jobs } = await opening;
      return (await jobs.getJob(id))?.data.repo === repo;
    } catch {
      opening = null;
      known.delete(id);
      return false;
    }
  };
  return {
    isOurs: (id: string) => {
      const asked = known.get(id) ?? ask(id);
      remember(known, id, asked);
      return asked;
    },
    close: async () => {
      const queue = await opening?.catch(() => null);
      await queue?.close();
    },
  };
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= REMEMBERED && !map.has(key)) map.clear();
  map.set(key, value);
}
