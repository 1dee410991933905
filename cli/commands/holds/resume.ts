import { duration } from '../../start/parsers.ts';
import { FIELD, OVERRIDE, type Program, runCommand, SCOPE, SIGN } from '../command.ts';
import { toAsk } from '../plan.ts';
import { REQUEST_ID, type RollbackOptions, runAsked, WAIT } from '../rollback.ts';

export function addResume(program: Program): void {
  program.root
    .command('resume')
    .description('lift holds, and give back to automation what they took away')
    .argument('<scope>', SCOPE)
    .option('--field <field...>', FIELD)
    .option('--override <code...>', OVERRIDE)
    .option('--reason <text>', 'why; becomes part of the record')
    .option('--sign', SIGN)
    .option('--dry-run', 'show the plan and stop')
    .option('--yes', 'do not ask; needs --reason')
    .option('--request-id <key>', REQUEST_ID)
    .option('--queue', 'let a worker execute it, and follow it')
    .option('--wait <duration>', WAIT, duration)
    .option('--no-wait', 'with --queue: do not follow it')
    .addHelpText('after', EXAMPLES)
    .action((scope: string, options: RollbackOptions) => {
      const { field, override } = options;
      const named = { ...(field && { field }), ...(override && { override }) };
      return runCommand(
        program,
        (context) => runAsked(context, { ...toAsk(scope, named), resume: true }, options),
        options,
      );
    });
}

const EXAMPLES = `
Examples:
  backtrail resume acme/production/api-gateway
  backtrail resume acme/production/api-gateway --field image --reason "v2.1.1 is fixed" --yes`;
