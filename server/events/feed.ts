/** All streams of events of a server: who listens, what each of them may read, and how they end. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BacktrailError,
  type Engine,
  type LedgerEvent,
  type ObservedDeployment,
} from '../../engine/index.ts';
import { type Logger, withoutLogin } from '../../workers/index.ts';
import type { Caller, Callers } from '../callers/caller.ts';
import type { Metrics } from '../operation/metrics.ts';
import { problemOf } from '../problem.ts';
import { createRecords, typesOf } from './records.ts';
import { createSteps, type RollbackStep } from './steps.ts';
import { openStream, type Stream, type StreamMessage } from './stream.ts';
import { createWatcher, type LedgerListener, type MayRead, type Watcher } from './watcher.ts';

export interface Feed {
  /** Answers with a stream, which ends with the server or with its reader. @throws INVALID_REQUEST, TOO_MANY_CALLS */
  open(request: FastifyRequest, reply: FastifyReply, filter: FeedFilter): Promise<void>;
  /** Something may have been written to the ledger. */
  look(): void;
  /** For whoever else follows the ledger here. */
  readonly watcher: Watcher;
  close(): Promise<void>;
}

interface FeedFilter {
  readonly caller: Caller;
  /** The last event that is known; null: none. */
  readonly after: string | null;
  /** Only what concerns it. */
  readonly scope?: string | undefined;
  /** Only what is of this request. */
  readonly request?: string | undefined;
}

export interface FeedInput {
  readonly engine: Engine;
  readonly callers: Callers;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly redisUrl: string | null;
}

/** Streams of a server, and of one caller. */
const MOST = 5000;
/** Milliseconds: how often it is asked whether those who listen may still call. */
const RECHECK_MS = 30_000;
/** Events that may pass somebody by until they are told how far the ledger is. */
const PASSED_BY = 100;

export function createFeed({ engine, callers, metrics, logger, redisUrl }: FeedInput): Feed {
  const listening = new Set<Listening>();
  const watcher = createWatcher({ engine, logger });
  const steps =
    redisUrl !== null
      ? createSteps({
          engine,
          redisUrl,
          repo: withoutLogin(engine.location()),
          onStep: (step) => {
            for (const each of listening) each.step(step);
          },
          onEnd: () => watcher.look(),
        })
      : null;
  const records = createRecords({
    engine,
    logger,
    told: (events, mayRead) => {
      for (const each of listening) each.observed(events, mayRead);
    },
  });
  let opening = 0;
  let rechecking: NodeJS.Timeout | undefined;
  let isClosed = false;
  const recheck = async () => {
    for (const each of listening) {
      const known = await callers.identify(each.request).catch(() => null);
      if (known === null) each.stream.end();
    }
  };
  const change = () => {
    steps?.listen(listening.size > 0);
    records.listen(listening.size > 0);
    if (listening.size === 0) clearInterval(rechecking);
    else if (rechecking === undefined || listening.size === 1) {
      clearInterval(rechecking);
      rechecking = setInterval(() => void recheck(), RECHECK_MS);
      rechecking.unref();
    }
  };
  return {
    open: async (request, reply, filter) => {
      if (listening.size + opening >= MOST)
        throw new BacktrailError('TOO_MANY_CALLS', `${MOST} streams of events are open.`);
      opening += 1;
      try {
        let stream: Stream | null = null;
        const early: ((to: Stream) => void)[] = [];
        // What comes before the stream has begun waits for it.
        const send = (say: (to: Stream) => void) => (stream === null ? early.push(say) : say(stream));
        const listener = listenerOf(filter, {
          send,
          knows: (id, scope) => steps?.knows(id, scope),
        });
        const { missed, position, mayRead } = await watcher.join(listener, filter.after);
        await records.ready();
        if (isClosed || reply.raw.destroyed) {
          watcher.leave(listener);
          if (!reply.raw.destroyed) throw new BacktrailError('SERVER_STOPPING', 'The server stops.');
          return;
        }
        const begun = openStream(reply, {
          onSlow: () => {
            metrics.slowReader();
            logger.info({ caller: filter.caller.name }, 'a stream of events was too slow, and is ended');
          },
          onClose: () => {
            listening.delete(entry);
            watcher.leave(listener);
            metrics.streams(-1);
            change();
          },
        });
        const entry: Listening = {
          request,
          stream: begun,
          step: (step) => listener.step(step),
          observed: (events, mayRead) => listener.observed(events, mayRead),
        };
        listening.add(entry);
        metrics.streams(1);
        change();
        begun.send({
          event: 'ready',
          ...(filter.after === null && { id: position }),
          data: JSON.stringify({ position }),
        });
        if (missed === null) begun.send(resetTo(position));
        listener.learn(mayRead);
        stream = begun;
        if (missed !== null && missed.length > 0) listener.news(missed, { position, mayRead });
        for (const say of early) say(begun);
      } finally {
        opening -= 1;
      }
    },
    look: () => watcher.look(),
    watcher,
    close: async () => {
      isClosed = true;
      watcher.close();
      records.close();
      clearInterval(rechecking);
      for (const { stream } of listening) stream.end();
      await steps?.close();
    },
  };
}

interface Listening {
  readonly request: FastifyRequest;
  readonly stream: Stream;
  step(step: RollbackStep): void;
  observed(events: readonly ObservedDeployment[], mayRead: MayRead): void;
}

interface ReaderListener extends LedgerListener {
  step(step: RollbackStep): void;
  observed(events: readonly ObservedDeployment[], mayRead: MayRead): void;
  learn(mayRead: MayRead): void;
}

/** Tells one reader of what they may read and asked for. */
function listenerOf(
  { caller, scope, request }: FeedFilter,
  {
    send,
    knows,
  }: {
    readonly send: (say: (to: Stream) => void) => unknown;
    readonly knows: (id: string, scope: string) => void;
  },
): ReaderListener {
  let allowed: MayRead = () => false;
  let passed = 0;
  const isWanted = (of: { readonly requestId: string | null; readonly scope: string }) =>
    (request === undefined || of.requestId === request) &&
    (scope === undefined || concerns(of.scope, scope)) &&
    allowed(caller.person, of.scope);
  return {
    learn: (mayRead) => {
      allowed = mayRead;
    },
    news: (events, { position, mayRead }) => {
      allowed = mayRead;
      for (const event of events) {
        if (event.requestId !== null) knows(event.requestId, event.scope);
        passed += 1;
        if (!isWanted(event)) continue;
        passed = 0;
        send((to) => to.send(messageOf(event)));
      }
      if (passed < PASSED_BY) return;
      passed = 0;
      send((to) => to.send({ id: position }));
    },
    step: (step) => {
      if (isWanted(step)) send((to) => to.send({ event: 'step', data: JSON.stringify(step) }));
    },
    observed: (events, mayRead) => {
      allowed = mayRead;
      for (const event of events.filter(isWanted))
        for (const type of typesOf(event)) send((to) => to.send({ event: type, data: dataOf(event) }));
    },
    reset: (position) => send((to) => to.send(resetTo(position))),
    problem: (failure) =>
      send((to) => to.send({ event: 'problem', data: JSON.stringify(problemOf(failure)) })),
  };
}

function dataOf(observed: ObservedDeployment): string {
  const { position: _, ...event } = observed;
  return JSON.stringify(event);
}

const resetTo = (position: string) => ({ event: 'reset', id: position, data: JSON.stringify({ position }) });

/** Written down once for all readers. */
const messages = new WeakMap<LedgerEvent, StreamMessage>();

function messageOf(event: LedgerEvent): StreamMessage {
  const known = messages.get(event);
  if (known !== undefined) return known;
  const { position: id, ...entry } = event;
  const kind = entry.requestId !== null ? 'request' : entry.sessionId !== null ? 'session' : 'unknown';
  const made = { event: kind, id, data: JSON.stringify(entry) };
  messages.set(event, made);
  return made;
}

/** An event of the environment concerns its services, and one of a service concerns its environment. */
const concerns = (of: string, scope: string) =>
  of === scope || of.startsWith(`${scope}/`) || scope.startsWith(`${of}/`);
