import {
  BacktrailError,
  blockedError,
  isBlocked,
  type PlanAsk,
  type RollbackPlan,
} from '../../engine/index.ts';
import type { Output } from '../terminal/output.ts';
import { planText, planValue } from '../print/plan.ts';
import type { Style } from '../print/style.ts';
import {
  type Context,
  FIELD,
  OVERRIDE,
  type Program,
  REVISION,
  runCommand,
  SCOPE,
  WHOLE_FILE,
} from './command.ts';

export interface PlanOptions {
  readonly to?: string;
  readonly field?: string[];
  readonly allowRemoval?: boolean;
  readonly wholeFile?: boolean;
  readonly override?: string[];
  readonly hold?: boolean;
  readonly holdFor?: string;
}

export const HOLD = 'keep automation from moving what is restored (default: where it shows that it would)';
export const NO_HOLD = 'restore it once; automation may move it again';
export const HOLD_FOR = 'how long, as 12h or 7d (default: until it is resumed)';

export function addPlan(program: Program): void {
  program.root
    .command('plan')
    .description('show what a rollback would change; writes nothing')
    .argument('<scope>', SCOPE)
    .option('--to <revision>', `${REVISION} (default: previous)`)
    .option('--field <field...>', FIELD)
    .option('--whole-file', WHOLE_FILE)
    .option('--allow-removal', 'remove what did not exist at the target')
    .option('--override <code...>', OVERRIDE)
    .option('--hold', HOLD)
    .option('--no-hold', NO_HOLD)
    .option('--hold-for <duration>', HOLD_FOR)
    .action((scope: string, options: PlanOptions) =>
      runCommand(program, (context) => previewPlan(context, toAsk(scope, options))),
    );
}

/** TARGET_REQUIRED, FIELDS_REQUIRED: an option whose value is missing, as an unset variable of a script leaves it. */
export function toAsk(
  scope: string,
  { to, field, allowRemoval, wholeFile, override = [], hold, holdFor }: PlanOptions,
): PlanAsk {
  if (to?.trim() === '') throw new BacktrailError('TARGET_REQUIRED', 'targetSha is required');
  if (field?.some((name) => name.trim() === '') === true)
    throw new BacktrailError('FIELDS_REQUIRED', 'selected fields cannot be empty for field mode');
  return {
    scope,
    ...(to !== undefined && { to }),
    fields: field ?? [],
    allowRemoval: allowRemoval ?? false,
    wholeFile: wholeFile ?? false,
    ...(override.length > 0 && { override }),
    ...(hold !== undefined && { hold }),
    ...(holdFor !== undefined && { holdFor }),
  };
}

/** With the decision of the gate: a plan is shown also to people who may not execute it. */
export function previewPlan({ session, style }: Context, ask: PlanAsk): Promise<Output> {
  return session.withEngine(
    async (engine) => {
      const author = await session.author(engine);
      return planOutput(style, await engine.rollbacks.plan({ ...ask, author, revisions: true }));
    },
    { offline: true },
  );
}

/** A blocked plan is shown as well, and then fails. */
export function planOutput(style: Style, plan: RollbackPlan) {
  return {
    value: planValue(plan),
    text: () => planText(style, plan),
    ...(isBlocked(plan) && { error: blockedError(plan) }),
  };
}
