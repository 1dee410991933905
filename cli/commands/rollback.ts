import {
  BacktrailError,
  blockedError,
  type Engine,
  type GatedPlan,
  isBlocked,
  type Person,
  type PlanAsk,
  type RequestId,
  type Requested,
  type RequestView,
  type RollbackResult,
  type Rollbacks,
  type StepEvent,
  requireReason,
  planToAsk,
  toRequest,
} from '../../engine/index.ts';
import { retryRemote } from '../retry-remote.ts';
import { confirmRollback } from '../terminal/ask.ts';
import type { RollbackQueue } from '../../workers/index.ts';
import { executeByWorker, executeHere, progressPrinter } from '../execute-request.ts';
import { Interrupted, interruptible } from '../terminal/interrupt.ts';
import { type Output, printAside } from '../terminal/output.ts';
import { destinationText } from '../print/destination.ts';
import { planText } from '../print/plan.ts';
import { continueRequest, type IdentifiedAsk, idOfKey, newId, resultOutput } from '../propose.ts';
import type { Session } from '../session.ts';
import {
  type Context,
  FIELD,
  OVERRIDE,
  type Program,
  REVISION,
  runCommand,
  SCOPE,
  SIGN,
  WHOLE_FILE,
} from './command.ts';
import { duration } from '../start/parsers.ts';
import { followRollback } from './live/of-rollback.ts';
import { HOLD, HOLD_FOR, NO_HOLD, type PlanOptions, previewPlan, toAsk } from './plan.ts';

export interface RollbackOptions extends PlanOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly requestId?: string;
  readonly queue?: boolean;
  /** `--no-wait`; or how many milliseconds it is followed after it is completed. */
  readonly wait?: boolean | number;
  readonly sign?: boolean;
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
    .option('--override <code...>', OVERRIDE)
    .option('--hold', HOLD)
    .option('--no-hold', NO_HOLD)
    .option('--hold-for <duration>', HOLD_FOR)
    .option('--sign', SIGN)
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask; needs --reason')
    .option('--request-id <key>', REQUEST_ID)
    .option('--queue', 'let a worker execute it, and follow it')
    .option('--wait <duration>', WAIT, duration)
    .option('--no-wait', 'with --queue: do not follow it')
    .addHelpText('after', EXAMPLES)
    .action((scope: string, options: RollbackOptions) =>
      runCommand(program, (context) => rollback(context, scope, options), options),
    );
}

export const REQUEST_ID =
  'any text; the same key again is the same rollback and gives its result, so that a retried job rolls back once';

export const WAIT =
  'once it is completed, follow it until it is live or stays degraded, at most this long: 90s, 10m or 2h; the exit code stays that of the rollback';

/** Whether it is followed in the queue. */
const isFollowed = ({ wait }: Pick<RollbackOptions, 'wait'>) => wait !== false;

const EXAMPLES = `
Examples:
  backtrail rollback acme/production/api-gateway
  backtrail rollback acme/production/api-gateway --to v12 --reason "v2.1.0 answers 500" --yes
  backtrail rollback acme/production/api-gateway --field image --queue
  backtrail rollback acme/production/api-gateway --reason "500s" --yes --wait 10m
  backtrail rollback acme/production --to @2026-11-20T10:00Z --dry-run
  backtrail rollback acme/production/api-gateway --reason "500s" --yes --request-id "$CI_JOB_ID"`;

function rollback(context: Context, scope: string, options: RollbackOptions): Promise<Output> {
  return runAsked(context, toAsk(scope, options), options);
}

/** A rollback, or a resume: planned, confirmed, asked for, and executed here or by a worker. */
export async function runAsked(context: Context, ask: PlanAsk, options: RollbackOptions): Promise<Output> {
  const { session } = context;
  if (options.dryRun) return previewPlan(context, ask);
  if (options.wait === false && !options.queue)
    throw new BacktrailError(
      'INVALID_REQUEST',
      '--no-wait needs --queue: without it the rollback runs here.',
    );
  const interactive = session.environment.interactive && session.format === 'text' && !options.yes;
  if (options.reason !== undefined || !interactive) requireReason(options.reason);
  if (!interactive && !options.yes) {
    throw new BacktrailError(
      'CONFIRMATION_REQUIRED',
      `There is no terminal to confirm this ${ask.resume ? 'resume' : 'rollback'} on.`,
    );
  }
  return withQueue(context, options, (queue) =>
    planAndExecute(context, ask, { options, queue, interactive }),
  );
}

/** Opens it, once. @throws QUEUE_UNAVAILABLE */
type OpenQueue = () => Promise<RollbackQueue>;

/** What only asks for approval needs no Redis. Null without --queue. */
async function withQueue<T>(
  { session }: Context,
  { queue: wanted }: RollbackOptions,
  use: (queue: OpenQueue | null) => Promise<T>,
): Promise<T> {
  if (!wanted || session.isRemote) return use(null);
  const opened: Promise<RollbackQueue>[] = [];
  const open = async () => {
    const { openQueue } = await import('../../workers/index.ts');
    return openQueue({ redisUrl: session.environment.redisUrl });
  };
  const openOnce: OpenQueue = () => {
    const [opening = open()] = opened;
    opened[0] = opening;
    return opening;
  };
  try {
    return await use(openOnce);
  } finally {
    for (const opening of opened) await (await opening.catch(() => null))?.close();
  }
}

interface Asked {
  readonly options: RollbackOptions;
  readonly queue: OpenQueue | null;
  readonly interactive: boolean;
}

function planAndExecute(
  context: Context,
  ask: PlanAsk,
  { options, queue, interactive }: Asked,
): Promise<Output> {
  const { session, style } = context;
  const waiting = queue !== null && isFollowed(options);
  const withRetries = <T>(work: () => Promise<T>) => (waiting ? retryRemote(session, work) : work());
  const use = async (engine: Engine) => {
    engine.requireWriting();
    const author = await session.author(engine);
    const { requestId: key } = options;
    const id = key === undefined ? newId(session) : idOfKey(key);
    const resumed = async () => {
      const known =
        key === undefined
          ? null
          : await withRetries(() => engine.rollbacks.earlier({ ...ask, id, author, revisions: true }));
      return known && resumeEarlier(context, engine, known, { id, author, options, queue });
    };
    const before = await resumed();
    if (before !== null) return before;
    const plan = await withRetries(() =>
      planToAsk(engine, {
        ...ask,
        author,
        ledger: queue !== null,
        pushTest: queue === null ? 'here' : 'worker',
      }),
    );
    // Another run may have published it meanwhile; this plan would then go back one revision further.
    const meanwhile = await resumed();
    if (meanwhile !== null) return meanwhile;
    // Before anything is shown or asked: a Redis that is missing is said at once.
    if (queue !== null && !plan.gate.needsApproval && !plan.unchanged) await queue();
    if (session.format === 'text') printAside(planText(style, plan));
    if (isBlocked(plan)) throw blockedError(plan);
    const reason =
      interactive && !plan.unchanged
        ? await confirmRollback(options.reason, question(plan))
        : (options.reason ?? '');
    const { allowRemoval = false, override = [] } = options;
    const wish = toRequest(plan, { id, author, reason, allowRemoval, override, ledger: queue !== null });
    if (plan.unchanged || !plan.gate.ledgered)
      return resultOutput(context, plan, await rollBackHere(session, engine, wish, key !== undefined));
    const { request, ...result } = await withRetries(() => engine.rollbacks.request(wish));
    if (request === null) return resultOutput(context, plan, result);
    return continueRequest(context, { request, plan }, () =>
      executeAs(session, engine, request, { options, queue }),
    );
  };
  // A queued rollback is planned on the local state, even offline; the worker plans it again.
  return session.withEngine(
    async (engine) => {
      const output = await use(engine);
      const { wait: waitMs } = options;
      return typeof waitMs === 'number' ? followRollback(context, engine, { output, waitMs }) : output;
    },
    { offline: waiting },
  );
}

function question({ gate, destination, resumes }: GatedPlan): string {
  const what = gate.needsApproval ? 'Ask for approval?' : resumes ? 'Lift the hold?' : 'Roll back?';
  return destination ? `${what} It goes to ${destinationText(destination)}.` : what;
}

type ExecuteAsked = Pick<Asked, 'options' | 'queue'> & { readonly onTrust?: boolean };

function executeAs(
  session: Session,
  engine: Engine,
  request: RequestView,
  { options, queue, onTrust }: ExecuteAsked,
): Promise<RollbackResult> {
  if (session.isRemote) return executeByWorker(session, engine, request, { wait: isFollowed(options) });
  if (queue === null) return executeHere(session, engine, request, onTrust);
  return queue().then((opened) =>
    executeByWorker(session, engine, request, { wait: isFollowed(options), queue: opened }),
  );
}

type Earlier = NonNullable<Awaited<ReturnType<Rollbacks['earlier']>>>;

/** Continues the rollback of an earlier run with the same --request-id, and gives its result. */
async function resumeEarlier(
  context: Context,
  engine: Engine,
  { plan, request }: Earlier,
  { id, author, ...how }: ExecuteAsked & { readonly id: RequestId; readonly author: Person },
): Promise<Output> {
  const { session } = context;
  const { reason = '', allowRemoval = false, override = [] } = how.options;
  progressPrinter(session)(
    `  ${id} was asked for before with this --request-id; nothing is rolled back twice`,
  );
  if (request === null) {
    // An already published rollback is only reported.
    const wish = toRequest(plan, { id, author, reason, allowRemoval, override });
    return resultOutput(context, plan, await rollBackHere(session, engine, wish, true));
  }
  const isOpen = request.status === 'approved' || request.status === 'executing';
  // Anyone who can guess the key and push to the ledger may have forged it with its approvals: only trusted keys prove them.
  const onTrust = request.approval.need === 0 && request.breakGlass === null;
  return continueRequest(context, { request, plan }, () =>
    // The result of a finished request is on the branch and in the ledger, not in the queue.
    isOpen
      ? executeAs(session, engine, request, { ...how, onTrust })
      : executeHere(session, engine, request, onTrust),
  );
}

/** For rollbacks without a ledger request: no policy applies, or there is nothing to do. */
async function rollBackHere(
  session: Session,
  engine: Engine,
  { id, ...ask }: IdentifiedAsk,
  isGivenId: boolean,
): Promise<RollbackResult> {
  const print = progressPrinter(session);
  let used = id;
  const onId = (made: RequestId) => {
    used = made;
  };
  return interruptible(
    async (signal) => {
      const onStep = ({ step }: StepEvent) => print(`  ✓ ${step}`);
      // Without an id the engine generates one, and skips the search for an earlier rollback.
      const wish = isGivenId ? { ...ask, id } : ask;
      return withoutRequest(await engine.rollbacks.request(wish, { signal, onStep, onId }));
    },
    (signal) => afterSignal(session, { ...ask, id: used }, signal),
  );
}

/** After a signal during publishing the outcome is unknown: the branch is read again to find out. */
async function afterSignal(
  session: Session,
  wish: IdentifiedAsk,
  signal: Interrupted['signal'],
): Promise<RollbackResult> {
  const { id } = wish;
  const done = await session
    .withEngine(async (engine) =>
      // An already published rollback is only reported.
      (await engine.findRequest(id)) === null ? null : withoutRequest(await engine.rollbacks.request(wish)),
    )
    .catch(() => {
      throw new Interrupted(
        signal,
        `Stopped by ${signal}; the branch cannot be read to find out whether rollback ${id} was published.`,
        'Look at `backtrail log` before you run it again.',
      );
    });
  if (done === null) throw new Interrupted(signal, `Stopped by ${signal}; nothing was published.`);
  return done;
}

function withoutRequest(requested: Requested): RollbackResult {
  const { request: _, ...result } = requested;
  return result;
}
