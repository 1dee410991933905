import { formatCoordinates } from '../../engine/index.ts';
import { showText } from '../print/history.ts';
import { FIELD, type Program, REVISION, runCommand, SCOPE } from './command.ts';

export function addShow(program: Program): void {
  program.root
    .command('show')
    .description('the exact content at a revision; values of secrets are masked')
    .argument('<scope>', SCOPE)
    .argument('<revision>', REVISION)
    .option('--field <field...>', FIELD)
    .action((scope: string, revision: string, { field = [] }: { field?: string[] }) =>
      runCommand(program, async ({ session, style }) => {
        const shown = await session.withEngine((engine) => engine.show({ scope, revision, fields: field }), {
          offline: true,
        });
        const value = {
          scope: formatCoordinates(shown.scope),
          commit: shown.revision.commit,
          version: shown.revision.version,
          files: shown.files,
        };
        return { value, text: () => showText(style, shown) };
      }),
    );
}
