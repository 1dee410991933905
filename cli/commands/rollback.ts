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
import { enqueue } from '../enqueue.ts';
import { type Output, printAside, printProgress } from '../output.ts';
import { planText, resultText } from '../print/plan.ts';
import { type Context, FIELD, type Program, REVISION, runCommand, SCOPE } from './command.ts';
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
    return session.withEngine((engine) => previewPlan(engine, style, toAsk(scope, options)));
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
  return session.withEngine(async (engine) => {
    const planned = await engine.plan(toAsk(scope, options));
    const place = await engine.publishFindings(planned.plan.branch);
    if (session.format === 'text') printAside(planText(style, planned, place));
    if (isBlocked(planned.plan)) throw blockedError(planned.plan);
    const reason =
      interactive && planned.plan.files.length > 0
        ? await confirmRollback(options.reason)
        : (options.reason ?? '');
    const request = await toRequest(context, engine, { planned, reason, options });
    const result = await carryOut(context, engine, { planned, request, options });
    const reported = { ...result, findings: [...result.findings, ...place] };
    return { value: reported, text: () => resultText(style, reported) };
  });
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
  { planned, request, options }: Confirmed & { request: RollbackRequest },
): Promise<RollbackResult> {
  const { session } = context;
  // For scripts, standard error holds nothing but an error.
  const say = (line: string) => void (session.format === 'text' && printProgress(line));
  if (!options.queue || planned.plan.files.length === 0)
    return engine.execute(request, { onStep: ({ step }) => say(`  ✓ ${step}`) });
  return enqueue(session, request, { wait: options.wait, say });
}
