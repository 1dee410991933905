/** Rollbacks and resumes of the branch, from their trailers. */
import { answers, readerOf, type Routes } from './route.ts';
import { log, logQuery } from '../schemas/log.ts';
import { foundIn, namedScope } from '../schemas/scope.ts';

export const logRoutes: Routes = (app, { engine }) => {
  app.get(
    '/log',
    {
      schema: {
        summary:
          'Rollbacks and resumes of the branch, newest first, and whether they are what they claim to be',
        tags: ['rollbacks'],
        querystring: logQuery,
        response: answers({ 200: log }),
      },
    },
    async (request) => {
      const { limit, recurring, ...names } = request.query;
      const [scope, reading] = [namedScope(names), readerOf(request)];
      const ask = { limit, ...reading, ...(scope !== undefined && { scope }) };
      if (recurring) return { recurring: await engine.recurring(ask) };
      const { rollbacks, resumes, unlisted, unjudged } = await engine.recorded({ ...ask, judged: true });
      await foundIn(engine, scope, [...rollbacks, ...resumes], reading);
      return {
        rollbacks,
        ...(resumes.length > 0 && { resumes }),
        ...(unlisted.length > 0 && { unlisted }),
        ...(unjudged && { unjudged }),
      };
    },
  );
};
