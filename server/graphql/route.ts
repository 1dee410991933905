/** POST /graphql. */
import { callerOf, type Routes } from '../routes/route.ts';
import type { Answer, GraphqlSettings } from './yoga.ts';
import type { Call } from './call.ts';

type Answering = (body: unknown, call: Call) => Promise<Answer>;

export const graphqlRoutes =
  (settings: Pick<GraphqlSettings, 'introspection'>): Routes =>
  (app, input) => {
    let opening: Promise<Answering> | null = null;
    const open = async () => {
      const { createGraphql } = await import('./yoga.ts');
      const onInternal = (error: unknown) => app.log.error({ err: error, route: '/graphql' }, 'failed');
      return createGraphql({ ...settings, onInternal });
    };
    app.post('/graphql', { config: { asks: true }, schema: { hide: true } }, async (request, reply) => {
      const answering = await (opening ??= open());
      const person = callerOf(request).person;
      const { status, type, text } = await answering(request.body, { input, request, reply, person });
      return reply.code(status).type(type).send(text);
    });
  };
