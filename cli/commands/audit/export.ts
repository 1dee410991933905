import type { Command } from 'commander';
import { Option } from 'commander';
import { AUDIT_READERS } from '../../../engine/index.ts';
import { changesCsv } from '../../print/changes-csv.ts';
import type { Output } from '../../terminal/output.ts';
import { writeNew } from '../../write-new.ts';
import { type Context, type Program, runCommand, SCOPE } from '../command.ts';

const FORMATS = ['json', 'csv'] as const;

interface ExportOptions {
  readonly from: string;
  readonly to: string;
  readonly format: (typeof FORMATS)[number];
  readonly script?: string;
  readonly reader?: (typeof AUDIT_READERS)[number];
}

export function addExport(program: Program, group: Command): void {
  group
    .command('export')
    .description(
      'every change of a period for an auditor: who asked, approved and executed, by which key and policy, and a script that proves it',
    )
    .argument('[scopes...]', `${SCOPE} (default: all)`)
    .requiredOption('--from <day>', 'the first day, in UTC; or a time, 2026-11-20T10:00Z')
    .requiredOption(
      '--to <day>',
      'the last day, all of which belongs to it; or a time, from which on nothing belongs to it',
    )
    .addOption(
      new Option('--format <format>', 'one document with everything, or a row a change')
        .choices(FORMATS)
        .default('json'),
    )
    .option('--script <file>', 'also write the script that verifies it to a new file: sh FILE CLONE')
    .addOption(
      new Option('--reader <name>', 'read with git or with isomorphic-git, as `audit verify` does').choices(
        AUDIT_READERS,
      ),
    )
    .addHelpText('after', HELP)
    .action((scopes: string[], options: ExportOptions) =>
      runCommand(program, (context) => exported(context, scopes, options)),
    );
}

const HELP = `
The JSON, what the table leaves out, and what the script checks stand in docs/audit.md. The script needs git, ssh-keygen and a clone with
the ledger, and nothing of Backtrail. With -o yaml the document is YAML.

Examples:
  backtrail audit export --from 2026-10-01 --to 2026-12-31 --script verify.sh > 2026-q4.json
  backtrail audit export acme/production --from 2026-11-01 --to 2026-11-30 --format csv > november.csv
  backtrail audit export --from 2026-11-20T10:00Z --to 2026-11-20T18:00Z`;

async function exported(
  { session }: Context,
  scopes: string[],
  { from, to, format, script, reader }: ExportOptions,
): Promise<Output> {
  const report = await session.withEngine((engine) =>
    engine.audit.export({
      from,
      to,
      ...(scopes.length > 0 && { scopes }),
      ...(reader !== undefined && { reader }),
    }),
  );
  if (script !== undefined) await writeNew(script, report.script);
  const document = session.format === 'text' ? 'json' : session.format;
  return { value: report, text: () => changesCsv(report), format: format === 'csv' ? 'text' : document };
}
