/** What the ledger has, and whether the branch bears it out. */
import { BacktrailError, foundIn, parseTime } from '../../engine/index.ts';
import { answers, callerOf, readerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { auditEvents, auditQuery, auditReport, verifyAsk } from '../schemas/audit.ts';
import { pageOf } from '../schemas/paging.ts';
import { namedScope } from '../schemas/scope.ts';

export const auditRoutes: Routes = (app, { engine }) => {
  const describe = (summary: string) => ({ summary, tags: ['audit'] });
  app.get(
    '/audit',
    {
      schema: {
        ...describe('Events of requests and break-glass sessions, newest first'),
        querystring: auditQuery,
        response: taggedAnswers({ 200: auditEvents }),
      },
    },
    async (request, reply) => {
      const { since, actor, limit, cursor, ...names } = request.query;
      const scope = namedScope(names);
      const found = await engine.requests.audit({
        ...(scope !== undefined && { scope }),
        ...(since !== undefined && { since: requireTime(since) }),
        ...(actor !== undefined && { actor }),
        ...(cursor !== undefined && { after: cursor }),
        limit: limit + 1,
        reader: callerOf(request).person,
      });
      const all = cursor === undefined ? await foundIn(engine, scope, found, readerOf(request)) : found;
      const { page, next } = pageOf(all, { limit, keyOf: ({ commit, eventId }) => `${commit}.${eventId}` });
      return tagged(request, reply, { events: page, next });
    },
  );
  let isVerifying = false;
  app.post(
    '/audit/verify',
    {
      config: { asks: true },
      schema: {
        ...describe('Make every rollback again from Git alone, and compare'),
        body: verifyAsk.nullish(),
        response: answers({ 200: auditReport }),
      },
    },
    async (request, reply) => {
      const { range, scopes, reader, render } = request.body ?? {};
      if (isVerifying) throw new BacktrailError('AUDIT_BUSY', 'Another audit is under way on this server.');
      isVerifying = true;
      const gone = new AbortController();
      const stop = () => gone.abort();
      reply.raw.on('close', stop);
      try {
        return await engine.audit.verify({
          ...(range && { range }),
          ...(scopes && scopes.length > 0 && { scopes }),
          ...(reader && { reader }),
          render: render === true,
          person: callerOf(request).person,
          signal: gone.signal,
        });
      } finally {
        isVerifying = false;
        reply.raw.off('close', stop);
      }
    },
  );
};

/** @throws INVALID_REQUEST */
function requireTime(text: string): string {
  const time = parseTime(text);
  if (time !== null) return time;
  throw new BacktrailError('INVALID_REQUEST', '`since` is not a valid time.', {
    hint: 'Write it as 2026-11-20 or 2026-11-20T10:00Z.',
  });
}
