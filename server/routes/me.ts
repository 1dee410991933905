/** Who the server takes its caller for, and what it serves. */
import { z } from 'zod';
import { PERMISSIONS } from '../../engine/index.ts';
import { withoutLogin } from '../../workers/index.ts';
import { person } from '../schemas/names.ts';
import { answers, callerOf, type Routes } from './route.ts';

const me = z
  .object({
    person,
    how: z.enum(['single-user', 'token', 'oidc']),
    scope: z
      .object({ allow: z.array(z.enum(PERMISSIONS)), in: z.array(z.string()) })
      .optional()
      .describe('Of an API token: it allows no more, and no more than the policy gives the person.'),
    groups: z
      .array(z.string())
      .optional()
      .describe('That the issuer names: in others of the policy the person does not count.'),
  })
  .meta({ id: 'Me' });

const repository = z
  .object({
    location: z.string().describe('Without a login.'),
    destination: z.object({ remote: z.string().nullable(), address: z.string(), branch: z.string() }),
  })
  .meta({ id: 'Repository' });

export const meRoutes: Routes = (app, { engine }) => {
  app.get(
    '/repository',
    { schema: { summary: 'What is served', tags: ['environments'], response: answers({ 200: repository }) } },
    async () => ({ location: withoutLogin(engine.location()), destination: await engine.destination() }),
  );
  app.get(
    '/me',
    { schema: { summary: 'Who is calling', tags: ['callers'], response: answers({ 200: me }) } },
    (request) => {
      const {
        person: { name, email, only },
        how,
      } = callerOf(request);
      return { person: { name, email }, how, ...only };
    },
  );
};
