/** Requests for rollbacks: asked for, looked at, decided on, executed. */
import {
  asReviewed,
  type Engine,
  findRequestId,
  isFailure,
  type Person,
  recordable,
  REQUEST_STATUSES,
  type RequestStatus,
  type RequestView,
  requireText,
} from '../../engine/index.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { answers, callerOf, type Routes, tagged, taggedAnswers } from './route.ts';
import { approve, awaitExecution } from '../approval.ts';
import { idsOf, requestIdOf } from '../idempotency.ts';
import { answerOpened } from '../opening.ts';
import { toPlanAsk } from '../schemas/ask.ts';
import { opened, rollbackAsk } from '../schemas/opened.ts';
import {
  approveAsk,
  cancelAsk,
  executedRequest,
  noteAsk,
  rejectAsk,
  requestParams,
  requestPlan,
  requests,
  requestsQuery,
  requestView,
  retryAsk,
} from '../schemas/request.ts';
import { pageOf } from '../schemas/paging.ts';

const ONE = '/rollbacks/:id';
/** Pending, or still to be executed. */
const OPEN: readonly RequestStatus[] = ['pending', 'approved', 'executing', 'failed'];

export const rollbackRoutes: Routes = (app, input) => {
  const { engine, execution } = input;
  const describe = (summary: string) => ({ summary, tags: ['rollbacks'] });
  const ofOne = (summary: string) => ({ ...describe(summary), params: requestParams });
  app.post(
    '/rollbacks',
    {
      schema: {
        ...describe('Ask for a rollback, or the end of a hold'),
        description:
          '201: it waits for approval. 202: nobody has to agree; it is published already (`completed`), a worker executes it (`executing`), or finds it in the ledger where the queue is away (`approved`). 200: nothing would change, or an earlier call with the same `Idempotency-Key` asked for it (header `idempotent-replayed`).',
        body: rollbackAsk,
        response: answers({ 200: opened, 201: opened, 202: opened }),
      },
    },
    (request, reply) => answerOpened(input, { request, reply }, toPlanAsk(request.body), request.body),
  );
  app.get(
    '/rollbacks',
    {
      schema: {
        ...describe('Requests, newest first; open ones where nothing else is asked for'),
        querystring: requestsQuery,
        response: taggedAnswers({ 200: requests }),
      },
    },
    async (request, reply) => {
      const { person: reader } = callerOf(request);
      const { limit, cursor, key, ...query } = request.query;
      if (key !== undefined)
        return tagged(request, reply, { requests: await asked(engine, reader, key), next: null });
      const { wanted, ...filter } = filterOf(query);
      const found = await engine.requests.list({
        ...filter,
        reader,
        limit: limit + 1,
        ...(cursor !== undefined && { after: await findRequestId(engine, reader, cursor) }),
      });
      const { page, next } = pageOf(found, { limit, keyOf: ({ id }) => id });
      const shown = (await execution.withJobs(page)).filter(
        ({ status, problems }) => wanted.includes(status) || problems !== undefined,
      );
      return tagged(request, reply, { requests: shown, next });
    },
  );
  app.get(
    ONE,
    { schema: { ...ofOne('One request'), response: taggedAnswers({ 200: requestView }) } },
    async (request, reply) => {
      const on = await named(engine, request, request.params.id);
      const found = await engine.requests.show({ id: on.id, reader: on.actor });
      return tagged(request, reply, (await execution.withJobs([found]))[0]);
    },
  );
  app.get(
    `${ONE}/plan`,
    {
      schema: { ...ofOne('What it would change now'), response: taggedAnswers({ 200: requestPlan }) },
    },
    async (request, reply) => {
      const { id, actor: reader } = await named(engine, request, request.params.id);
      const replanned = await engine.requests.plan({ id, reader, revisions: true });
      return tagged(request, reply, {
        ...asReviewed(replanned),
        requestId: id,
        status: replanned.request.status,
        changed: replanned.changed,
        rendered: replanned.rendered,
        may: replanned.may,
      });
    },
  );
  const executed = () => answers({ 200: executedRequest, 202: executedRequest });
  app.post(
    `${ONE}/approve`,
    {
      schema: {
        ...ofOne('Approve it; it is executed once it has enough approvals'),
        description:
          '200: it is completed, or has this vote and awaits others (`pending`). 202: it is approved, and executed later than an answer waits.',
        body: approveAsk.nullish(),
        response: executed(),
      },
    },
    async (request, reply) => {
      const on = await named(engine, request, request.params.id);
      const answered = await approve(input, { ...request.body, ...on }, goneOf(reply));
      return reply.code(answered.code).send(answered.request);
    },
  );
  app.post(
    `${ONE}/retry`,
    {
      schema: {
        ...ofOne('Execute a failed request again, or one that no worker has executed yet'),
        body: retryAsk.nullish(),
        response: executed(),
      },
    },
    async (request, reply) => {
      const on = await named(engine, request, request.params.id);
      const before = await engine.requests.show({ id: on.id, reader: on.actor });
      const isLeft = before.status === 'approved' || before.status === 'executing';
      const retried = await engine.requests.retry(on).catch((error: unknown) => {
        // Whoever may retry it may have it executed, too.
        if (isLeft && isFailure(error) && error.code === 'REQUEST_NOT_FAILED') return before;
        throw error;
      });
      const answered = await awaitExecution(input, retried, goneOf(reply));
      return reply.code(answered.code).send(answered.request);
    },
  );
  const changed = () => answers({ 200: requestView });
  app.post(
    `${ONE}/reject`,
    { schema: { ...ofOne('Reject it; it is not executed'), body: rejectAsk.nullish(), response: changed() } },
    async (request) => {
      const on = await named(engine, request, request.params.id);
      return engine.requests.reject({ ...on, ...said(request.body ?? {}) });
    },
  );
  app.post(
    `${ONE}/cancel`,
    {
      schema: {
        ...ofOne('Withdraw it, for as long as nothing is published'),
        body: cancelAsk.nullish(),
        response: changed(),
      },
    },
    async (request) => {
      const reason = request.body?.reason;
      const on = await named(engine, request, request.params.id);
      return engine.requests.cancel({ ...on, ...(reason && { reason: recordable(reason) }) });
    },
  );
  app.post(
    `${ONE}/notes`,
    { schema: { ...ofOne('Add a note'), body: noteAsk, response: answers({ 201: requestView }) } },
    async (request, reply) => {
      const { text, kind } = request.body;
      const on = await named(engine, request, request.params.id);
      const noted = await input.keys.once(request, reply, (key) =>
        engine.requests.note({
          ...on,
          text: requireText(text, 'The note'),
          ...(kind && { kind }),
          ...(key && { event: idsOf(key).event, onRepeated: key.replayed }),
        }),
      );
      return reply.code(201).send(noted);
    },
  );
};

/** @throws PERMISSION_DENIED */
async function asked(engine: Engine, reader: Person, key: string): Promise<RequestView[]> {
  try {
    const email = await engine.requests.personId(reader.email);
    return [await engine.requests.show({ id: requestIdOf({ email, key }), reader })];
  } catch (error) {
    if (isFailure(error) && error.code === 'REQUEST_UNKNOWN') return [];
    throw error;
  }
}

const said = ({ comment }: { readonly comment?: string | null | undefined }) =>
  comment ? { comment: recordable(comment) } : {};

/** @throws REQUEST_UNKNOWN, INVALID_REQUEST */
async function named(engine: Engine, request: FastifyRequest, id: string) {
  const { person: actor } = callerOf(request);
  return { id: await findRequestId(engine, actor, id), actor };
}

/** Aborted when the connection is. */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

type Query = Omit<z.output<typeof requestsQuery>, 'limit' | 'cursor' | 'key'>;

function filterOf({ state = ['open'], tenant, environment, author, incident, scope }: Query) {
  const wanted = state.flatMap((each): readonly RequestStatus[] =>
    each === 'all' ? REQUEST_STATUSES : each === 'open' ? OPEN : [each],
  );
  // One that a worker is executing is still `approved` in the ledger.
  const statuses = wanted.includes('executing') ? [...new Set([...wanted, 'approved' as const])] : wanted;
  return {
    wanted,
    statuses,
    ...(tenant !== undefined && { tenant: tenant === '-' ? null : tenant }),
    ...(environment !== undefined && { environment }),
    ...(author !== undefined && { author }),
    ...(incident !== undefined && { incident }),
    ...(scope !== undefined && { scope }),
  };
}
