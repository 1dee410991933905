import {
  type Ask,
  BacktrailError,
  blockedError,
  type Engine,
  isBlocked,
  isFailure,
  type Planned,
} from '../../engine/index.ts';
import type { Output } from '../terminal/output.ts';
import { planText, planValue } from '../print/plan.ts';
import type { Style } from '../print/style.ts';
import { askGate, type Gated, withFindings } from '../propose.ts';
import type { Session } from '../session.ts';
import { type Context, FIELD, type Program, REVISION, runCommand, SCOPE, WHOLE_FILE } from './command.ts';

export interface PlanOptions {
  readonly to?: string;
  readonly field?: string[];
  readonly allowRemoval?: boolean;
  readonly wholeFile?: boolean;
}

export function addPlan(program: Program): void {
  program.root
    .command('plan')
    .description('show what a rollback would change; writes nothing')
    .argument('<scope>', SCOPE)
    .option('--to <revision>', `${REVISION} (default: previous)`)
    .option('--field <field...>', FIELD)
    .option('--whole-file', WHOLE_FILE)
    .option('--allow-removal', 'remove what did not exist at the target')
    .action((scope: string, options: PlanOptions) =>
      runCommand(program, (context) => previewPlan(context, toAsk(scope, options))),
    );
}

/** TARGET_REQUIRED, FIELDS_REQUIRED: an option whose value is missing, as an unset variable of a script leaves it. */
export function toAsk(scope: string, { to, field, allowRemoval, wholeFile }: PlanOptions): Ask {
  if (to?.trim() === '') throw new BacktrailError('TARGET_REQUIRED', 'targetSha is required');
  if (field?.some((name) => name.trim() === '') === true)
    throw new BacktrailError('FIELDS_REQUIRED', 'selected fields cannot be empty for field mode');
  return {
    scope,
    ...(to !== undefined && { to }),
    fields: field ?? [],
    allowRemoval: allowRemoval ?? false,
    wholeFile: wholeFile ?? false,
  };
}

/** With what the gate says. */
export function previewPlan({ session, style }: Context, ask: Ask): Promise<Output> {
  return session.withEngine(
    async (engine) => {
      const { planned, gate } = await gated(session, engine, await engine.plan(ask));
      const approval = gate?.needsApproval && gate.session === null ? { approval: gate.approval } : {};
      const { value, ...output } = planOutput(style, planned);
      return { ...output, value: { ...value, ...approval } };
    },
    { offline: true },
  );
}

/** A plan is shown also to those who may not carry it out, and where the ledger cannot be asked. */
async function gated(session: Session, engine: Engine, planned: Planned): Promise<Gated> {
  try {
    return await askGate(engine, planned, await session.author(engine));
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { code, message, hint } = error;
    // Without git a repository is only read, and that is said by what writes.
    if (code === 'GIT_MISSING') return { planned, gate: null };
    const finding = { code, severity: 'warn', message: `It could not go ahead: ${message}`, hint } as const;
    return { planned: withFindings(planned, [finding]), gate: null };
  }
}

/** A blocked plan is shown as well, and then fails. */
export function planOutput(style: Style, planned: Planned) {
  return {
    value: planValue(planned),
    text: () => planText(style, planned),
    ...(isBlocked(planned.plan) && { error: blockedError(planned.plan) }),
  };
}
