import { toFailure } from '../failure-wire.ts';
import type { Logger } from '../log.ts';
import { within } from '../redis.ts';
import type { ObserverLease } from './observer-lease.ts';
import { createWakeableTimer, type WakeableTimer } from '../wakeable-timer.ts';

/** How clusters are looked at; `workers` opens no repository itself. */
export interface Observing {
  /** Repositories of this machine besides those that jobs name. */
  readonly repos: () => Promise<readonly string[]>;
  /** One look for a repository: writes down what changed, and says when to look again. Safe to repeat, in any process. */
  readonly look: (repo: string, signal: AbortSignal) => Promise<Look>;
  /** Another worker looks: what is known of the repository is forgotten. */
  readonly forget: (repo: string) => Promise<void>;
  /** Closes the repositories, which ends what is in progress. */
  readonly close: () => Promise<void>;
}

export interface Look {
  readonly changes: readonly {
    readonly scope: string;
    readonly from: string | null;
    readonly to: string;
    readonly observations: readonly { readonly message: string }[];
  }[];
  readonly requests: readonly { readonly scope: string; readonly id: string; readonly status: string }[];
  readonly notices: readonly {
    readonly scope: string | null;
    readonly code: string;
    readonly message: string;
  }[];
  /** Milliseconds; null: only after a publication. */
  readonly nextMs: number | null;
}

export interface Observer {
  /** Starts observing for this repository, where no other worker does. */
  add(repo: string): void;
  /** Something was published there. */
  published(repo: string): void;
  close(): Promise<void>;
}

interface Setup extends Observing {
  readonly lease: ObserverLease;
  readonly logger: Logger;
  /** The only repositories that are observed; default: all. */
  readonly allowedRepos?: readonly string[] | undefined;
  readonly random: () => number;
  /** Milliseconds; as below where absent. */
  readonly times?: typeof TIMES;
}

/**
 * Milliseconds: how often it is asked whether another worker has gone, and whether something was published; how long at most between two looks; how
 * long after a look that failed.
 */
const TIMES = { elsewhere: 5000, listen: 2000, rarely: 600_000, failed: 5000, discover: 60_000 };
const LONGEST_MS = 300_000;
const CLOSE_MS = 2000;
/** Most repositories per worker: anyone who can write to the queue can name more. */
const MOST = 500;

/** Beside the jobs of a worker, and never in their way: it holds no slot, and what it fails with is logged once. */
export function startObserver(setup: Setup): Observer {
  const { repos, allowedRepos, lease, times = TIMES } = setup;
  const stop = new AbortController();
  const timers = new Map<string, WakeableTimer>();
  const running = new Map<string, Promise<void>>();
  const add = (repo: string) => {
    if (stop.signal.aborted || running.has(repo) || running.size >= MOST) return;
    const timer = createWakeableTimer();
    timers.set(repo, timer);
    running.set(repo, observe(repo, { ...setup, times, timer, signal: stop.signal }));
  };
  const discovering = createWakeableTimer();
  const discover = async () => {
    while (!stop.signal.aborted) {
      for (const repo of allowedRepos ?? (await repos().catch(() => []))) add(repo);
      if (!stop.signal.aborted) await discovering.wait(times.discover);
    }
  };
  const discovery = discover();
  return {
    add,
    published: (repo) => {
      void lease.published(repo).finally(() => timers.get(repo)?.wake());
    },
    close: async () => {
      stop.abort();
      for (const timer of [discovering, ...timers.values()]) timer.wake();
      const ended = Promise.allSettled([discovery, ...running.values()]);
      await within(CLOSE_MS, ended).catch(() => undefined);
      await setup.close();
      await within(CLOSE_MS, ended).catch(() => undefined);
      await lease.close();
    },
  };
}

interface Looking extends Setup {
  readonly times: typeof TIMES;
  readonly timer: WakeableTimer;
  readonly signal: AbortSignal;
}

async function observe(repo: string, looking: Looking): Promise<void> {
  const { lease, signal, timer, times, random, forget } = looking;
  const look = createLook(repo, looking);
  let isOurs = false;
  for (let failures = 0; !signal.aborted; ) {
    const wasOurs = isOurs;
    isOurs = await lease.claim(repo);
    if (signal.aborted) return;
    if (!isOurs) {
      if (wasOurs) await forget(repo).catch(() => undefined);
      await timer.wait(times.elsewhere * (0.8 + 0.4 * random()));
      continue;
    }
    const heard = await lease.lastPublished(repo);
    const nextMs = await look();
    failures = nextMs === undefined ? failures + 1 : 0;
    const failed = Math.min(times.failed * 2 ** failures, LONGEST_MS);
    await rest(repo, looking, { ms: nextMs === undefined ? failed : (nextMs ?? times.rarely), heard });
  }
}

/** Until the next look is due, something was published, or another worker observes. */
async function rest(
  repo: string,
  { lease, signal, timer, times }: Looking,
  { ms, heard }: { readonly ms: number; readonly heard: string | null },
): Promise<void> {
  for (let left = Math.min(ms, times.rarely); left > 0 && !signal.aborted; left -= times.listen) {
    await timer.wait(Math.min(left, times.listen));
    if ((await lease.lastPublished(repo)) !== heard || !(await lease.claim(repo))) return;
  }
}

/** One look; undefined where it failed. */
function createLook(
  repo: string,
  { look, logger: parent, signal }: Looking,
): () => Promise<number | null | undefined> {
  const logger = parent.child({ repo });
  let reported: string | null = null;
  let told: ReadonlySet<string> = new Set();
  return async () => {
    try {
      const found = await look(repo, signal);
      told = tell(logger, found, told);
      if (reported !== null) logger.info('clusters can be looked at again');
      reported = null;
      return found.nextMs;
    } catch (error) {
      if (signal.aborted) return undefined;
      const { code, message } = toFailure(error);
      const text = `${code} ${message}`;
      if (text !== reported) logger.warn({ code, err: error }, 'clusters cannot be looked at');
      reported = text;
      return undefined;
    }
  };
}

/** `told`: the notices of the look before. Gives those of this one. */
function tell(logger: Logger, found: Look, told: ReadonlySet<string>): ReadonlySet<string> {
  for (const { scope, from, to, observations } of found.changes) {
    const detail = observations[0]?.message;
    logger.info({ scope, from, to, detail }, 'state of a cluster');
  }
  for (const { scope, id: requestId, status } of found.requests)
    logger.warn({ scope, requestId, status }, 'rolled back by itself');
  const telling = new Set<string>();
  for (const { scope, code, message } of found.notices) {
    const text = `${scope} ${code} ${message}`;
    telling.add(text);
    if (!told.has(text)) logger.warn({ scope, code, detail: message }, 'observing');
  }
  return telling;
}
