/** What Prometheus reads of this server: of its calls, and of the ledger as the last look found it. Every label has a known set of values. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DeploymentEvents, LedgerOverview } from '../../engine/index.ts';

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  call(of: CallLabels, seconds: number): void;
  /** A stream of events began, or ended. */
  streams(change: 1 | -1): void;
  /** A stream was ended because its reader was too slow. */
  slowReader(): void;
  /** A delivery of a code host. */
  hook(of: { readonly kind: string; readonly result: 'look' | 'none' | 'refused' }): void;
  /** An attempt to tell a sink of webhooks. */
  webhook(of: { readonly sink: string; readonly outcome: 'taken' | 'failed' | 'gone' }): void;
  /** How the sinks stand, asked at each scrape. */
  webhooks(look: () => readonly SinkStanding[]): void;
  /** What a look at the ledger found; null: it could not be looked at. */
  ledger(found: LedgerOverview | null, now: number): void;
  /** What a look at the records of deployments found. */
  live(found: Pick<DeploymentEvents, 'events' | 'states'>): void;
}

interface SinkStanding {
  readonly sink: string;
  readonly waiting: number;
  /** ISO 8601; null: none waits. */
  readonly oldestAt: string | null;
  readonly isGone: boolean;
}

interface CallLabels {
  readonly method: string;
  /** The pattern, never the address. */
  readonly route: string;
  readonly status: string;
}

const CALL_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ROLLBACK_SECONDS = [1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];
const LIVE_SECONDS = [5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21_600];
const BATCH_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

export function createMetrics({
  version,
  now,
}: {
  readonly version: string;
  readonly now: () => number;
}): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const calls = new Histogram({
    name: 'backtrail_http_request_duration_seconds',
    help: 'Calls of this server by method, route pattern and status; streams of events count when they end.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: CALL_SECONDS,
    registers,
  });
  const hooks = new Counter({
    name: 'backtrail_hooks_total',
    help: 'Deliveries of code hosts to this server: those that caused a look, those that caused nothing more, those without a valid proof.',
    labelNames: ['kind', 'result'] as const,
    registers,
  });
  const streams = gauge('backtrail_event_streams', 'Streams of events that are open at this server.');
  const slowReaders = new Counter({
    name: 'backtrail_event_streams_cut_total',
    help: 'Streams of events that this server ended because their reader was too slow.',
    registers,
  });
  const ledger = ledgerMetrics(registers);
  const webhooks = webhookMetrics(registers, now);
  new Gauge({
    name: 'backtrail_build_info',
    help: 'Always 1.',
    labelNames: ['version'] as const,
    registers,
  }).set({ version }, 1);
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    call: (of, seconds) => calls.observe(of, seconds),
    streams: (change) => streams.inc(change),
    slowReader: () => slowReaders.inc(),
    hook: (of) => hooks.inc(of),
    ...webhooks,
    ledger,
    live: liveMetrics(registers),
  };
}

/** Of the server whose turn it is to send them. */
function webhookMetrics(registers: Registry[], now: () => number): Pick<Metrics, 'webhook' | 'webhooks'> {
  const attempts = new Counter({
    name: 'backtrail_webhook_attempts_total',
    help: 'Attempts of this server to tell a sink of webhooks: those that it took, those that failed and are made again, those that it answered with 410.',
    labelNames: ['sink', 'outcome'] as const,
    registers,
  });
  let look: () => readonly SinkStanding[] = () => [];
  const gauge = (name: string, help: string, valueOf: (of: SinkStanding) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['sink'] as const,
      registers,
      collect() {
        this.reset();
        for (const each of look()) this.set({ sink: each.sink }, valueOf(each));
      },
    });
  gauge(
    'backtrail_webhook_waiting',
    'Messages that a sink has not taken, of those that were read; there may be more in the ledger from 256 on.',
    ({ waiting }) => waiting,
  );
  gauge(
    'backtrail_webhook_oldest_seconds',
    'How long ago the oldest happened that a sink was not told of yet; 0 where it was told of all.',
    ({ oldestAt }) => (oldestAt === null ? 0 : Math.max(0, now() - Date.parse(oldestAt)) / 1000),
  );
  gauge(
    'backtrail_webhook_gone',
    '1 where a sink answered with 410: it is sent nothing until the server starts again.',
    ({ isGone }) => (isGone ? 1 : 0),
  );
  return {
    webhook: (of) => attempts.inc(of),
    webhooks: (from) => {
      look = from;
    },
  };
}

/**
 * Whoever executed it: a worker may run elsewhere. Several servers of one repository say the same of it, so that these are not to be added up.
 */
function ledgerMetrics(registers: Registry[]): Metrics['ledger'] {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const counted = 'As the ledger has it, since this server started and whichever worker it was by';
  const pending = gauge('backtrail_requests_pending', 'Requests of the ledger that wait for approval.');
  const waiting = gauge(
    'backtrail_requests_waiting',
    'Approved requests of the ledger that no worker has executed yet.',
  );
  const proposed = gauge(
    'backtrail_requests_proposed',
    'Approved requests of the ledger that wait for their pull request to be merged.',
  );
  const lag = gauge(
    'backtrail_reconcile_lag_seconds',
    'How long the approved request that has waited longest for a worker has waited; 0 where none waits.',
  );
  const readable = gauge(
    'backtrail_ledger_readable',
    '1 where the last look at the repository and its ledger worked, else 0: what this server says of the ledger is as old as the last that did.',
  );
  const durations = new Histogram({
    name: 'backtrail_rollback_duration_seconds',
    help: `${counted}: from the event that let a rollback go ahead to the one that ended it. Rollbacks without an entry in the ledger are not counted.`,
    labelNames: ['mode', 'outcome'] as const,
    buckets: ROLLBACK_SECONDS,
    registers,
  });
  const pushes = new Counter({
    name: 'backtrail_pushes_total',
    help: `${counted}: pushes that recorded completed rollbacks. Pushes that failed, or that recorded only what people decided, are not counted.`,
    registers,
  });
  const batches = new Histogram({
    name: 'backtrail_batch_size',
    help: `${counted}: rollbacks that were completed by one push.`,
    buckets: BATCH_SIZES,
    registers,
  });
  return (found, now) => {
    readable.set(found === null ? 0 : 1);
    if (found === null) return;
    pending.set(found.pending);
    waiting.set(found.waiting);
    proposed.set(found.proposed);
    lag.set(found.waitingSince === null ? 0 : Math.max(0, now - Date.parse(found.waitingSince)) / 1000);
    const together = new Map<string, number>();
    for (const { commit, mode, outcome, seconds } of found.ended) {
      if (seconds !== null) durations.observe({ mode, outcome }, seconds);
      if (outcome === 'completed') together.set(commit, (together.get(commit) ?? 0) + 1);
    }
    for (const size of together.values()) {
      pushes.inc();
      batches.observe(size);
    }
  };
}

/** As records of deployments have it, by whichever worker observed it. */
function liveMetrics(registers: Registry[]): Metrics['live'] {
  const states = new Gauge({
    name: 'backtrail_live_states',
    help: 'Scopes that are observed, by what their newest record of a deployment says.',
    labelNames: ['state'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'backtrail_time_to_live_seconds',
    help: 'Since this server started: from the publication of what was recorded as pending, such as a rollback, until an observer saw it live.',
    buckets: LIVE_SECONDS,
    registers,
  });
  return (found) => {
    for (const [state, count] of Object.entries(found.states ?? {})) states.set({ state }, count);
    for (const event of found.events) if (event.seconds !== null) seconds.observe(event.seconds);
  };
}
