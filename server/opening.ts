/** Opens a request for what is asked for, as `rollback --yes --queue` does, and hands it to the workers where nobody has to agree. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BacktrailError,
  blockedError,
  deriveRequestId,
  isBlocked,
  isFailure,
  type Person,
  type PlanAsk,
  planToAsk,
  type RequestId,
  requireReason,
  type RequestView,
  resultOf,
  type RollbackPlan,
  toRequest,
} from '../engine/index.ts';
import type { Waiting } from './execution.ts';
import { type Key, keyReused, REPLAYED_HEADER } from './idempotency.ts';
import { callerOf, type RouteInput } from './routes/route.ts';
import { type Asked, requireSameRequest } from './same-request.ts';

export interface Opening extends Pick<Asked, 'digest'> {
  /** Becomes part of the record. */
  readonly justification?: string | null | undefined;
  /** Digest of the manifests that were looked at. */
  readonly rendered?: string | null | undefined;
  /** The failed request in whose place it is. */
  readonly follows?: RequestId | null | undefined;
}

type Call = { readonly request: FastifyRequest; readonly reply: FastifyReply };

/**
 * 201: it waits for approval; 202: nobody has to agree, and it is executed next, being executed, or published already; 200: nothing is left to do, or an
 * earlier call asked for it.
 *
 * @throws REASON_REQUIRED, PLAN_CHANGED, PERMISSION_DENIED, the code of a blocking finding, KEY_REUSED, KEY_BUSY, and what planning and asking
 * fail with
 */
export async function answerOpened(
  input: RouteInput,
  { request, reply }: Call,
  ask: PlanAsk,
  opening: Opening,
): Promise<FastifyReply> {
  const { person: author } = callerOf(request);
  const opened = await input.keys.once(request, reply, (key) =>
    openRequest(input, { ask, author, opening, key }),
  );
  if (opened.request !== null) void reply.header('location', `/api/v1/rollbacks/${opened.requestId}`);
  const isReplayed = reply.hasHeader(REPLAYED_HEADER);
  return reply.code(codeOf(opened.status, isReplayed || opened.request === null)).send(opened);
}

/** `isOld`: this call has opened nothing. */
function codeOf(status: string, isOld: boolean): 200 | 201 | 202 {
  if (status === 'approved' || status === 'executing') return 202;
  if (isOld) return 200;
  if (status === 'pending') return 201;
  return status === 'completed' ? 202 : 200;
}

export interface Work {
  readonly ask: PlanAsk;
  readonly author: Person;
  readonly opening: Opening;
  readonly key: Key | null;
  /** Waits for what comes of it, where nobody has to agree; `failed`: what is thrown then. */
  readonly waiting?: Waiting & { readonly failed: (request: RequestView, error: unknown) => unknown };
}

/** The same without HTTP: what came of it so far. @throws as `answerOpened` */
export async function openRequest(input: RouteInput, work: Work) {
  const { ask, opening, key } = work;
  const { justification } = opening;
  const reason = justification ?? undefined;
  requireReason(reason, ask.resume === true ? 'A resume' : 'A rollback');
  const id = key === null ? undefined : deriveRequestId(key.hash);
  const before = id === undefined ? null : await earlier(input, work, { id, reason });
  if (before !== null) return before;
  const release = await input.execution.claim();
  try {
    return await openNew(input, work, { id, reason, release });
  } finally {
    release?.();
  }
}

interface New {
  readonly id: RequestId | undefined;
  readonly reason: string;
  /** It is published by this process where nobody has to agree, which says when it has been; null: by a worker. */
  readonly release: (() => void) | null;
}

async function openNew(input: RouteInput, work: Work, { id, reason, release }: New) {
  const { engine } = input;
  const { ask, author, opening, waiting } = work;
  const isHere = release !== null;
  const { digest, rendered, follows } = opening;
  // Whoever is to push it now need not try first.
  const test = isHere ? {} : { pushTest: 'worker' as const };
  const plan = await planToAsk(engine, { ...ask, author, reader: author, ledger: true, ...test });
  // Another server may have opened it meanwhile; this plan would then go back one revision further.
  const meanwhile = id === undefined ? null : await earlier(input, work, { id, reason });
  if (meanwhile !== null) return meanwhile;
  if (isBlocked(plan)) throw blockedError(plan);
  // A push expects branch and ledger as they were looked at, and nothing of the records of deployments: they may be old then.
  const isOld = plan.findings.some(({ code }) => code === 'REMOTE_OFFLINE');
  const { allowRemoval = false, override = [] } = ask;
  const wish = toRequest(plan, {
    ...(id !== undefined && { id }),
    author,
    reason,
    allowRemoval,
    override,
    ...(follows && { follows }),
    ledger: true,
  });
  const { request, ...result } = await engine.rollbacks.request(
    {
      ...wish,
      ...(ask.propose === true && { propose: true }),
      ...(digest && { digest }),
      ...(rendered && { rendered }),
    },
    { atOnce: isHere && !isOld },
  );
  release?.();
  if (request === null || result.status === 'completed') return { ...result, ...toldOf(plan), request };
  return answerOf(input, { request, plan, waiting });
}

/** What an earlier call with the same key asked for. @throws KEY_REUSED */
async function earlier(
  input: RouteInput,
  { ask, author, opening: { digest, follows }, key, waiting }: Work,
  { id, reason }: { readonly id: RequestId; readonly reason: string },
) {
  const { engine } = input;
  const found = await engine.rollbacks
    .earlier({ ...ask, id, author, revisions: true })
    .catch((error: unknown) => {
      if (isFailure(error) && error.code === 'REQUEST_EXISTS') throw keyReused();
      throw error;
    });
  if (found === null) return null;
  const { plan, request } = found;
  // A rollback of a ledger that is gone: its commit is all that is left.
  if (request === null)
    throw new BacktrailError(
      'REQUEST_EXISTS',
      `Request ${id} was executed, and the ledger does not have it.`,
    );
  requireSameRequest({ ask, reason, digest, follows }, { plan, request });
  // What they may see of it is asked now.
  await engine.requests.show({ id, reader: author });
  key?.replayed();
  return answerOf(input, { request, plan, waiting });
}

/** As it stands now; one that nobody has to agree to is handed over. */
async function answerOf(
  { execution }: RouteInput,
  {
    request,
    plan,
    waiting,
  }: { readonly request: RequestView; readonly plan: RollbackPlan; readonly waiting: Work['waiting'] },
) {
  const { status, approval, breakGlass, supersedes } = request;
  const isOpen = status === 'approved' || status === 'executing';
  const result = isOpen
    ? await execution.run(request, waiting).catch((error: unknown) => {
        throw waiting === undefined ? error : waiting.failed(request, error);
      })
    : { ...standing(request), findings: plan.findings };
  return {
    ...result,
    ...toldOf(plan),
    ...(status === 'pending' && { approval }),
    ...(breakGlass !== null && { breakGlass }),
    ...(supersedes !== null && { supersedes }),
    request,
  };
}

/** Where it stands. What was withdrawn, or refused by people, did not fail. */
function standing(request: RequestView) {
  const { status, result } = request;
  if (status === 'completed' && result !== null && result.status !== 'failed')
    return resultOf(request, result.status, result);
  return { ...resultOf(request, 'failed'), status };
}

function toldOf({ destination, resumes }: RollbackPlan) {
  return { ...(destination && { destination }), ...(resumes && { resumes }) };
}
