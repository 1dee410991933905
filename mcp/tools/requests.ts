/** `requests`: what was asked for, and how it stands. */
import { z } from 'zod';
import { findRequestId, REQUEST_STATUSES, type RequestView } from '../../engine/index.ts';
import { answer } from '../data.ts';
import { type AddTool, answering, counted, limit, READS, scope, type ToolInput } from './tool.ts';

const OPEN = ['pending', 'approved', 'executing', 'failed'] as const;

export const addRequests: AddTool = (server, input) =>
  void server.registerTool(
    'requests',
    {
      title: 'Show requests',
      description:
        'Lists requests for rollbacks, newest first (open ones where no status is named), or shows one by its id. People approve and reject them elsewhere: no tool does.',
      inputSchema: z.strictObject({
        id: z
          .string()
          .min(6)
          .max(64)
          .optional()
          .describe('rbk-…, or six or more characters of its end: this one alone.'),
        status: z.array(z.enum(REQUEST_STATUSES)).min(1).max(REQUEST_STATUSES.length).optional(),
        scope: scope.optional(),
        limit: limit(10),
        after: z.string().min(6).max(64).optional().describe('`next` of another page.'),
      }),
      annotations: READS,
    },
    ({ id, status = OPEN, scope: named, limit: most, after }) =>
      answering(input, async () => {
        const { engine, actor: reader } = input;
        if (id !== undefined) {
          const found = await engine.requests.show({ id: await findRequestId(engine, reader, id), reader });
          return answer([`Request ${found.id} is ${found.status}.`], requestOf(input, found));
        }
        const found = await engine.requests.list({
          statuses: status,
          ...(named !== undefined && { scope: named }),
          ...(after !== undefined && { after: await findRequestId(engine, reader, after) }),
          limit: most + 1,
          reader,
        });
        const shown = found.slice(0, most);
        return answer([`${counted(shown.length, 'request')} listed.`], {
          requests: shown.map((each) => requestOf(input, each)),
          next: found.length > most ? { after: shown.at(-1)?.id } : null,
        });
      }),
  );

export function requestOf({ server }: Pick<ToolInput, 'server'>, request: RequestView) {
  const { id, scopeName, scope: asked, status, result, approval, pullRequest, problems } = request;
  return {
    id,
    scope: scopeName,
    mode: asked.mode,
    ...(asked.fields && { fields: asked.fields }),
    status,
    target: request.target,
    targetVersion: request.targetVersion,
    digest: request.digest,
    reason: request.justification,
    author: request.author,
    createdAt: request.createdAt,
    expiresAt: request.expiresAt,
    approval,
    reviews: request.reviews.map(({ decision, actor, at, comment, counts }) => ({
      decision,
      actor,
      at,
      comment,
      counts,
    })),
    ...(request.notes.length > 0 && {
      notes: request.notes.map(({ actor, at, kind, text }) => ({ actor, at, kind, text })),
    }),
    ...(result && { result }),
    ...(pullRequest && { pullRequest }),
    ...(problems && { problems }),
    seeAll: server === null ? `backtrail request show ${id}` : `${server}/api/v1/rollbacks/${id}`,
  };
}
