import { foundIn } from '../../engine/index.ts';
import { auditText } from '../print/audit.ts';
import { addExport } from './audit/export.ts';
import { addVerify } from './audit/verify.ts';
import { requireSince } from '../time.ts';
import { positive, type Program, runCommand, SCOPE } from './command.ts';

interface LogOptions {
  readonly since?: string;
  readonly actor?: string;
  readonly limit: number;
}

export function addAudit(program: Program): void {
  const group = program.root
    .command('audit')
    .description(
      'the ledger: who requested what, who approved, and the result; whether the branch bears it out; and all of it for an auditor',
    );
  addVerify(program, group);
  addExport(program, group);
  group
    .command('log')
    .description('events of requests and break-glass sessions, newest first')
    .argument('[scope]', SCOPE)
    .option('--since <time>', '2h, 7d, 2026-11-20 or 2026-11-20T10:00Z')
    .option('--actor <email>', 'only what this person did')
    .option('--limit <n>', 'show the newest N', positive, 50)
    .addHelpText('after', HELP)
    .action((scope: string | undefined, { since, actor, limit }: LogOptions) =>
      runCommand(program, async ({ session, style }) => {
        const from =
          since === undefined ? {} : { since: requireSince(since, session.environment.clock.now()) };
        const events = await session.withEngine(
          async (engine) => {
            const found = await engine.requests.audit({
              ...(scope !== undefined && { scope }),
              ...(actor !== undefined && { actor }),
              ...from,
              limit,
              reader: await session.author(engine),
            });
            return foundIn(engine, scope, found);
          },
          { offline: true },
        );
        return { value: { events }, text: () => auditText(style, events) };
      }),
    );
}

const HELP = `
\`(unverified)\` follows a name that is not confirmed by a key trusted here. Without Backtrail: git log refs/backtrail/ledger

Examples:
  backtrail audit log acme/production --since 7d
  backtrail audit log --actor jane@example.com -o json`;
