/** What happens to requests, sessions and rollbacks, as it happens. */
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';
import type { Feed } from '../events/feed.ts';
import { namedScope, scopeNames } from '../schemas/scope.ts';
import { answers, callerOf, type Routes } from './route.ts';

const DESCRIPTION = `Server-sent events. \`request\` and \`session\` are events of the ledger, as \`GET /audit\` has them; their id is the
ledger's commit and the number of the event in it, and \`Last-Event-ID\` (or \`after\`) replays what came since. \`step\` is a step of a
rollback that a worker executes: it has no id and is not replayed. \`live\` and \`degraded\`: an observer of a cluster said so of a
deployment; \`auto-rollback\`: what became of that by itself, a request or the code of why none; neither has an id or is replayed. \`ready\` comes first. \`reset\`: what came since the last event is
not known, read anew what you follow. \`problem\`: the ledger cannot be looked at now.`;

const query = z.strictObject({
  ...scopeNames,
  after: z
    .string()
    .max(80)
    .optional()
    .describe(
      'The id of the last event that is known; `0`: from the first on. `Last-Event-ID` goes before it.',
    ),
  request: z.string().min(1).max(64).optional().describe('Only of this request.'),
});

export const eventRoutes =
  (feed: Feed): Routes =>
  (app) => {
    app.get(
      '/events',
      {
        schema: {
          summary: 'Events of requests and sessions, and steps of rollbacks',
          description: DESCRIPTION.replaceAll('\n', ' '),
          tags: ['events'],
          querystring: query,
          response: {
            ...answers({}),
            200: {
              description: 'A stream of events.',
              content: { 'text/event-stream': { schema: z.string() } },
            },
          },
        },
        // What is sent is written down already.
        sse: { kind: 'only', serializer: String },
        exposeHeadRoute: false,
        onRequest: async ({ headers: { accept } }) => {
          if (!takesEvents(accept))
            throw new BacktrailError('NOT_ACCEPTABLE', 'Events are sent as text/event-stream.');
        },
      },
      async (request, reply) => {
        const { after, request: id, ...names } = request.query;
        const last = request.headers['last-event-id'];
        await feed.open(request, reply, {
          caller: callerOf(request),
          after: (typeof last === 'string' && last !== '' ? last : after) ?? null,
          scope: namedScope(names),
          request: id,
        });
      },
    );
  };

/** As the plugin decides, which would answer in another form. */
const takesEvents = (accept = '*/*') =>
  /text\/event-stream|text\/\*|\*\/\*/i.test(accept) &&
  !/text\/event-stream\s*;[^,]*q=0(?:\.0*)?(?:\s*[,;]|\s*$)/i.test(accept);
