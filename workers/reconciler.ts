import type { RequestId } from '../engine/model/index.ts';
import { createWakeableTimer, type WakeableTimer } from './wakeable-timer.ts';
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
    /** What keeps one from being followed now. */
    readonly problems?: readonly {
      readonly requestId: RequestId;
      readonly code: string;
      readonly message: string;
    }[];
  }>;
  /** Closes the repositories, which ends what is in progress. */
  readonly close: () => Promise<void>;
  /** Milliseconds between two reads of a ledger; default 5 seconds. */
  readonly everyMs?: number;
}

export interface Reconciler {
  /** Starts reconciling the ledger of this repository. */
  add(repo: string): void;
  close(): Promise<void>;
}

interface Setup extends Reconciling {
  readonly redisUrl: string;
  readonly logger: Logger;
  /** The only repositories whose ledgers are reconciled; default: all. */
  readonly allowedRepos?: readonly string[] | undefined;
  /** Is this process executing the request, whatever the queue says? */
  readonly inHand: (id: RequestId) => boolean;
  readonly random: () => number;
}

const EVERY_MS = 5000;
/** Back-off for a ledger that cannot be reached, capped at one minute. */
const LONGEST_MS = 60_000;
/** How long a rollback is left alone after its job ended without an event in the ledger. */
const REST_MS = 30_000;
const CLOSE_MS = 2000;

/** Most repositories per worker: anyone who can write to the queue can name more. */
const MOST = 500;

/**
 * Reconciles ledgers: published rollbacks are recorded, and approved requests without a job (Redis was flushed, a process was
 * killed in between) are enqueued. One pass at a time per ledger; a failure is logged once, and reconciling continues.
 */
export function startReconciler(setup: Setup): Reconciler {
  const { repos, everyMs = EVERY_MS, random, allowedRepos } = setup;
  const timers = new Set<WakeableTimer>();
  const watched = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const repeat = async (look: () => Promise<boolean>) => {
    const timer = createWakeableTimer();
    timers.add(timer);
    for (let failures = 0; !stop.signal.aborted; ) {
      failures = (await look()) ? 0 : failures + 1;
      const wait = Math.max(everyMs, Math.min(everyMs * 2 ** failures, LONGEST_MS));
      // Up to a fifth less or more, so that workers do not all ask together.
      if (!stop.signal.aborted) await timer.wait(wait * (0.8 + 0.4 * random()));
    }
    timers.delete(timer);
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
    for (const timer of timers) timer.wake();
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
  let told: ReadonlySet<string> = new Set();
  return async () => {
    try {
      told = await lookOnce(repo, { ...setup, logger, told });
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

/** `told`: the problems of the look before. Gives those of this one. */
async function lookOnce(
  repo: string,
  { reconcile, redisUrl, logger, inHand, told }: Setup & { readonly told: ReadonlySet<string> },
): Promise<ReadonlySet<string>> {
  const { repairs, waiting, problems = [] } = await reconcile(repo);
  for (const { requestId, action, detail } of repairs)
    logger.info({ requestId, action, detail }, 'ledger repaired');
  const telling = new Set<string>();
  for (const { requestId, code, message } of problems) {
    const text = `${requestId} ${code} ${message}`;
    telling.add(text);
    if (!told.has(text)) logger.warn({ requestId, code, detail: message }, 'cannot be followed now');
  }
  const ids = waiting.filter((id) => !inHand(id));
  if (ids.length === 0) return telling;
  const queue = await openQueue({ redisUrl });
  try {
    for (const requestId of await enqueueWaiting(queue, { repo, ids, restMs: REST_MS }))
      logger.info({ requestId }, 'approved and without a job: enqueued');
  } finally {
    await queue.close();
  }
  return telling;
}
