import {
  BacktrailError,
  blockedError,
  confirmPlan,
  type Engine,
  isBlocked,
  makeRequestId,
  type Planned,
  type RollbackRequest,
  type RollbackResult,
} from '../../engine/index.ts';
import { confirmRollback, requireReason } from '../ask.ts';
import { openQueue, type RollbackQueue } from '../../workers/index.ts';
import { enqueue } from '../enqueue.ts';
import { Interrupted, interruptible } from '../interrupt.ts';
import { type Output, printAside, printProgress } from '../output.ts';
import { planText, resultText } from '../print/plan.ts';
import { publishedResult } from '../published.ts';
import type { Session } from '../session.ts';
import { type Context, FIELD, type Program, REVISION, runCommand, SCOPE, WHOLE_FILE } from './command.ts';
import { type PlanOptions, previewPlan, toAsk } from './plan.ts';

interface RollbackOptions extends PlanOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly queue?: boolean;
  readonly wait: boolean;
}

export function addRollback(program: Program): void {
  program.root
    .command('rollback')
    .description('restore a scope to an earlier revision, as a new commit')
    .argument('<scope>', SCOPE)
    .option('--to <revision>', `${REVISION} (default: previous)`)
    .option('--field <field...>', FIELD)
    .option('--reason <text>', 'why; becomes part of the record')
    .option('--whole-file', WHOLE_FILE)
    .option('--allow-removal', 'remove what did not exist at the target')
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask; needs --reason')
    .option('--queue', 'let a worker do it, and follow it')
    .option('--no-wait', 'with --queue: do not follow it')
    .addHelpText('after', EXAMPLES)
    .action((scope: string, options: RollbackOptions) =>
      runCommand(program, (context) => rollback(context, scope, options)),
    );
}

const EXAMPLES = `
Examples:
  backtrail rollback acme/production/api-gateway
  backtrail rollback acme/production/api-gateway --to v12 --reason "v2.1.0 answers 500" --yes
  backtrail rollback acme/production/api-gateway --field image --queue
  backtrail rollback acme/production --to @2026-11-20T10:00Z --dry-run`;

async function rollback(context: Context, scope: string, options: RollbackOptions): Promise<Output> {
  const { session, style } = context;
  if (options.dryRun)
    return session.withEngine((engine) => previewPlan(engine, style, toAsk(scope, options)), {
      offline: true,
    });
  if (!options.wait && !options.queue)
    throw new BacktrailError(
      'INVALID_REQUEST',
      '--no-wait needs --queue: without it the rollback runs here.',
    );
  const interactive = session.environment.interactive && session.format === 'text' && !options.yes;
  if (options.reason !== undefined || !interactive) requireReason(options.reason);
  if (!interactive && !options.yes) {
    throw new BacktrailError('CONFIRMATION_REQUIRED', 'There is no terminal to confirm this rollback on.');
  }
  return withQueue(context, options, (queue) =>
    planAndCarryOut(context, scope, { options, queue, interactive }),
  );
}

/** Open before anything is asked: a Redis that is missing is said at once. Null without --queue. */
async function withQueue<T>(
  { session }: Context,
  { queue: wanted }: RollbackOptions,
  use: (queue: RollbackQueue | null) => Promise<T>,
): Promise<T> {
  if (!wanted) return use(null);
  const queue = await openQueue({ redisUrl: session.environment.redisUrl });
  try {
    return await use(queue);
  } finally {
    await queue.close();
  }
}

interface Asked {
  readonly options: RollbackOptions;
  readonly queue: RollbackQueue | null;
  readonly interactive: boolean;
}

function planAndCarryOut(
  context: Context,
  scope: string,
  { options, queue, interactive }: Asked,
): Promise<Output> {
  const { session, style } = context;
  const use = async (engine: Engine) => {
    engine.requireWriting();
    const planned = await engine.plan(toAsk(scope, options));
    if (session.format === 'text') printAside(planText(style, planned));
    if (isBlocked(planned.plan)) throw blockedError(planned.plan);
    const reason =
      interactive && planned.plan.files.length > 0
        ? await confirmRollback(options.reason)
        : (options.reason ?? '');
    const request = await toRequest(context, engine, { planned, reason, options });
    const result = await carryOut(context, engine, { planned, request, options, queue });
    return { value: result, text: () => resultText(style, result, planned.plan.findings) };
  };
  return session.withEngine(use);
}

interface Confirmed {
  readonly planned: Planned;
  readonly options: RollbackOptions;
}

async function toRequest(
  { session }: Context,
  engine: Engine,
  { planned, reason, options }: Confirmed & { reason: string },
): Promise<RollbackRequest> {
  const now = session.environment.clock.now();
  const id = makeRequestId(now, session.environment.random(10));
  const allowRemoval = options.allowRemoval ?? false;
  const author = await session.author(engine);
  return confirmPlan(planned, { id, reason: cut(reason), author, now, allowRemoval });
}

/** The record holds the beginning of a long reason; the queue takes no more than it needs. */
const cut = (reason: string) => (reason.length > REASON_LIMIT ? `${reason.slice(0, REASON_LIMIT)}…` : reason);
const REASON_LIMIT = 8000;

async function carryOut(
  context: Context,
  engine: Engine,
  { planned, request, options, queue }: Confirmed & { request: RollbackRequest; queue: RollbackQueue | null },
): Promise<RollbackResult> {
  const { session } = context;
  // For scripts, standard error holds nothing but an error.
  const say = (line: string) => void (session.format === 'text' && printProgress(line));
  if (queue !== null && planned.plan.files.length > 0) {
    const opened = await engine.requests.open({ ...request, planned });
    return enqueue(opened, { engine, queue, wait: options.wait, say });
  }
  return interruptible(
    (signal) => engine.execute(request, { signal, onStep: ({ step }) => say(`  ✓ ${step}`) }),
    (signal) => afterSignal(session, request, signal),
  );
}

/** A signal that came while git published leaves open whether it did: the branch, looked at anew, knows. */
async function afterSignal(
  session: Session,
  request: RollbackRequest,
  signal: Interrupted['signal'],
): Promise<RollbackResult> {
  const done = await session
    .withEngine((engine) => publishedResult(engine, request))
    .catch(() => {
      throw new Interrupted(
        signal,
        `Stopped by ${signal}; the branch cannot be asked whether rollback ${request.id} was published.`,
        'Look at `backtrail log` before you run it again.',
      );
    });
  if (done === null) throw new Interrupted(signal, `Stopped by ${signal}; nothing was published.`);
  return done;
}
