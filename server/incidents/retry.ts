/** What failed of an incident is executed again. */
import type { FastifyRequest } from 'fastify';
import { isFailure, type RequestId } from '../../engine/index.ts';
import { readAgain, type ReviewItem } from '../../workers/incident/index.ts';
import { answers, callerOf, type RouteInput, type Routes } from '../routes/route.ts';
import { answerItems, executeAll, goneOf, namedOf } from './items.ts';
import { incidentParams, incidentRetry, incidentReviewed } from './schemas.ts';

export const incidentRetryRoutes: Routes = (app, input) => {
  app.post(
    '/incidents/:id/retry',
    {
      schema: {
        summary: 'Execute failed requests of an incident again',
        description:
          'They are one commit of the ledger, and each is judged by itself. 200: each is completed, or a row says why not. 202: some are executed later than an answer waits.',
        tags: ['rollbacks'],
        params: incidentParams,
        body: incidentRetry.nullish(),
        response: answers({ 200: incidentReviewed, 202: incidentReviewed }),
      },
    },
    async (request, reply) => {
      const items = await retryAll(input, request, request.body?.ids, goneOf(reply));
      return answerItems(reply, request.params.id, items);
    },
  );
};

/** `ids`: of those that failed; absent: all of them. */
async function retryAll(
  input: RouteInput,
  request: FastifyRequest<{ Params: { id: string } }>,
  ids: readonly RequestId[] | undefined,
  gone: AbortSignal,
): Promise<readonly ReviewItem[]> {
  const { engine } = input;
  const { person: actor } = callerOf(request);
  const on = { incident: request.params.id, actor };
  const failed = await engine.requests.list({
    incident: on.incident,
    reader: actor,
    statuses: ['failed'],
  });
  const open = failed.map((each): ReviewItem => ({ request: each, voted: false }));
  const named = ids ?? failed.map(({ id }) => id);
  const items = await namedOf(input, { ...on, ids: named, unfit: 'REQUEST_NOT_FAILED' }, open);
  const asked = items.filter(({ error }) => !error);
  const results = await engine.requests.retryMany({ ids: asked.map(({ request: { id } }) => id), actor });
  for (const [index, item] of asked.entries()) {
    const result = results[index];
    if (result?.status === 'fulfilled') item.request = result.value;
    else if (isFailure(result?.reason)) item.error = result.reason;
    else throw result?.reason;
  }
  const ready = items.filter(({ error }) => !error);
  await executeAll(input, ready, gone, (_, reason) => reason);
  await readAgain(engine, items, on);
  return items;
}
