/** Executes a request of the ledger: in this process, or by handing it to a worker. */
import {
  type BacktrailError,
  type Engine,
  type Finding,
  isFailure,
  type RequestId,
  type RequestView,
  resultOf,
  type RollbackResult,
} from '../engine/index.ts';
import { Interrupted, interruptible } from './terminal/interrupt.ts';
import { printProgress } from './terminal/output.ts';
import type { Session } from './session.ts';
import type { Handover, RollbackQueue } from '../workers/index.ts';

/** With `-o json`, standard error contains errors only. */
export const progressPrinter = (session: Session) => (line: string) =>
  void (session.format === 'text' && printProgress(line));

/** `onTrust`: where no trusted keys are configured here, accept an approval signed by any key. */
export async function executeHere(
  session: Session,
  engine: Engine,
  request: RequestView,
  onTrust = true,
): Promise<RollbackResult> {
  const print = progressPrinter(session);
  const person = await session.author(engine);
  // A rollback allowed by the author's own break-glass session needs no other permission.
  const actor = request.breakGlass === null ? { actor: person } : {};
  return interruptible(
    (signal) =>
      engine.rollbacks.execute(request.id, {
        signal,
        onTrust,
        ...actor,
        onStep: ({ step }) => print(`  ✓ ${step}`),
      }),
    (signal) => afterSignal(session, request, signal),
  );
}

/** After a signal during publishing the outcome is unknown: the branch is read again to find out. */
async function afterSignal(
  session: Session,
  { id }: RequestView,
  signal: Interrupted['signal'],
): Promise<RollbackResult> {
  const finish = async (engine: Engine) =>
    // An already published rollback is only reported and recorded in the ledger.
    (await engine.findRequest(id)) === null ? null : engine.rollbacks.execute(id);
  const done = await session.withEngine(finish).catch(() => {
    throw new Interrupted(
      signal,
      `Stopped by ${signal}; the branch cannot be read to find out whether rollback ${id} was published.`,
      `\`backtrail request show ${id}\` shows the result.`,
    );
  });
  if (done !== null) return done;
  throw new Interrupted(
    signal,
    `Stopped by ${signal}; nothing was published, and request ${id} stays approved in the ledger.`,
    `A running worker executes it; \`backtrail request retry ${id} --here\` does it in this process.`,
  );
}

/** The same, executed by a worker. @throws QUEUE_UNAVAILABLE without a queue */
export async function executeByWorker(
  session: Session,
  engine: Engine,
  request: RequestView,
  { wait, queue }: { readonly wait: boolean; readonly queue?: RollbackQueue },
): Promise<RollbackResult> {
  // A server hands it over itself.
  if (session.isRemote) return wait ? executeHere(session, engine, request) : resultOf(request, 'executing');
  const { handOver, openQueue } = await import('../workers/index.ts');
  // Ctrl-C stops the waiting only: the rollback continues in the queue.
  const use = (queue: RollbackQueue) =>
    interruptible(
      (signal) => handOver(request, { engine, queue, wait, print: progressPrinter(session), signal }),
      (signal, error) =>
        Promise.reject(error instanceof Interrupted ? noLongerFollowed(signal, request) : error),
    );
  if (queue !== undefined) return use(queue);
  const opened = await openQueue({ redisUrl: session.environment.redisUrl });
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

function noLongerFollowed(signal: Interrupted['signal'], { id }: RequestView): Interrupted {
  return new Interrupted(
    signal,
    `Rollback ${id} is no longer followed; it continues in the queue.`,
    `\`backtrail request show ${id}\` shows the result.`,
  );
}

export interface ExecuteHow {
  /** In this process; else by a worker. */
  readonly here?: boolean;
  /** Wait for the worker's result. */
  readonly wait: boolean;
}

/** Without a queue the request stays approved in the ledger, where workers find it; this is reported and is not a failure. */
export async function executeOrLeave(
  session: Session,
  engine: Engine,
  request: RequestView,
  { here, wait }: ExecuteHow,
): Promise<RollbackResult> {
  if (here) return executeHere(session, engine, request);
  try {
    return await executeByWorker(session, engine, request, { wait });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE') throw error;
    const message = `${error.message} A worker finds the request in the ledger and executes it.`;
    const hint = `\`backtrail request retry ${request.id} --here\` does it in this process.`;
    progressPrinter(session)(`  ${message} ${hint}`);
    // Said once: with text on standard error.
    const finding: Finding = { code: error.code, severity: 'warn', message, hint };
    return { ...resultOf(request, 'approved'), findings: session.format === 'text' ? [] : [finding] };
  }
}

type Results = ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>;

/** The same for many: all are handed over and followed together. Those that fail do so alone. */
export async function executeAllOrLeave(
  session: Session,
  engine: Engine,
  requests: readonly RequestView[],
  { here, wait }: ExecuteHow,
): Promise<Results> {
  const results = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  if (here) {
    for (const request of requests) {
      const [settled] = await Promise.allSettled([executeHere(session, engine, request)]);
      if (settled.status === 'rejected' && settled.reason instanceof Interrupted) throw settled.reason;
      results.set(request.id, settled);
    }
    return results;
  }
  const print = progressPrinter(session);
  const isAway = (error: unknown): error is BacktrailError =>
    isFailure(error) && error.code === 'QUEUE_UNAVAILABLE';
  let away: BacktrailError | null = null;
  const followed = await followByWorkers(session, engine, requests, { wait, print }).catch(
    (error: unknown) => {
      if (!isAway(error)) throw error;
      away = error;
      return results;
    },
  );
  for (const request of requests) {
    const settled = followed.get(request.id);
    const isLeft = settled === undefined || (settled.status === 'rejected' && isAway(settled.reason));
    if (settled?.status === 'rejected' && isAway(settled.reason)) away ??= settled.reason;
    results.set(request.id, isLeft ? { status: 'fulfilled', value: resultOf(request, 'approved') } : settled);
  }
  if (away !== null) print(`  ${away.message} A worker finds the requests in the ledger and executes them.`);
  return results;
}

/** Ctrl-C stops the waiting only. */
async function followByWorkers(
  session: Session,
  engine: Engine,
  requests: readonly RequestView[],
  how: Pick<Handover, 'wait' | 'print'>,
): Promise<Results> {
  const { handOverMany, openQueue } = await import('../workers/index.ts');
  const queue = await openQueue({ redisUrl: session.environment.redisUrl });
  try {
    return await interruptible(
      (signal) => handOverMany(requests, { ...how, engine, queue, signal }),
      (signal) =>
        Promise.reject(
          new Interrupted(
            signal,
            'The rollbacks are no longer followed; they continue in the queue.',
            '`backtrail request list --all` shows what came of them.',
          ),
        ),
    );
  } finally {
    await queue.close();
  }
}
