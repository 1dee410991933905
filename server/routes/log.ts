/** Rollbacks and resumes of the branch, from their trailers. */
import { foundIn } from '../../engine/index.ts';
import { readerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { log, logQuery } from '../schemas/log.ts';
import { namedScope } from '../schemas/scope.ts';

export const logRoutes: Routes = (app, { engine }) => {
  app.get(
    '/log',
    {
      schema: {
        summary:
          'Rollbacks and resumes of the branch, newest first, and whether they are what they claim to be',
        tags: ['rollbacks'],
        querystring: logQuery,
        response: taggedAnswers({ 200: log }),
      },
    },
    async (request, reply) => {
      const { limit, recurring, cursor, ...names } = request.query;
      const [scope, reading] = [namedScope(names), readerOf(request)];
      const ask = { limit, ...reading, ...(scope !== undefined && { scope }) };
      if (recurring) return tagged(request, reply, { recurring: await engine.recurring(ask) });
      const page = { ...ask, ...(cursor !== undefined && { after: cursor }), judged: true };
      const { rollbacks, resumes, unlisted, unjudged, next } = await engine.recorded(page);
      if (cursor === undefined) await foundIn(engine, scope, [...rollbacks, ...resumes], reading);
      return tagged(request, reply, {
        rollbacks,
        ...(resumes.length > 0 && { resumes }),
        ...(unlisted.length > 0 && { unlisted }),
        ...(unjudged && { unjudged }),
        next,
      });
    },
  );
};
