/** Break-glass sessions, and the reviews of what was done in them. */
import { z } from 'zod';
import {
  BacktrailError,
  type Engine,
  isRequestId,
  isSessionId,
  type Person,
  requireReason,
  requireText,
} from '../../engine/index.ts';
import { idsOf } from '../idempotency.ts';
import { answers, callerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { reviewAsk, session, sessionAsk, sessions, sessionsQuery } from '../schemas/sessions.ts';
import { requestView } from '../schemas/request.ts';
import { sessionId } from '../schemas/open-session.ts';
import { pageFrom } from '../schemas/paging.ts';
import { requireNamedScope } from '../schemas/scope.ts';

export const breakGlassRoutes: Routes = (app, { engine, keys }) => {
  const describe = (summary: string) => ({ summary, tags: ['break-glass'] });
  app.get(
    '/break-glass',
    {
      schema: {
        ...describe('Sessions, the active ones first, and what waits for a review'),
        querystring: sessionsQuery,
        response: taggedAnswers({ 200: sessions }),
      },
    },
    async (request, reply) => {
      const found = await engine.requests.sessions(callerOf(request).person);
      const sorted = found.sessions.toSorted((a, b) => Number(b.active) - Number(a.active));
      const { page, next } = pageFrom(sorted, { ...request.query, keyOf: ({ id }) => id });
      return tagged(request, reply, { sessions: page, reviews: found.reviews, next });
    },
  );
  app.post(
    '/break-glass',
    {
      schema: {
        ...describe('Start a session of your own'),
        body: sessionAsk,
        response: answers({ 201: session }),
      },
    },
    async (request, reply) => {
      const { justification, ticket, minutes, ...names } = request.body;
      const reason = justification ?? undefined;
      requireReason(reason, 'A break-glass session');
      const made = await keys.once(request, reply, (key) =>
        engine.requests.openSession({
          ...(key && { id: idsOf(key).session, onRepeated: key.replayed }),
          scope: requireNamedScope(names),
          holder: callerOf(request).person,
          reason,
          ...(ticket && { ticket: requireText(ticket, 'The ticket') }),
          ...(minutes && { minutes }),
        }),
      );
      return reply.code(201).send(made);
    },
  );
  const params = z.object({ id: sessionId });
  app.get(
    '/break-glass/:id',
    { schema: { ...describe('One session'), params, response: taggedAnswers({ 200: session }) } },
    async (request, reply) => {
      const reader = callerOf(request).person;
      return tagged(request, reply, await engine.requests.session({ id: request.params.id, reader }));
    },
  );
  app.delete(
    '/break-glass/:id',
    {
      schema: {
        ...describe('End a session early'),
        params,
        response: answers({ 200: session }),
      },
    },
    (request) => engine.requests.closeSession({ id: request.params.id, actor: callerOf(request).person }),
  );
  app.post(
    '/break-glass/:id/review',
    {
      schema: {
        ...describe('Complete the review of a rollback that was executed without approval'),
        params: z.object({
          id: z
            .string()
            .min(1)
            .max(64)
            .describe('Of the request; or of the session, where it has one request to review.'),
        }),
        body: reviewAsk,
        response: answers({ 200: requestView }),
      },
    },
    async (request) => {
      const actor = callerOf(request).person;
      const comment = requireText(request.body.comment, 'The comment');
      const id = await reviewed(engine, request.params.id, actor);
      return engine.requests.inspect({ id, actor, comment });
    },
  );
};

/** @throws INVALID_REQUEST, REVIEW_NOT_OPEN */
async function reviewed(engine: Engine, id: string, reader: Person): Promise<string> {
  const known: boolean = isRequestId(id);
  if (known) return id;
  const isSession: boolean = isSessionId(id);
  if (!isSession) throw new BacktrailError('INVALID_REQUEST', 'A review is of a request, or of a session.');
  const { reviews } = await engine.requests.sessions(reader);
  const [one, other] = reviews.filter(({ breakGlass }) => breakGlass?.session === id);
  if (one === undefined) throw new BacktrailError('REVIEW_NOT_OPEN', `Nothing of ${id} waits for a review.`);
  if (other === undefined) return one.id;
  throw new BacktrailError(
    'INVALID_REQUEST',
    `Several requests of ${id} wait for a review: name one of them.`,
  );
}
