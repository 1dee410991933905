import { formatCoordinates } from '../../engine/index.ts';
import { historyText } from '../print/history.ts';
import { FIELD, positive, type Program, runCommand, SCOPE } from './command.ts';

export function addHistory(program: Program): void {
  program.root
    .command('history')
    .description('list the revisions of a scope, newest first')
    .argument('<scope>', SCOPE)
    .option('--limit <n>', 'show the newest N', positive, 20)
    .option('--field <field...>', FIELD)
    .action((scope: string, { limit, field = [] }: { limit: number; field?: string[] }) =>
      runCommand(program, async ({ session, style }) => {
        const history = await session.withEngine(
          (engine) => engine.history({ scope, fields: field, limit }),
          { offline: true },
        );
        const value = {
          scope: formatCoordinates(history.scope),
          ...(history.scope.fields && { fields: history.scope.fields }),
          total: history.total,
          revisions: history.revisions,
          ...(history.findings.length > 0 && { findings: history.findings }),
        };
        return { value, text: () => historyText(style, history) };
      }),
    );
}
