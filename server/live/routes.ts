/** Whether clusters run what the branch holds: the process that serves asks them, once for all who ask within a few seconds. */
import type { FastifyReply } from 'fastify';
import { type Engine, findRequestId } from '../../engine/index.ts';
import { answers, callerOf, readerOf, type Routes } from '../routes/route.ts';
import { environmentParams, scopeOf, serviceParams } from '../schemas/names.ts';
import { requestParams } from '../schemas/request.ts';
import { drift, liveStatus, rollbackLive } from './schemas.ts';

const PLACES = [
  ['/environments/:tenant/:environment', 'an environment', environmentParams],
  ['/environments/:tenant/:environment/services/:service', 'a service', serviceParams],
] as const;

export const liveRoutes: Routes = (app, { engine }) => {
  const describe = (summary: string) => ({ summary, tags: ['live'] });
  for (const [place, what, params] of PLACES) {
    app.get(
      `${place}/live`,
      {
        schema: {
          ...describe(`Whether ${what} is live`),
          description: WHEN,
          params,
          response: answers({ 200: liveStatus }),
        },
      },
      async (request, reply) =>
        asked(reply, (how) => engine.live.status({ ...of(request.params), ...readerOf(request), ...how })),
    );
    app.get(
      `${place}/drift`,
      {
        schema: {
          ...describe(`How clusters differ from what was delivered of ${what}`),
          description: `${WHEN} Secrets are never read.`,
          params,
          response: answers({ 200: drift }),
        },
      },
      async (request, reply) =>
        asked(reply, (how) => engine.live.drift({ ...of(request.params), ...readerOf(request), ...how })),
    );
  }
  app.get(
    '/rollbacks/:id/live',
    {
      schema: {
        ...describe('Whether the revision that a rollback published is live'),
        description: WHEN,
        params: requestParams,
        response: answers({ 200: rollbackLive }),
      },
    },
    async (request, reply) => {
      const { person: reader } = callerOf(request);
      const requestId = await findRequestId(engine, reader, request.params.id);
      return asked(reply, (how) =>
        engine.live.ofRollback({ requestId, reader, ...how, maxAge: MAX_AGE_OF_ROLLBACK }),
      );
    },
  );
};

/** Milliseconds: pages ask each 30 s, and each open page asks; those of a rollback that is on its way, each 5 s. */
const MAX_AGE = 12_000;
const MAX_AGE_OF_ROLLBACK = 4000;

const WHEN =
  'Clusters are asked with the call, or were a few seconds before it, for somebody else: `observedAt` says when. One that cannot be asked is `unconfirmed` or `unchecked`, which is no failure of the call.';

const of = (
  names: Parameters<typeof scopeOf>[0],
): Pick<Parameters<Engine['live']['status']>[0], 'scope'> => ({
  scope: scopeOf(names),
});

/** Caches on the way keep nothing of it, and nobody is asked for whoever has gone. */
function asked<Value>(
  reply: FastifyReply,
  ask: (how: { readonly signal: AbortSignal; readonly maxAge: number }) => Promise<Value>,
): Promise<Value> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  void reply.header('cache-control', 'no-store');
  return ask({ signal: gone.signal, maxAge: MAX_AGE });
}
