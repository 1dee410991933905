/** `request retry`: a failed one once more, or another one in its place. */
import type { Command } from 'commander';
import {
  type Act,
  BacktrailError,
  blockedError,
  type Engine,
  FAILURES,
  isBlocked,
  type RequestStatus,
  findRequestId,
  planToAsk,
  toRequest,
} from '../../../engine/index.ts';
import { confirmGoing } from '../../terminal/ask.ts';
import { type ExecuteHow, executeOrLeave } from '../../execute-request.ts';
import { type Output, printAside } from '../../terminal/output.ts';
import { planText } from '../../print/plan.ts';
import { continueRequest, newId, resultOutput } from '../../propose.ts';
import { type Context, ID, OVERRIDE, type Program, REVISION, runCommand, SIGN } from '../command.ts';
import { toAsk } from '../plan.ts';
import { executedOutput } from './approve.ts';
import { confirmOn, requireConfirmable } from './confirm.ts';

interface RetryOptions extends ExecuteHow {
  readonly to?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly override?: string[];
  readonly sign?: boolean;
}

export function addRetry(program: Program, group: Command): void {
  group
    .command('retry')
    .description('execute a failed or interrupted request again; with --to, request another revision instead')
    .argument('<id>', ID)
    .option('--to <revision>', `${REVISION}: a new request that follows the failed one`)
    .option('--reason <text>', 'with --to: why (default: the reason of the failed one)')
    .option('--override <code...>', `with --to: ${OVERRIDE}`)
    .option('--yes', 'do not ask')
    .option('--here', 'execute it in this process instead of a worker')
    .option('--sign', `with --here or --to: ${SIGN}`)
    .option('--no-wait', 'leave it to a worker, and do not follow it')
    .action((typed: string, options: RetryOptions) =>
      runCommand(program, (context) => retry(context, typed, options), options),
    );
}

/** Approved, but executed by no one yet: a process that was stopped leaves it so. */
const LEFT: readonly RequestStatus[] = ['approved', 'executing'];

function retry(context: Context, typed: string, options: RetryOptions): Promise<Output> {
  const { session } = context;
  const { to } = options;
  if (options.reason !== undefined && to === undefined)
    throw new BacktrailError(
      'INVALID_REQUEST',
      '--reason needs --to: the same rollback keeps its own reason.',
    );
  if (options.override !== undefined && to === undefined)
    throw new BacktrailError(
      'INVALID_REQUEST',
      '--override needs --to: the same rollback overrides what it did.',
    );
  const asks = requireConfirmable(session, options, 'retry');
  return session.withEngine(async (engine) => {
    engine.requireWriting();
    const actor = await session.author(engine);
    const on = { id: await findRequestId(engine, actor, typed), actor };
    if (to !== undefined) return retryTo(context, engine, on, { ...options, to, asks });
    const question = asks ? 'Execute it again?' : null;
    const seen = await confirmOn(context, engine, on, {
      statuses: ['failed', ...LEFT],
      act: 'retry',
      question,
    });
    const before = await engine.requests.show({ id: on.id, reader: actor });
    const request = LEFT.includes(before.status) ? before : await engine.requests.retry(on);
    const executed = await executedOutput(context, engine, request, { ...options, reported: seen.findings });
    // A vote is given where nobody executes it; a retry is recorded, and no more.
    return executed.isLeft ? { ...executed, exitCode: FAILURES.QUEUE_UNAVAILABLE.exit } : executed;
  });
}

async function retryTo(
  context: Context,
  engine: Engine,
  { id, actor: author }: Act,
  { to, reason, asks, override = [], ...how }: RetryOptions & { readonly to: string; readonly asks: boolean },
): Promise<Output> {
  const { session, style } = context;
  const failed = await engine.requests.show({ id, reader: author });
  if (failed.status !== 'failed')
    throw new BacktrailError('REQUEST_NOT_FAILED', `Request ${id} is ${failed.status}, not failed.`, {
      hint: `Ask for another revision with \`backtrail rollback ${failed.scopeName} --to ${to}\`.`,
    });
  if (failed.resume)
    throw new BacktrailError('INVALID_REQUEST', `Request ${id} is a resume, which returns to no revision.`, {
      hint: `\`backtrail request retry ${id}\` tries it again.`,
    });
  const { scope, scopeName, allowRemoval, justification } = failed;
  const ask = toAsk(scopeName, {
    to,
    allowRemoval,
    override,
    ...(scope.fields && { field: [...scope.fields] }),
    ...(scope.wholeFile && { wholeFile: true }),
    hold: failed.hold !== undefined,
    ...(failed.hold && failed.hold.seconds !== null && { holdFor: `${failed.hold.seconds / 60}m` }),
  });
  const plan = await planToAsk(engine, { ...ask, author, ledger: true });
  if (session.format === 'text') printAside(planText(style, plan));
  if (isBlocked(plan)) throw blockedError(plan);
  if (asks) await confirmGoing('Ask for this in its place?');
  const confirmed = { id: newId(session), author, reason: reason ?? justification, allowRemoval, override };
  const wish = toRequest(plan, { ...confirmed, follows: id, ledger: true });
  const { request, ...result } = await engine.rollbacks.request(wish);
  if (request === null) return resultOutput(context, plan, result);
  return continueRequest(context, { request, plan }, () => executeOrLeave(session, engine, request, how));
}
