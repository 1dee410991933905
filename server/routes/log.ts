/** Rollbacks and resumes of the branch, from their trailers. */
import { answers, type Routes } from './route.ts';
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
    async ({ query: { limit, recurring, ...names } }) => {
      const scope = namedScope(names);
      const ask = { limit, ...(scope !== undefined && { scope }) };
      if (recurring) return { recurring: await engine.recurring(ask) };
      const { rollbacks, resumes, unlisted, unjudged } = await engine.recorded({ ...ask, judged: true });
      await foundIn(engine, scope, [...rollbacks, ...resumes]);
      return {
        rollbacks,
        ...(resumes.length > 0 && { resumes }),
        ...(unlisted.length > 0 && { unlisted }),
        ...(unjudged && { unjudged }),
      };
    },
  );
};
