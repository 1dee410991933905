/** What automation must not move, and how that ends. */
import { answers, readerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { answerOpened } from '../opening.ts';
import { holds, holdsQuery, resumeAsk } from '../schemas/holds.ts';
import { opened } from '../schemas/opened.ts';
import { pageFrom } from '../schemas/paging.ts';
import { namedScope, requireNamedScope } from '../schemas/scope.ts';

export const holdRoutes: Routes = (app, input) => {
  const { engine } = input;
  const describe = (summary: string) => ({ summary, tags: ['holds'] });
  app.get(
    '/holds',
    {
      schema: {
        ...describe('What is held, newest first, and whether it still is'),
        querystring: holdsQuery,
        response: taggedAnswers({ 200: holds }),
      },
    },
    async (request, reply) => {
      const { limit, cursor, ...names } = request.query;
      const scope = namedScope(names);
      const found = await engine.holds({ ...(scope !== undefined && { scope }), ...readerOf(request) });
      const { page, next } = pageFrom(found.holds, { limit, cursor, keyOf: ({ path }) => path });
      const { findings, partial } = found;
      const more = { ...(findings.length > 0 && { findings }), ...(partial && { partial }) };
      return tagged(request, reply, { holds: page, ...more, next });
    },
  );
  app.post(
    '/holds/resume',
    {
      schema: {
        ...describe('Ask for holds to be lifted'),
        body: resumeAsk,
        response: answers({ 200: opened, 201: opened, 202: opened }),
      },
    },
    async (request, reply) => {
      const { selectedFields, override, digest, justification, ...names } = request.body;
      const ask = {
        scope: requireNamedScope(names),
        ...(selectedFields && { fields: selectedFields }),
        ...(override && { override }),
        resume: true,
      };
      return answerOpened(input, { request, reply }, ask, { justification, digest });
    },
  );
};
