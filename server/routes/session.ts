/** Logins of browsers. */
import { z } from 'zod';
import type { Sessions } from '../callers/sessions.ts';
import { time } from '../schemas/names.ts';
import { me } from '../schemas/me.ts';
import { answers, callerOf, meOf, type Routes } from './route.ts';

const login = me.extend({ expiresAt: time.describe('No later than the token ends.') }).meta({ id: 'Login' });
const nothing = z.strictObject({}).nullish();

export const sessionRoutes =
  (sessions: Sessions): Routes =>
  (app) => {
    const describe = (summary: string) => ({ summary, tags: ['callers'] });
    app.post(
      '/session',
      {
        config: { asks: true },
        schema: {
          ...describe('Log a browser in: a cookie in place of the token'),
          description:
            'Called with `Authorization: Bearer`. The cookie (`HttpOnly`, `SameSite=Strict`, `Secure` over https) stands for the token until that ends or is revoked, for a week at most, and until the server is started anew.',
          body: nothing,
          response: answers({ 201: login }),
        },
      },
      async (request, reply) => {
        const { cookie, ends } = sessions.open(request);
        void reply.header('set-cookie', cookie).header('cache-control', 'no-store').code(201);
        return { ...meOf(callerOf(request)), expiresAt: new Date(ends).toISOString() };
      },
    );
    app.delete(
      '/session',
      {
        config: { asks: true },
        schema: { ...describe('Log the browser out'), response: answers({ 200: me }) },
      },
      async (request, reply) => {
        void reply.header('set-cookie', sessions.close(request)).header('cache-control', 'no-store');
        return meOf(callerOf(request));
      },
    );
  };
