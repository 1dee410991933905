/** Who the server takes its caller for, and what it serves. */
import { z } from 'zod';
import { withoutLogin } from '../../workers/index.ts';
import { shownPlace } from '../place.ts';
import { me } from '../schemas/me.ts';
import { answers, callerOf, meOf, type Routes } from './route.ts';

const repository = z
  .object({
    location: z
      .string()
      .describe('Without a login. A path only where the one person of its machine asks; else its last name.'),
    destination: z.object({ remote: z.string().nullable(), address: z.string(), branch: z.string() }),
  })
  .meta({ id: 'Repository' });

export const meRoutes: Routes = (app, { engine }) => {
  app.get(
    '/repository',
    { schema: { summary: 'What is served', tags: ['environments'], response: answers({ 200: repository }) } },
    async (request) => {
      const isOwn = callerOf(request).how === 'single-user';
      const location = isOwn ? withoutLogin(engine.location()) : shownPlace(engine.location());
      return { location, destination: await engine.destination() };
    },
  );
  app.get(
    '/me',
    { schema: { summary: 'Who is calling', tags: ['callers'], response: answers({ 200: me }) } },
    (request) => meOf(callerOf(request)),
  );
};
