import { type Ask, blockedError, type Engine, isBlocked, type Planned } from '../../engine/index.ts';
import type { Output } from '../output.ts';
import { planText, planValue } from '../print/plan.ts';
import type { Style } from '../print/style.ts';
import { FIELD, type Program, REVISION, runCommand, SCOPE, WHOLE_FILE } from './command.ts';

export interface PlanOptions {
  readonly to?: string;
  readonly field?: string[];
  readonly allowRemoval?: boolean;
  readonly wholeFile?: boolean;
}

export function addPlan(program: Program): void {
  program.root
    .command('plan')
    .description('what a rollback would change; written nowhere')
    .argument('<scope>', SCOPE)
    .option('--to <revision>', `${REVISION} (default: previous)`)
    .option('--field <field...>', FIELD)
    .option('--whole-file', WHOLE_FILE)
    .option('--allow-removal', 'remove what did not exist at the target')
    .action((scope: string, options: PlanOptions) =>
      runCommand(program, ({ session, style }) =>
        session.withEngine((engine) => previewPlan(engine, style, toAsk(scope, options)), { offline: true }),
      ),
    );
}

export function toAsk(scope: string, { to, field, allowRemoval, wholeFile }: PlanOptions): Ask {
  return {
    scope,
    ...(to !== undefined && { to }),
    fields: field ?? [],
    allowRemoval: allowRemoval ?? false,
    wholeFile: wholeFile ?? false,
  };
}

export async function previewPlan(engine: Engine, style: Style, ask: Ask): Promise<Output> {
  return planOutput(style, await engine.plan(ask));
}

/** A blocked plan is shown as well, and then fails. */
function planOutput(style: Style, planned: Planned): Output {
  return {
    value: planValue(planned),
    text: () => planText(style, planned),
    ...(isBlocked(planned.plan) && { error: blockedError(planned.plan) }),
  };
}
