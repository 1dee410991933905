/** Who the server takes its caller for. */
import { z } from 'zod';
import { person } from '../schemas/names.ts';
import { answers, callerOf, type Routes } from './route.ts';

const me = z.object({ person, how: z.enum(['single-user', 'token', 'oidc']) }).meta({ id: 'Me' });

export const meRoutes: Routes = (app) => {
  app.get(
    '/me',
    { schema: { summary: 'Who is calling', tags: ['callers'], response: answers({ 200: me }) } },
    (request) => {
      const { person: known, how } = callerOf(request);
      return { person: known, how };
    },
  );
};
