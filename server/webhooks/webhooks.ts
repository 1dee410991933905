/** All sinks of a server: they are told by one server of several, from the ledger as its outbox. */
import { randomInt } from 'node:crypto';
import type { Engine } from '../../engine/index.ts';
import type { Logger, Turn } from '../../workers/index.ts';
import { createWakeableTimer } from '../../workers/wakeable-timer.ts';
import type { LedgerListener, Watcher } from '../events/watcher.ts';
import type { Metrics } from '../operation/metrics.ts';
import type { Resolve } from './addresses.ts';
import { backOff } from './back-off.ts';
import { type Cursor, type Cursors, openCursors } from './cursors.ts';
import { type Delivery, startDelivery } from './delivery.ts';
import { createSender } from './sender.ts';
import type { Sink } from './sink.ts';
import { createSource } from './source.ts';

export interface WebhookSettings {
  readonly sinks: readonly Sink[];
  /** Of the server; it is there. */
  readonly folder: string;
  /** Null: there is no other server. */
  readonly turn: Turn | null;
  /** As usual where absent. */
  readonly resolve?: Resolve;
  readonly backOff?: (failures: number) => number;
}

interface WebhooksInput extends WebhookSettings {
  readonly engine: Pick<Engine, 'deployments' | 'log' | 'requests'>;
  readonly watcher: Watcher;
  readonly metrics: Pick<Metrics, 'webhook' | 'webhooks'>;
  readonly logger: Logger;
  readonly version: string;
  readonly now: () => number;
}

export interface Webhooks {
  start(): void;
  close(): Promise<void>;
}

/** How far back is sent again where nothing is known of what was sent. */
const AGAIN_MS = 7 * 24 * 3_600_000;
/** Milliseconds between two questions whose turn it is, and after what could not be begun. */
const TURN_MS = 1000;
const RETRY_MS = 5000;

export function createWebhooks(input: WebhooksInput): Webhooks {
  const { sinks, folder, turn, engine, watcher, metrics, logger, version, now } = input;
  const source = createSource(engine);
  const wait = input.backOff ?? ((failures: number) => backOff(failures, () => randomInt(1000) / 1000));
  const timer = createWakeableTimer();
  let deliveries: readonly Delivery[] = [];
  let cursors: Cursors | null = null;
  let isClosed = false;
  let reported: string | null = null;

  const listener: LedgerListener = {
    news: () => wake(),
    reset: () => wake(),
    problem: () => undefined,
  };
  const isRunning = () => !isClosed;
  const wake = () => {
    for (const each of deliveries) each.wake();
  };
  /** Of a whole second, as the dates of commits are. */
  const since = ({ from }: Sink) => Math.floor(Math.max(from ?? 0, now() - AGAIN_MS) / 1000) * 1000;
  const begin = async (sink: Sink, known: Cursor | 'new' | 'lost'): Promise<Cursor> => {
    if (typeof known !== 'string') return known;
    const isFromNow = known === 'new' && sink.from === null;
    return {
      position: await source.begin(isFromNow ? null : since(sink)),
      branch: isFromNow ? await source.newest() : { commit: null, time: since(sink) },
      waiting: [],
    };
  };
  const activate = async () => {
    const opened = await openCursors(folder, { sinks: sinks.map(({ name }) => name), logger });
    const begun: Cursor[] = [];
    for (const sink of sinks) begun.push(await begin(sink, opened.of(sink.name)));
    await watcher.join(listener, null);
    if (isClosed) return watcher.leave(listener);
    cursors = opened;
    deliveries = sinks.flatMap((sink, index) => {
      const cursor = begun[index];
      if (cursor === undefined) return [];
      return startDelivery({
        sink,
        cursor,
        source,
        sender: createSender({ sink, now, version, resolve: input.resolve }),
        changed: (at) => opened.changed(sink.name, at),
        beginAnew: (oldest) => source.begin(Math.min(since(sink), Math.floor(oldest / 1000) * 1000)),
        backOff: wait,
        now,
        metrics,
        logger,
      });
    });
    logger.info({ sinks: sinks.length }, 'webhooks are sent by this server');
  };
  const deactivate = async () => {
    watcher.leave(listener);
    await Promise.all(deliveries.map((each) => each.stop()));
    deliveries = [];
    await cursors?.written();
    cursors = null;
  };
  const run = async () => {
    for (; isRunning(); ) {
      // Without another server there is nothing more to decide.
      let pause = turn === null ? null : TURN_MS;
      try {
        const isMine = turn === null || (await turn.isMine());
        if (isClosed) return;
        if (isMine && cursors === null) await activate();
        if (!isMine && cursors !== null) await deactivate();
        reported = null;
      } catch (error) {
        pause = RETRY_MS;
        const text = String(error);
        if (text !== reported) logger.warn({ err: error }, 'webhooks cannot be sent yet');
        reported = text;
      }
      if (pause === null) return;
      if (!isClosed) await timer.wait(pause);
    }
  };
  return {
    start: () => {
      metrics.webhooks(() => deliveries.map((each) => each.standing()));
      void run();
    },
    close: async () => {
      isClosed = true;
      timer.wake();
      await deactivate();
      await turn?.close();
    },
  };
}
