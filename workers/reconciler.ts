import type { RequestId } from '../engine/model/index.ts';
import { createBell } from './bell.ts';
import { toFailure } from './failure-wire.ts';
import type { Logger } from './log.ts';
import { enqueueWaiting, openQueue } from './queue.ts';
import { within } from './redis.ts';

/** How ledgers are brought up to date; `workers` opens no repository itself. */
export interface Reconciling {
  /** Ledgers of this machine besides those of the repositories that jobs name. */
  readonly repos: () => Promise<readonly string[]>;
  /** Repairs the ledger of a repository; `waiting`: approved, and not executed yet. Safe to repeat, in any process. */
  readonly reconcile: (repo: string) => Promise<{
    readonly repairs: readonly {
      readonly requestId: RequestId;
      readonly action: string;
      readonly detail: string;
    }[];
    readonly waiting: readonly RequestId[];
  }>;
  /** Ends what is under way. */
  readonly close: () => Promise<void>;
  /** Milliseconds between two looks at one ledger; 5 seconds where absent. */
  readonly everyMs?: number;
}

export interface Reconciler {
  /** From now on the ledger of this repository is looked after. */
  add(repo: string): void;
  close(): Promise<void>;
}

interface Setup extends Reconciling {
  readonly redisUrl: string;
  readonly logger: Logger;
  /** The only repositories whose ledgers are looked at; all where absent. */
  readonly allowedRepos?: readonly string[] | undefined;
  /** Is this process carrying the request out, whatever the queue says? */
  readonly inHand: (id: RequestId) => boolean;
  readonly random: () => number;
}

const EVERY_MS = 5000;
/** A ledger that cannot be reached is asked less and less often, but once a minute at least. */
const LONGEST_MS = 60_000;
/** So long a rollback rests after its job has ended without the ledger saying so. */
const REST_MS = 30_000;
const CLOSE_MS = 2000;

/** Repositories that one worker looks after: anybody who can write into the queue can name more. */
const MOST = 500;

/**
 * Looks after ledgers: what the branch says is done is recorded, and what was approved and has no job (Redis was flushed, a
 * process was killed in between) is enqueued. One look at a time at each ledger; a failure is logged once, and ends nothing.
 */
export function startReconciler(setup: Setup): Reconciler {
  const { repos, everyMs = EVERY_MS, random, allowedRepos } = setup;
  const bells = new Set<ReturnType<typeof createBell>>();
  const watched = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const repeat = async (look: () => Promise<boolean>) => {
    const bell = createBell();
    bells.add(bell);
    for (let failures = 0; !stop.signal.aborted; ) {
      failures = (await look()) ? 0 : failures + 1;
      const wait = Math.max(everyMs, Math.min(everyMs * 2 ** failures, LONGEST_MS));
      // Up to a fifth less or more, so that workers do not all ask together.
      if (!stop.signal.aborted) await bell.wait(wait * (0.8 + 0.4 * random()));
    }
    bells.delete(bell);
  };
  const add = (repo: string) => {
    if (stop.signal.aborted || watched.has(repo) || watched.size >= MOST) return;
    watched.set(repo, repeat(createLook(repo, setup)));
  };
  const discover = async () => {
    for (const repo of allowedRepos ?? (await repos().catch(() => []))) add(repo);
    return true;
  };
  const discovery = repeat(discover);
  const close = async () => {
    stop.abort();
    for (const bell of bells) bell.ring();
    const ended = Promise.allSettled([discovery, ...watched.values()]);
    await within(CLOSE_MS, ended).catch(() => undefined);
    await setup.close();
    await within(CLOSE_MS, ended).catch(() => undefined);
  };
  return { add, close };
}

/** One look; false where it failed. */
function createLook(repo: string, setup: Setup): () => Promise<boolean> {
  const logger = setup.logger.child({ repo });
  let reported: string | null = null;
  return async () => {
    try {
      await lookOnce(repo, { ...setup, logger });
      if (reported !== null) logger.info('the ledger can be looked after again');
      reported = null;
      return true;
    } catch (error) {
      const { code, message } = toFailure(error);
      const text = `${code} ${message}`;
      if (text !== reported) logger.warn({ code, err: error }, 'the ledger cannot be looked after');
      reported = text;
      return false;
    }
  };
}

async function lookOnce(repo: string, { reconcile, redisUrl, logger, inHand }: Setup): Promise<void> {
  const { repairs, waiting } = await reconcile(repo);
  for (const { requestId, action, detail } of repairs)
    logger.info({ requestId, action, detail }, 'ledger repaired');
  const ids = waiting.filter((id) => !inHand(id));
  if (ids.length === 0) return;
  const queue = await openQueue({ redisUrl });
  try {
    for (const requestId of await enqueueWaiting(queue, { repo, ids, restMs: REST_MS }))
      logger.info({ requestId }, 'approved and without a job: enqueued');
  } finally {
    await queue.close();
  }
}
