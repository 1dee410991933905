/** The Helm-shaped face: a release is a service, and its revisions are vN. Each call is one of the core's. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { BacktrailError, isFailure, type RequestView } from '../../engine/index.ts';
import { openRequest } from '../opening.ts';
import {
  answers,
  callerOf,
  type RouteInput,
  type Routes,
  tagged,
  taggedAnswers,
  WAIT_MS,
} from '../routes/route.ts';
import { toOptions } from '../schemas/ask.ts';
import { openRollback, readRelease } from './history.ts';
import { NO_RELEASES, scopeOfRelease } from './release.ts';
import {
  historyQuery,
  lastSuccessfulAsk,
  release,
  releaseHistory,
  releaseParams,
  rollbackAsk,
} from './schemas.ts';

const ONE = '/helm/releases/:releaseId';
/** So many revisions are looked at for the one that a rollback made. */
const NEWEST = 20;

export const helmRoutes: Routes = (app, input) => {
  const { engine, helm = NO_RELEASES } = input;
  const describe = (summary: string) => ({ summary, tags: ['helm'], params: releaseParams });
  const done = () => answers({ 200: release, 202: release });
  app.get(
    `${ONE}/history`,
    {
      schema: {
        ...describe('What `helm history -o json` prints'),
        description:
          'Oldest first. A rollback that waits for approval or is executed is the last revision (`PENDING_ROLLBACK`), and so is one that failed since.',
        querystring: historyQuery,
        response: taggedAnswers({ 200: releaseHistory }),
      },
    },
    async (request, reply) => {
      const { max: limit } = request.query;
      const asked = {
        scope: scopeOfRelease(helm, request.params.releaseId),
        reader: callerOf(request).person,
        limit,
      };
      const found = await readRelease(engine, asked);
      const open = await openRollback(engine, asked, found);
      const lines = found.revisions.map(({ line }) => line);
      const all = [...lines, ...(open === null ? [] : [await found.ofRequest(open)])];
      return tagged(request, reply, all.slice(-limit));
    },
  );
  app.post(
    `${ONE}/rollback`,
    {
      schema: {
        ...describe('Return to a revision, as `helm rollback` does'),
        description: `200: it is done. 202: it waits for approval, or is executed later than an answer waits. 400: \`targetRevision\` is not in the history.`,
        body: rollbackAsk,
        response: done(),
      },
    },
    async (request, reply) => {
      const { targetRevision, ...more } = request.body;
      const to = { revision: `v${targetRevision}`, sentence: `to revision ${targetRevision}` };
      return rollBack(input, { request, reply }, to, more).catch((error: unknown) => {
        if (!isFailure(error) || error.code !== 'REVISION_UNKNOWN') throw error;
        throw new BacktrailError(
          'INVALID_REQUEST',
          `targetRevision ${targetRevision} is not in the history: ${error.message}`,
          {
            hint: 'GET …/history of the release lists them.',
          },
        );
      });
    },
  );
  app.post(
    `${ONE}/rollback/last-successful`,
    {
      schema: {
        ...describe('Return to the last revision that was deployed with success'),
        description:
          'The newest before the running one that is recorded as deployed, and neither failed nor was rolled back.',
        body: lastSuccessfulAsk.nullish(),
        response: done(),
      },
    },
    (request, reply) =>
      rollBack(
        input,
        { request, reply },
        { revision: 'last-successful', sentence: 'to the last successful revision' },
        request.body ?? {},
      ).catch((error: unknown) => {
        throw inHelmsWords(error);
      }),
  );
};

interface Call {
  readonly request: FastifyRequest & { readonly params: z.output<typeof releaseParams> };
  readonly reply: FastifyReply;
}

async function rollBack(
  input: RouteInput,
  { request, reply }: Call,
  to: { readonly revision: string; readonly sentence: string },
  { justification, digest, ...options }: z.output<typeof lastSuccessfulAsk>,
): Promise<FastifyReply> {
  const { engine, helm = NO_RELEASES } = input;
  const { releaseId } = request.params;
  const { person: author } = callerOf(request);
  const scope = scopeOfRelease(helm, releaseId);
  const asked = { scope, reader: author, limit: NEWEST };
  // Says whether it is a service.
  await readRelease(engine, { ...asked, limit: 1 });
  const reason = `Rollback of release ${releaseId} ${to.sentence}`;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const opened = await input.keys.once(request, reply, (key) =>
    openRequest(input, {
      ask: { ...toOptions(options), scope, to: to.revision },
      author,
      opening: { justification: justification ? `${reason}\n\n${justification}` : reason, digest },
      key,
      waiting: { waitMs: WAIT_MS, signal: gone.signal, failed: rollbackFailed },
    }),
  );
  if (opened.request !== null) void reply.header('location', `/api/v1/rollbacks/${opened.requestId}`);
  const after =
    opened.request === null ? null : await engine.requests.show({ id: opened.requestId, reader: author });
  const found = await readRelease(engine, asked);
  const status = after?.status ?? 'completed';
  const isOpen = status === 'pending' || status === 'approved' || status === 'executing';
  const current = found.revisions.find(({ commit }) => commit === opened.commit) ?? found.revisions.at(-1);
  const line =
    after !== null && (isOpen || status === 'failed') ? await found.ofRequest(after) : current?.line;
  if (line === undefined) throw new BacktrailError('REVISION_UNKNOWN', `${scope} has no revisions.`);
  return reply.code(isOpen ? 202 : 200).send({ release: releaseId, ...line, request: after });
}

/** Its hint names a revision that this call takes by another name. */
function inHelmsWords(error: unknown): unknown {
  if (!isFailure(error)) return error;
  const { code, message, hint, details } = error;
  const said = hint.replace(/--to v(\d+)/g, '`"targetRevision": $1` of …/rollback');
  return said === hint ? error : new BacktrailError(code, message, { hint: said, details, cause: error });
}

/** The request is there, and failed: it can be tried again, to this revision or to another. */
function rollbackFailed({ id }: RequestView, error: unknown): unknown {
  if (!isFailure(error)) return error;
  const { code, message, hint, details } = error;
  return new BacktrailError('EXECUTION_FAILED', `The rollback failed: ${message}`, {
    hint: `${code}: ${hint} Then ask again, for this revision or another one.`,
    details: { requestId: id, cause: { code, message, hint, details } },
    cause: error,
  });
}
