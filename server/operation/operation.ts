/** For whoever runs the server: whether it lives, whether it is ready, what it has done; one line of the log for each call. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BacktrailError, type Engine } from '../../engine/index.ts';
import { type Logger, openQueue } from '../../workers/index.ts';
import type { Callers } from '../callers/caller.ts';
import { answers, type App, callerOf, problemAnswer } from '../routes/route.ts';
import { health, readiness, text } from '../schemas/operation.ts';
import { callLog } from './access-log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createLooks } from './readiness.ts';

export interface OperationSettings {
  /** Who may read /metrics: whoever reaches the server, or only who may call it. */
  readonly metrics?: 'public' | 'token' | undefined;
  /** Of the queue; null: there is none, and workers find in the ledger what is approved. */
  readonly redisUrl: string | null;
  /** Whether it is ready only where the queue can be used; it is where that is absent. */
  readonly needsQueue?: boolean | undefined;
}

interface OperationInput extends OperationSettings {
  readonly engine: Engine;
  readonly callers: Callers;
  readonly logger: Logger;
  readonly version: string;
  readonly now: () => number;
  /** Whether only this machine reaches the server. */
  readonly isLocal: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It may be called by any name: probes call an address of the moment, and what it answers is nobody's secret. */
    anyHost?: boolean;
    /** It only asks, although it takes a body. */
    asks?: boolean;
  }
}

export interface Operation {
  readonly metrics: Metrics;
  /** Logs a call when it ends. */
  readonly log: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Comes before all other hooks, so that what those refuse is logged too. */
  readonly hooks: (app: FastifyInstance) => void;
  readonly routes: (app: App) => void;
}

export function createOperation(input: OperationInput): Operation {
  const { engine, callers, logger, now, redisUrl, needsQueue = true, isLocal } = input;
  const metrics = createMetrics(input);
  const askQueue =
    redisUrl === null || !needsQueue ? null : async () => (await openQueue({ redisUrl })).close();
  const looks = createLooks({ engine, metrics, askQueue, logger, now });
  const log = callLog({ logger, metrics });
  const hooks = (app: FastifyInstance) => {
    let stopping = false;
    app.addHook('preClose', async () => {
      stopping = true;
    });
    // A connection that could take another call would keep the server from ending.
    app.addHook('onSend', async (_request, reply) => {
      if (stopping) void reply.header('connection', 'close');
    });
    app.addHook('onRequest', async (request, reply) => {
      log(request, reply);
      if (stopping) throw new BacktrailError('SERVER_STOPPING', 'The server stops, and takes no more calls.');
    });
  };
  const describe = (summary: string) => ({ summary, tags: ['operation'], security: [] });
  const routes = (described: App) => {
    described.get(
      '/healthz',
      {
        schema: { ...describe('Whether the process answers'), response: answers({ 200: health }) },
        config: { anyHost: true },
      },
      () => ({ status: 'ok' }),
    );
    described.get(
      '/readyz',
      {
        schema: {
          ...describe('Whether the repository, its ledger and the queue can be used'),
          response: { 200: readiness, 503: readiness, '4XX': problemAnswer(), '5XX': problemAnswer() },
        },
        config: { anyHost: true },
      },
      async (_request, reply) => {
        const { ready, checks } = await looks.ready();
        return reply
          .code(ready ? 200 : 503)
          .header('cache-control', 'no-store')
          .send({ status: ready ? 'ready' : 'not ready', checks });
      },
    );
    described.get(
      '/metrics',
      {
        schema: {
          ...describe('For Prometheus'),
          response: answers({
            200: {
              description: 'The text format of Prometheus.',
              content: { 'text/plain': { schema: text } },
            },
          }),
        },
        // Where pages of a browser reach it, a name that was bound to its address must not.
        config: { anyHost: !isLocal },
      },
      async (request, reply) => {
        if (input.metrics === 'token') {
          request.caller = await callers.identify(request);
          callerOf(request);
        }
        await looks.refresh();
        return reply.type(metrics.contentType).send(await metrics.text());
      },
    );
  };
  return { metrics, log, hooks, routes };
}
