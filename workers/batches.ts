import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestId, RollbackResult } from '../engine/model/index.ts';
import type { PushTurn } from './redis/push-budget.ts';
import type { RepositoryLease } from './redis/repository-lease.ts';
import { HeldElsewhere } from './run-job.ts';
import type { ExecuteRollback } from './run-job.ts';

type Job = Parameters<ExecuteRollback>[0];

/** What is needed of an engine. */
export interface BatchEngine {
  readonly rollbacks: {
    executeMany(
      asks: readonly (Pick<Job, 'onStep'> & { readonly id: RequestId; readonly willRetry: boolean })[],
      options: Partial<Pick<Job, 'signal'>> & { readonly turn: () => Promise<void> },
    ): Promise<ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>>;
  };
  close(): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (result: RollbackResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Rollbacks in one push: more would only make what a refusal costs larger. */
const MOST = 500;
/** Repositories that are worked on at the same time: each has its own processes of git. */
const REPOSITORIES = 8;
/** Milliseconds. While the queue holds more than has been taken, a batch waits for those: one that comes alone waits for nobody. */
const GATHER_MS = 20;
const GATHER_LIMIT_MS = 3_000;
/** Milliseconds. So long an engine stays open for what comes next: it knows the history by then. */
const WARM_MS = 5_000;
/**
 * Milliseconds. So long those wait in hand whose repository a worker works on that takes no more: each push of one makes the others begin anew. One
 * that makes no progress is not waited for (repository-lease.ts). And so often it is looked whether it still does.
 */
const BUSY_LIMIT_MS = 30_000;
const BUSY_POLL_MS = 100;
/** Milliseconds. Whoever waits for a turn says so often that it is there. */
const SIGN_MS = 1_000;

/**
 * Executes requests of a repository together: while a push is under way, those that come wait, and the next push takes all of them, the
 * oldest first. Repositories do not wait for each other, but where there are many. `turn`: when the next push may be; those that come meanwhile join it.
 */
export function executeInBatches(
  open: (repo: string) => Promise<BatchEngine>,
  turn: PushTurn = () => Promise.resolve(),
): ExecuteRollback {
  const lanes = new Map<string, Lane>();
  const inTurn = limitTo(REPOSITORIES);
  return async (job) => {
    const isAtWork = lanes.get(job.repo)?.isRunning() ?? false;
    if (!isAtWork && job.mayLeave === true && (await job.lease?.claim(job.repo)) === 'elsewhere')
      throw new HeldElsewhere();
    return new Promise((resolve, reject) => {
      let lane = lanes.get(job.repo);
      if (lane === undefined) {
        const { repo } = job;
        lane = createLane({
          open: () => open(repo),
          turn: (signal) => turn(repo, signal),
          inTurn,
          lease: job.lease && leaseOf(job.lease, repo),
          ended: () => lanes.delete(repo),
        });
        lanes.set(repo, lane);
      }
      lane.add({ job, resolve, reject });
    });
  };
}

interface Lane {
  isRunning(): boolean;
  add(waiting: Waiting): void;
}

/** Runs so much work at the same time, and the rest in its order; tells whoever has to wait. */
type InTurn = (work: () => Promise<void>, onWait: () => Promise<unknown>) => Promise<void>;

function limitTo(count: number): InTurn {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work, onWait) => {
    if (free > 0) free -= 1;
    else {
      const turn = new Promise<void>((resolve) => waiting.push(resolve));
      await onWait();
      await turn;
    }
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

/** The lease of one repository. */
interface Lease {
  /** Waits, but not for long, for a worker that works on it and takes no more. */
  wait(signal: AbortSignal): Promise<void>;
  claim(): Promise<unknown>;
  progress(): void;
  release(): Promise<void>;
}

function leaseOf(lease: RepositoryLease, repo: string): Lease {
  return {
    wait: async (signal) => {
      for (let waited = 0; waited < BUSY_LIMIT_MS && !signal.aborted; waited += BUSY_POLL_MS) {
        if ((await lease.claim(repo)) === 'here') return;
        await sleep(BUSY_POLL_MS);
      }
    },
    claim: () => lease.claim(repo),
    progress: () => lease.progress(repo),
    release: () => lease.release(repo),
  };
}

interface LaneSetup {
  readonly lease?: Lease | undefined;
  readonly inTurn: InTurn;
  readonly open: () => Promise<BatchEngine>;
  readonly turn: (signal: AbortSignal) => Promise<void>;
  readonly ended: () => void;
}

function createLane({ open, turn, ended, inTurn, lease }: LaneSetup): Lane {
  const waiting: Waiting[] = [];
  let engine: BatchEngine | null = null;
  let isRunning = false;
  let idle: NodeJS.Timeout | undefined;
  const forget = async () => {
    const closing = engine;
    engine = null;
    await closing?.close();
  };
  /** A budget that cannot be asked is none. */
  const myTurn = async (signal: AbortSignal) => {
    const sign = setInterval(() => lease?.progress(), SIGN_MS);
    await turn(signal).catch(() => undefined);
    clearInterval(sign);
  };
  const runOnce = async (batch: readonly Waiting[]) => {
    try {
      engine ??= await open();
      const asks = batch.map(({ job: { requestId, last, onStep } }) => ({
        id: requestId,
        willRetry: !last,
        onStep: async (event: Parameters<typeof onStep>[0]) => {
          lease?.progress();
          await onStep(event);
        },
      }));
      const [first] = batch;
      const more = async () => {
        if (first) await myTurn(first.job.signal);
      };
      const results = await engine.rollbacks.executeMany(asks, {
        ...(first && { signal: first.job.signal }),
        turn: more,
      });
      for (const each of batch) settle(each, results.get(each.job.requestId));
    } catch (error) {
      for (const { reject } of batch) reject(error);
      // Whatever is wrong with it: the next ones open it anew.
      await forget().catch(() => undefined);
    }
  };
  const gather = async () => {
    const started = performance.now();
    const more = () => waiting.at(-1)?.job.more?.() ?? Promise.resolve(false);
    while (waiting.length < MOST && performance.now() - started < GATHER_LIMIT_MS && (await more()))
      await sleep(GATHER_MS);
    // The last of several may be on their way here.
    if (waiting.length > 1) await sleep(GATHER_MS);
  };
  const run = async () => {
    isRunning = true;
    clearTimeout(idle);
    for (let [next] = waiting; next; [next] = waiting) {
      const { signal } = next.job;
      await lease?.wait(signal);
      await gather();
      await myTurn(signal);
      await inTurn(
        async () => {
          await lease?.claim();
          lease?.progress();
          const batch = takeBatch(waiting);
          if (batch.length > 0) await runOnce(batch);
        },
        // Others may be free to work on it.
        async () => lease?.release(),
      );
    }
    isRunning = false;
    void lease?.release();
    idle = setTimeout(() => {
      ended();
      void forget().catch(() => undefined);
    }, WARM_MS);
    // Nobody is to wait for it: git ends when this process does.
    idle.unref();
  };
  return {
    isRunning: () => isRunning,
    add(each) {
      waiting.push(each);
      if (!isRunning) void run();
    },
  };
}

/** The oldest ones, each request once; those that nobody wants any more are given back. */
function takeBatch(waiting: Waiting[]): readonly Waiting[] {
  const batch = new Map<RequestId, Waiting>();
  const rest: Waiting[] = [];
  for (const each of waiting.splice(0)) {
    const { signal, requestId } = each.job;
    if (signal.aborted) each.reject(signal.reason);
    else if (batch.size < MOST && !batch.has(requestId)) batch.set(requestId, each);
    else rest.push(each);
  }
  waiting.push(...rest);
  return [...batch.values()];
}

function settle({ resolve, reject }: Waiting, result: PromiseSettledResult<RollbackResult> | undefined) {
  if (result?.status === 'fulfilled') resolve(result.value);
  else reject(result?.reason);
}
