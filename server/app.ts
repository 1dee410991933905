/** The server's calls, put together: what comes before each of them, and what becomes of failures. */
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import { fastify, type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { fastifyZodOpenApiPlugin, validatorCompiler } from 'fastify-zod-openapi';
import { isFailure } from '../engine/index.ts';
import type { Logger } from '../workers/index.ts';
import type { Callers } from './callers/caller.ts';
import { documentOf } from './document.ts';
import { guard, type Guarding } from './guard.ts';
import { createLimiter } from './limits.ts';
import { problemOf, sendProblem } from './problem.ts';
import { refuseUnknown, refuseUnreadable } from './refusals.ts';
import { auditRoutes } from './routes/audit.ts';
import { breakGlassRoutes } from './routes/break-glass.ts';
import { deploymentRoutes } from './routes/deployments.ts';
import { environmentRoutes } from './routes/environments.ts';
import { meRoutes } from './routes/me.ts';
import { holdRoutes } from './routes/holds.ts';
import { planRoutes } from './routes/plans.ts';
import { logRoutes } from './routes/log.ts';
import { rollbackRoutes } from './routes/rollbacks.ts';
import { callerOf as requireCaller, type RouteInput, type Routes, type Typed } from './routes/route.ts';
import type { CallLimits } from './settings/configuration.ts';

export interface AppInput extends RouteInput, Guarding {
  readonly callers: Callers;
  readonly limits: CallLimits;
  readonly logger: Logger;
  readonly version: string;
}

/** All that stands below /api/v1. */
const API: readonly Routes[] = [
  meRoutes,
  environmentRoutes,
  planRoutes,
  rollbackRoutes,
  logRoutes,
  deploymentRoutes,
  breakGlassRoutes,
  holdRoutes,
  auditRoutes,
];

const LIMITS = {
  bodyLimit: 1_048_576,
  /** Of one parameter of an address. */
  maxParamLength: 1024,
  /** Milliseconds until all of a request has arrived. */
  requestTimeout: 30_000,
  headerBytes: 16_384,
} as const;

export async function createApp(input: AppInput): Promise<FastifyInstance> {
  const { callers, logger, version } = input;
  const log: FastifyBaseLogger = logger;
  const app = fastify({
    loggerInstance: log,
    bodyLimit: LIMITS.bodyLimit,
    requestTimeout: LIMITS.requestTimeout,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    exposeHeadRoutes: true,
    forceCloseConnections: 'idle',
    // The address may hold what is secret: what is logged of a call is said in one place.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: LIMITS.maxParamLength },
    http: { maxHeaderSize: LIMITS.headerBytes, headersTimeout: LIMITS.requestTimeout },
    trustProxy: false,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => {
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
  refuseUnknown(app);
  app.decorateRequest('caller', null);
  const limiter = await createLimiter(app, input.limits);
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
      },
    },
    frameguard: { action: 'deny' },
    // The server may be called by plain HTTP on loopback, or behind a proxy that says this itself.
    hsts: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(fastifyZodOpenApiPlugin);
  await app.register(swagger, documentOf(version));
  await app.register(
    async (api) => {
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
      for (const routes of API) routes(api.withTypeProvider<Typed>(), input);
    },
    { prefix: '/api/v1' },
  );
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  return app;
}
