/** Whether clusters run what the branch holds: they are asked with every call, by the process that serves. */
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
          description: ANEW,
          params,
          response: answers({ 200: liveStatus }),
        },
      },
      async (request, reply) =>
        anew(reply, (signal) => engine.live.status({ ...of(request.params), ...readerOf(request), signal })),
    );
    app.get(
      `${place}/drift`,
      {
        schema: {
          ...describe(`How clusters differ from what was delivered of ${what}`),
          description: `${ANEW} Secrets are never read.`,
          params,
          response: answers({ 200: drift }),
        },
      },
      async (request, reply) =>
        anew(reply, (signal) => engine.live.drift({ ...of(request.params), ...readerOf(request), signal })),
    );
  }
  app.get(
    '/rollbacks/:id/live',
    {
      schema: {
        ...describe('Whether the revision that a rollback published is live'),
        description: ANEW,
        params: requestParams,
        response: answers({ 200: rollbackLive }),
      },
    },
    async (request, reply) => {
      const { person: reader } = callerOf(request);
      const requestId = await findRequestId(engine, reader, request.params.id);
      return anew(reply, (signal) => engine.live.ofRollback({ requestId, reader, signal }));
    },
  );
};

const ANEW =
  'Clusters are asked with every call. One that cannot be asked is `unconfirmed` or `unchecked`, which is no failure of the call.';

const of = (
  names: Parameters<typeof scopeOf>[0],
): Pick<Parameters<Engine['live']['status']>[0], 'scope'> => ({
  scope: scopeOf(names),
});

/** Nobody keeps it, and nobody is asked for whoever has gone. */
function anew<Value>(reply: FastifyReply, ask: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  void reply.header('cache-control', 'no-store');
  return ask(gone.signal);
}
