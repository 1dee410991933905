/** The server's calls, put together: what comes before each of them, and what becomes of failures. */
import helmet from '@fastify/helmet';
import { fastifySSE } from '@fastify/sse';
import swagger from '@fastify/swagger';
import { fastify, type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { fastifyZodOpenApiPlugin, validatorCompiler } from 'fastify-zod-openapi';
import { isFailure } from '../engine/index.ts';
import type { Logger } from '../workers/index.ts';
import { readBodies } from './body.ts';
import { BOUNDS, type Bounds } from './bounds.ts';
import type { Callers } from './callers/caller.ts';
import type { Sessions } from './callers/sessions.ts';
import { documentOf } from './document.ts';
import { helmRoutes } from './helm/routes.ts';
import { graphqlRoutes } from './graphql/route.ts';
import { platformRoutes } from './platform/routes.ts';
import { createFeed } from './events/feed.ts';
import { guard, type Guarding, WRITES } from './guard.ts';
import { createLimiter } from './limits.ts';
import { incidentRoutes } from './incidents/ask.ts';
import { incidentRetryRoutes } from './incidents/retry.ts';
import { incidentReviewRoutes } from './incidents/review.ts';
import { incidentStateRoutes } from './incidents/state.ts';
import { liveRoutes } from './live/routes.ts';
import { createOperation, type OperationSettings } from './operation/operation.ts';
import { endConnections } from './operation/stop.ts';
import { readableUrl } from './page/routes.ts';
import { problemOf, sendProblem } from './problem.ts';
import { refuseUnknown, refuseUnreadable } from './refusals.ts';
import { auditRoutes } from './routes/audit.ts';
import { breakGlassRoutes } from './routes/break-glass.ts';
import { deploymentRoutes } from './routes/deployments.ts';
import { eventRoutes } from './routes/events.ts';
import { environmentRoutes } from './routes/environments.ts';
import { meRoutes } from './routes/me.ts';
import { addHooks, type HookInput } from './routes/hooks.ts';
import { holdRoutes } from './routes/holds.ts';
import { mcpRoutes } from './routes/mcp.ts';
import { planRoutes } from './routes/plans.ts';
import { logRoutes } from './routes/log.ts';
import { rollbackRoutes } from './routes/rollbacks.ts';
import { sessionRoutes } from './routes/session.ts';
import { callerOf as requireCaller, type RouteInput, type Routes, type Typed } from './routes/route.ts';
import type { CallLimits, ServerConfiguration } from './settings/configuration.ts';
import { createWebhooks, type WebhookSettings } from './webhooks/webhooks.ts';

export interface AppInput
  extends RouteInput,
    Guarding,
    OperationSettings,
    Pick<HookInput, 'hooks'>,
    Partial<Pick<ServerConfiguration, 'graphql' | 'mcp'>> {
  /** Whether only this machine reaches it. */
  readonly isLocal: boolean;
  readonly callers: Callers;
  readonly sessions: Sessions;
  readonly limits: CallLimits;
  readonly trustProxy?: readonly string[] | undefined;
  readonly bounds?: Partial<Bounds> | undefined;
  readonly logger: Logger;
  readonly version: string;
  /** Null: nobody is told what happens. */
  readonly webhooks?: WebhookSettings | null;
}

/** All that stands below /api/v1. */
const API: readonly Routes[] = [
  meRoutes,
  environmentRoutes,
  planRoutes,
  rollbackRoutes,
  liveRoutes,
  incidentRoutes,
  incidentStateRoutes,
  incidentReviewRoutes,
  incidentRetryRoutes,
  logRoutes,
  deploymentRoutes,
  helmRoutes,
  platformRoutes,
  breakGlassRoutes,
  holdRoutes,
  auditRoutes,
];

export async function createApp(input: AppInput): Promise<FastifyInstance> {
  const { callers, logger, version, trustProxy = [] } = input;
  const bounds = { ...BOUNDS, ...input.bounds };
  const { bodyBytes, headerBytes, parameterLength, arrivalMs, heartbeatMs } = bounds;
  const log: FastifyBaseLogger = logger;
  const operation = createOperation(input);
  const app = fastify({
    loggerInstance: log,
    bodyLimit: bodyBytes,
    requestTimeout: arrivalMs,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    exposeHeadRoutes: true,
    forceCloseConnections: 'idle',
    rewriteUrl: (request) => readableUrl(request),
    // It is said by a problem document.
    return503OnClosing: false,
    // The address may hold what is secret: what is logged of a call is said in one place.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: parameterLength },
    http: {
      maxHeaderSize: headerBytes,
      headersTimeout: arrivalMs,
      connectionsCheckingInterval: Math.ceil(arrivalMs / 6),
      // The guard says why, in a problem document.
      requireHostHeader: false,
    },
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => {
      operation.log(request, reply);
      sendProblem(reply, error);
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  // Answers are what the engine gives: tests hold them to their schemas.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.code === 'INTERNAL') logger.error({ err: error, route: request.routeOptions.url }, 'failed');
    return sendProblem(reply, error);
  });
  readBodies(app);
  endConnections(app);
  refuseUnknown(app);
  app.decorateRequest('caller', null);
  const limiter = await createLimiter(app, input.limits);
  operation.hooks(app);
  app.addHook('onRequest', async (request) => guard(request, input));
  app.addHook('onRequest', (request) => limiter.arrived(request));
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
        // Nothing of the page makes markup of text.
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    // The server may be called by plain HTTP on loopback, or behind a proxy that says this itself.
    hsts: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(fastifyZodOpenApiPlugin);
  await app.register(swagger, documentOf(version));
  const feed = createFeed({ ...input, metrics: operation.metrics });
  if (input.webhooks) {
    const { metrics } = operation;
    const webhooks = createWebhooks({ ...input, ...input.webhooks, watcher: feed.watcher, metrics });
    app.addHook('onListen', async () => webhooks.start());
    app.addHook('preClose', () => webhooks.close());
  }
  app.addHook('preClose', () => feed.close());
  await app.register(fastifySSE, { heartbeatInterval: heartbeatMs });
  /** Calls whose caller is known. */
  const known = (calls: readonly Routes[]) => async (api: FastifyInstance) => {
    // What was written is told at once.
    api.addHook('onResponse', async ({ method, hasWritten, routeOptions: { config } }, { statusCode }) => {
      const isWrite = WRITES.has(method) && (config.asks !== true || hasWritten === true);
      if (isWrite && statusCode < 400) feed.look();
    });
    api.addHook('onRequest', async (request) => {
      try {
        request.caller = await callers.identify(request);
        requireCaller(request);
      } catch (error) {
        if (isFailure(error) && error.code === 'UNAUTHENTICATED') await limiter.refused(request);
        throw error;
      }
      await limiter.known(request);
    });
    for (const routes of calls) routes(api.withTypeProvider<Typed>(), input);
  };
  await app.register(known([...API, sessionRoutes(input.sessions), eventRoutes(feed)]), {
    prefix: '/api/v1',
  });
  await app.register(known(facesOf(input)));
  await addHooks(app, { ...input, metrics: operation.metrics, onLooked: () => feed.look() });
  operation.routes(app.withTypeProvider<Typed>());
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  return app;
}

/** Calls in the forms of others, which translate to those above. */
function facesOf({
  graphql,
  mcp,
  version,
}: Pick<AppInput, 'graphql' | 'mcp' | 'version'>): readonly Routes[] {
  return [...(graphql ? [graphqlRoutes(graphql)] : []), ...(mcp ? [mcpRoutes({ ...mcp, version })] : [])];
}
