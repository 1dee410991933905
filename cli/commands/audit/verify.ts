import type { Command } from 'commander';
import { Option } from 'commander';
import { AUDIT_PROBLEMS, AUDIT_READERS } from '../../../engine/index.ts';
import { verifiedText } from '../../print/verified.ts';
import type { Output } from '../../terminal/output.ts';
import { type Context, type Program, runCommand } from '../command.ts';

interface VerifyOptions {
  readonly reader?: (typeof AUDIT_READERS)[number];
  readonly render?: boolean;
  readonly allowUnverifiable?: boolean;
}

export function addVerify(program: Program, group: Command): void {
  group
    .command('verify')
    .description('make every rollback again from Git alone and compare; ends with 3 where one is not honest')
    .argument(
      '[range-and-scopes...]',
      'FROM..TO, FROM.. or one commit id, then [tenant/]environment[/service] (default: all of the branch)',
    )
    .addOption(
      new Option(
        '--reader <name>',
        'read with git or with isomorphic-git (default: isomorphic-git where the repository is small enough)',
      ).choices(AUDIT_READERS),
    )
    .option('--render', 'render manifests again, too, and compare their bytes')
    .option('--allow-unverifiable', 'end with 0 also where Git cannot say: a shallow clone, a newer engine')
    .addHelpText('after', HELP)
    .action((words: string[], options: VerifyOptions) =>
      runCommand(program, (context) => verify(context, words, options)),
    );
}

const HELP = `
Of each rollback: trailers, base, target, scope, the whole tree, author and dates, approvals in the ledger, manifests. docs/audit.md
lists what is compared, the codes of what is found, and what cannot be seen without a ledger.

Examples:
  backtrail audit verify
  backtrail audit verify v1.4.0.. acme/production
  backtrail audit verify 3f2c9ab --render -o json`;

async function verify({ session, style }: Context, words: string[], options: VerifyOptions): Promise<Output> {
  const { reader, render = false, allowUnverifiable = false } = options;
  const [first, ...rest] = words;
  const isRange = first !== undefined && IS_RANGE.test(first);
  const scopes = isRange ? rest : words;
  const report = await session.withEngine((engine) =>
    engine.audit.verify({
      ...(isRange && { range: first }),
      ...(scopes.length > 0 && { scopes }),
      ...(reader !== undefined && { reader }),
      render,
    }),
  );
  const { tampered, unverifiable, ledger } = report;
  const verdicts = ledger.problems.map(({ code }) => AUDIT_PROBLEMS[code].verdict);
  const isTampered = tampered > 0 || verdicts.includes('tampered');
  const isUntold = unverifiable > 0 || verdicts.includes('unverifiable');
  const isWrong = isTampered || (isUntold && !allowUnverifiable);
  return { value: report, text: () => verifiedText(style, report), ...(isWrong && { exitCode: 3 }) };
}

/** A scope has no dots in a row, and is not the id of a commit. */
const IS_RANGE = /\.\.|^[0-9a-f]{7,64}$/;
