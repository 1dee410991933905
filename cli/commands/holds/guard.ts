import { type Guarded, openEngine } from '../../../engine/index.ts';
import { BacktrailError } from '../../../engine/model/failure.ts';
import { engineOptionsOf } from '../../engine-options.ts';
import { guardText } from '../../print/holds.ts';
import type { Session } from '../../session.ts';
import { readInput } from '../../terminal/input.ts';
import type { Output } from '../../terminal/output.ts';
import { type Context, type Program, runCommand } from '../command.ts';

interface GuardOptions {
  readonly base?: string;
  readonly head?: string;
  readonly preReceive?: boolean;
}

export function addGuard(program: Program): void {
  program.root
    .command('guard')
    .description('find commits that move what is held; ends with 3 where there are any')
    .option('--base <rev>', 'the commit whose holds count (default: before the oldest hold in force)')
    .option('--head <rev>', 'the commit to look at (default: HEAD)')
    .option('--pre-receive', 'in the hook pre-receive: judge a push, from the lines that git writes')
    .addHelpText('after', EXAMPLES)
    .action((options: GuardOptions) => runCommand(program, (context) => guard(context, options)));
}

const EXAMPLES = `
Examples:
  backtrail guard --base origin/main --head HEAD       # a pull request
  exec backtrail guard --pre-receive                   # hooks/pre-receive of a bare repository`;

/** Looks at the repository itself, not at its upstream: what is judged may not be there yet. */
async function guard({ session, style }: Context, options: GuardOptions): Promise<Output> {
  const { base, head, preReceive = false } = options;
  if (preReceive && (base !== undefined || head !== undefined))
    throw new BacktrailError(
      'INVALID_REQUEST',
      '--pre-receive reads what to compare from its standard input.',
    );
  const found = preReceive
    ? await judgePush(session)
    : await session.withEngine((engine) =>
        engine.guard({ ...(base !== undefined && { base }), ...(head !== undefined && { head }) }),
      );
  const { violations, findings } = found;
  return {
    value: { violations, ...(findings.length > 0 && { findings }) },
    text: () => guardText(style, found),
    ...(violations.length > 0 && { exitCode: 3 }),
  };
}

async function judgePush({ environment, repo }: Session): Promise<Guarded> {
  const lines = await readInput();
  const engine = await openEngine({ ...engineOptionsOf(environment), repo, quarantine: true });
  try {
    return await engine.guardPush(lines);
  } finally {
    await engine.close();
  }
}
