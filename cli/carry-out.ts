/** Carries a request of the ledger out: in this process, or by handing it to a worker. */
import {
  BacktrailError,
  type Engine,
  isFailure,
  type RequestView,
  type RollbackResult,
  type Status,
} from '../engine/index.ts';
import { enqueue } from './enqueue.ts';
import { Interrupted, interruptible } from './interrupt.ts';
import { printProgress } from './output.ts';
import type { Session } from './session.ts';
import { openQueue, type RollbackQueue } from '../workers/index.ts';

/** For scripts, standard error holds nothing but an error. */
export const sayIn = (session: Session) => (line: string) =>
  void (session.format === 'text' && printProgress(line));

export async function carryOutHere(
  session: Session,
  engine: Engine,
  request: RequestView,
): Promise<RollbackResult> {
  const say = sayIn(session);
  const person = await session.author(engine);
  // What their own session let go ahead needs no other permission.
  const actor = request.breakGlass === null ? { actor: person } : {};
  return interruptible(
    (signal) =>
      engine.requests.carryOut(request.id, {
        signal,
        last: true,
        onTrust: true,
        ...actor,
        onStep: ({ step }) => say(`  ✓ ${step}`),
      }),
    (signal) => afterSignal(session, request, signal),
  );
}

/** A signal that came while git published leaves open whether it did: the branch, looked at anew, knows. */
async function afterSignal(
  session: Session,
  { id }: RequestView,
  signal: Interrupted['signal'],
): Promise<RollbackResult> {
  const finish = async (engine: Engine) =>
    // What is on the branch is only reported, and written into the ledger.
    (await engine.findRequest(id)) === null ? null : engine.requests.carryOut(id);
  const done = await session.withEngine(finish).catch(() => {
    throw new Interrupted(
      signal,
      `Stopped by ${signal}; the branch cannot be asked whether rollback ${id} was published.`,
      `\`backtrail request show ${id}\` says what became of it.`,
    );
  });
  if (done !== null) return done;
  throw new Interrupted(
    signal,
    `Stopped by ${signal}; nothing was published, and request ${id} stays approved in the ledger.`,
    `A worker that runs carries it out; \`backtrail request retry ${id} --here\` does it in this process.`,
  );
}

/** The same, when a worker does it; QUEUE_UNAVAILABLE where there is no queue. */
export async function carryOutByWorker(
  session: Session,
  engine: Engine,
  request: RequestView,
  { wait, queue }: { readonly wait: boolean; readonly queue?: RollbackQueue },
): Promise<RollbackResult> {
  const use = async (queue: RollbackQueue) => {
    const claimed = await enqueue(request, { engine, queue, wait, say: sayIn(session) });
    return wait ? proven(engine, request, claimed) : claimed;
  };
  if (queue !== undefined) return use(queue);
  const opened = await openQueue({ redisUrl: session.environment.redisUrl });
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

/**
 * Whoever can write into the queue can write a result there: the branch and the ledger know what came of the request, so that only the
 * worker's findings are taken from it. VERIFY_FAILED.
 */
async function proven(
  engine: Engine,
  request: RequestView,
  { status: claimed, findings }: RollbackResult,
): Promise<RollbackResult> {
  const { id } = request;
  // What is on the branch is only reported.
  if ((await engine.findRequest(id)) !== null) return { ...(await engine.requests.carryOut(id)), findings };
  const { result, status } = await engine.requests.show({ id, reader: null });
  if (claimed === 'unchanged' && status === 'completed' && result?.status === 'unchanged')
    return { ...resultOf(request, 'unchanged'), findings };
  throw new BacktrailError(
    'VERIFY_FAILED',
    `The queue says that ${id} is ${claimed}, and the branch does not hold it.`,
  );
}

export interface CarryOutHow {
  /** In this process; else by a worker. */
  readonly here?: boolean;
  /** Follow the worker? */
  readonly wait: boolean;
}

/** Without a queue the request stays approved in the ledger, where workers look for such; that is said, and is no failure. */
export async function carryOutOrLeave(
  session: Session,
  engine: Engine,
  request: RequestView,
  { here, wait }: CarryOutHow,
): Promise<RollbackResult> {
  if (here) return carryOutHere(session, engine, request);
  try {
    return await carryOutByWorker(session, engine, request, { wait });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE') throw error;
    const again = `\`backtrail request retry ${request.id} --here\` does it in this process.`;
    sayIn(session)(
      `  ${error.message} A worker finds the request in the ledger and carries it out; ${again}`,
    );
    return resultOf(request, 'approved');
  }
}

/** The result of a request that was not carried out here and now. */
export function resultOf(request: RequestView, status: Status): RollbackResult {
  const { id: requestId, scope, scopeName, base, target, digest } = request;
  return {
    requestId,
    status,
    mode: scope.mode,
    scope: scopeName,
    base,
    target,
    commit: null,
    deliveryCommit: null,
    digest,
    findings: [],
  };
}
