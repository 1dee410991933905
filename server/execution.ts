/** Approved requests go to the workers' queue, and are followed there for as long as a call may take. */
import {
  type Engine,
  type Finding,
  isFailure,
  type RequestView,
  resultOf,
  type RollbackResult,
} from '../engine/index.ts';
import {
  type Followed,
  type Handover,
  handOver,
  handOverMany,
  jobStates,
  openQueue,
  type RollbackQueue,
  withJobs,
} from '../workers/index.ts';

export interface Execution {
  /**
   * Whether a rollback may be published by this process, and not by a worker that is handed its request: null where not. What it gives is called in
   * the end.
   */
  claim(): Promise<(() => void) | null>;
  /**
   * Hands it to a worker and waits at most `waitMs` for what comes of it, as the branch has it. `executing`: not known yet; `approved`: the queue
   * is away, and a worker finds the request in the ledger.
   *
   * @throws what the rollback failed with
   */
  run(request: RequestView, how?: Waiting): Promise<RollbackResult>;
  /** The same for many, together; each fails alone. */
  runMany(
    requests: readonly RequestView[],
    how?: Waiting,
  ): Promise<ReadonlyMap<string, PromiseSettledResult<RollbackResult>>>;
  /** Those that a worker is executing now are shown so. */
  withJobs(requests: readonly RequestView[]): Promise<readonly RequestView[]>;
  /** Nobody is kept waiting any longer. The rollbacks continue. */
  stop(): void;
  close(): Promise<void>;
}

export interface Waiting {
  /** 0: it is only handed over. */
  readonly waitMs?: number;
  /** Aborted: nobody waits any more. */
  readonly signal?: AbortSignal;
}

/** What people are told where nothing was handed over. */
const LEFT: Finding = {
  code: 'QUEUE_UNAVAILABLE',
  severity: 'warn',
  message: 'No queue took it: it is approved in the ledger, and a worker that looks there executes it.',
  hint: 'Start `backtrail worker`, or the server with --worker; both need Redis (REDIS_URL).',
};

export function createExecution({
  engine,
  redisUrl,
  claim = () => Promise.resolve(null),
}: {
  readonly engine: Engine;
  /** null: there is no queue. */
  readonly redisUrl: string | null;
  /** Of the worker in this process; absent: there is none. */
  readonly claim?: Execution['claim'] | undefined;
}): Execution {
  const stopping = new AbortController();
  let opening: Promise<RollbackQueue> | null = null;
  /** It stays open, and comes back by itself; one that could not be opened is tried again. */
  const queue = async (): Promise<RollbackQueue | null> => {
    if (redisUrl === null) return null;
    opening ??= openQueue({ redisUrl }).catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening.catch(away);
  };
  /** Does the work with a signal that ends the waiting; `over` is what is said then, `left` without a queue. */
  const handing = async <Value>(
    { waitMs = 0, signal }: Waiting,
    work: (to: Pick<Handover, 'engine' | 'queue' | 'wait' | 'print' | 'signal'>) => Promise<Value>,
    { over, left }: { readonly over: () => Value; readonly left: () => Value },
  ): Promise<Value> => {
    const opened = await queue();
    if (opened === null) return left();
    const wait = waitMs > 0 && !stopping.signal.aborted;
    const ending = new AbortController();
    const end = () => ending.abort();
    const timer = setTimeout(end, waitMs);
    const causes = [stopping.signal, ...(signal ? [signal] : [])];
    for (const each of causes) each.addEventListener('abort', end, { once: true });
    try {
      return await work({ engine, queue: opened, wait, print: () => undefined, signal: ending.signal });
    } catch (error) {
      if (wait && ending.signal.aborted) return over();
      if (away(error) === null) return left();
      throw error;
    } finally {
      clearTimeout(timer);
      for (const each of causes) each.removeEventListener('abort', end);
    }
  };
  return {
    claim,
    run: (request, how = {}) =>
      handing(how, (to) => handOver(request, to), {
        over: () => resultOf(request, 'executing'),
        left: () => resultOf(request, 'approved', { findings: [LEFT] }),
      }),
    runMany: (requests, how = {}) => {
      const all = (status: 'approved' | 'executing') => () =>
        new Map(
          requests.map((each) => [
            each.id,
            {
              status: 'fulfilled',
              value: resultOf(each, status, { findings: status === 'approved' ? [LEFT] : [] }),
            } as const,
          ]),
        );
      return handing<Followed>(how, (to) => handOverMany(requests, to), {
        over: all('executing'),
        left: all('approved'),
      });
    },
    withJobs: (requests) =>
      withJobs(requests, async (ids) => {
        const opened = await queue();
        return opened === null ? new Map() : jobStates(opened, ids);
      }),
    stop: () => stopping.abort(),
    close: async () => {
      stopping.abort();
      await (await opening?.catch(() => null))?.close();
    },
  };
}

/** Null for a queue that cannot be used. */
function away(error: unknown): null {
  if (isFailure(error) && error.code === 'QUEUE_UNAVAILABLE') return null;
  throw error;
}
