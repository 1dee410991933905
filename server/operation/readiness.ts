/** Whether this server can do its work now: looked at when somebody asks, and no more often than every few seconds however many do. */
import { type Engine, isFailure, type LedgerOverview } from '../../engine/index.ts';
import type { Logger } from '../../workers/index.ts';
import type { Metrics } from './metrics.ts';

interface Readiness {
  readonly ready: boolean;
  /** Of the last look: what works, and one sentence about what does not. */
  readonly checks: readonly ReadinessCheck[];
}

interface ReadinessCheck {
  readonly name: 'git' | 'ledger' | 'queue';
  readonly ok: boolean;
  /** The failure's code, and a sentence that names no address: anybody may ask. Absent: it is well. */
  readonly code?: string;
  readonly detail?: string;
}

/** Gives QUEUE_UNAVAILABLE where Redis does not answer. */
export type AskQueue = () => Promise<void>;

/** Milliseconds that an answer is good for: looking at a remote is a fetch. */
const GOOD_MS = 10_000;
const BAD_MS = 2000;
/** Milliseconds that a probe waits for an answer. */
const LONGEST_MS = 3000;

/** Failures of the ledger itself: the repository could be reached. */
const OF_LEDGER: ReadonlySet<string> = new Set(['LEDGER_REWOUND', 'LEDGER_TAMPERED', 'LEDGER_NEWER']);

export interface Looks {
  ready(): Promise<Readiness>;
  /** Brings the metrics of the ledger up to date. */
  refresh(): Promise<void>;
}

export function createLooks({
  engine,
  metrics,
  askQueue,
  logger,
  now,
}: {
  readonly engine: Engine;
  readonly metrics: Metrics;
  readonly askQueue: AskQueue | null;
  readonly logger: Logger;
  readonly now: () => number;
}): Looks {
  let position: string | undefined;
  const told = new Map<ReadinessCheck['name'], string>();
  /** Once, until it is well again. */
  const tell = (name: ReadinessCheck['name'], reason: unknown) => {
    const code = isFailure(reason) ? reason.code : 'INTERNAL';
    if (reason === null) {
      if (told.delete(name)) logger.info({ check: name }, 'it can be used again');
    } else if (told.get(name) !== code) {
      told.set(name, code);
      logger.warn({ check: name, err: reason }, 'it cannot be used');
    }
  };
  const overview = async () => {
    try {
      return await engine.requests.overview(position === undefined ? {} : { after: position });
    } catch (error) {
      // It is another ledger by now: counting begins anew.
      if (!isFailure(error) || error.code !== 'EVENT_UNKNOWN') throw error;
      return engine.requests.overview();
    }
  };
  const look = kept({ now, names: ['git', 'ledger'] }, async () => {
    const [found] = await Promise.allSettled([overview()]);
    const seen: LedgerOverview | null = found.status === 'fulfilled' ? found.value : null;
    metrics.ledger(seen, now());
    position = seen?.position ?? position;
    if (found.status === 'fulfilled') {
      tell('git', null);
      return [well('git'), well('ledger')];
    }
    const { reason } = found;
    tell('git', reason);
    const isLedger = isFailure(reason) && OF_LEDGER.has(reason.code);
    return isLedger ? [well('git'), ill('ledger', reason)] : [ill('git', reason), ill('ledger', reason)];
  });
  const queue = kept({ now, names: ['queue'] }, async () => {
    if (askQueue === null) return [];
    const [asked] = await Promise.allSettled([askQueue()]);
    tell('queue', asked.status === 'fulfilled' ? null : asked.reason);
    return [asked.status === 'fulfilled' ? well('queue') : ill('queue', asked.reason)];
  });
  let records: string | undefined;
  /** What cannot be read of records is said by whoever follows them: no metric of the ledger waits for it. */
  const lookAtRecords = kept({ now, names: [] }, async () => {
    try {
      const found = await engine.deployments.events({ after: records, states: true });
      records = found.position;
      metrics.live(found);
    } catch {
      records = undefined;
    }
    return [];
  });
  return {
    ready: async () => {
      const checks = (await Promise.all([look(), queue()])).flat();
      return { ready: checks.every(({ ok }) => ok), checks };
    },
    refresh: async () => {
      await look();
      await lookAtRecords();
    },
  };
}

const well = (name: ReadinessCheck['name']): ReadinessCheck => ({ name, ok: true });

const ill = (name: ReadinessCheck['name'], reason: unknown): ReadinessCheck => ({
  name,
  ok: false,
  code: isFailure(reason) ? reason.code : 'INTERNAL',
  detail: DETAILS[name],
});

const DETAILS: Readonly<Record<ReadinessCheck['name'], string>> = {
  git: 'The repository cannot be looked at; the log of the server says why.',
  ledger: 'The ledger cannot be read; the log of the server says why.',
  queue: 'The queue cannot be used; the log of the server says why.',
};

/** One look at a time; its answer is given again for a while. Nobody waits long for one that hangs: nothing is known then. */
function kept(
  { now, names }: { readonly now: () => number; readonly names: readonly ReadinessCheck['name'][] },
  look: () => Promise<readonly ReadinessCheck[]>,
): () => Promise<readonly ReadinessCheck[]> {
  let last: Promise<readonly ReadinessCheck[]> | null = null;
  let until = Infinity;
  return async () => {
    if (last === null || now() >= until) {
      until = Infinity;
      last = look().then((checks) => {
        until = now() + (checks.every(({ ok }) => ok) ? GOOD_MS : BAD_MS);
        return checks;
      });
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly ReadinessCheck[]>((resolve) => {
      timer = setTimeout(() => resolve(names.map(unanswered)), LONGEST_MS);
    });
    return Promise.race([last, late]).finally(() => clearTimeout(timer));
  };
}

const unanswered = (name: ReadinessCheck['name']): ReadinessCheck => ({
  name,
  ok: false,
  detail: 'It has not answered yet.',
});
