import { environmentsText } from '../print/history.ts';
import { printFindings } from '../print/plan.ts';
import { type Program, runCommand } from './command.ts';

export function addEnvironments(program: Program): void {
  program.root
    .command('environments')
    .description('list the tenants, environments and services that the layout finds')
    .action(() =>
      runCommand(program, async ({ session, style }) => {
        const { environments, findings } = await session.withEngine((engine) => engine.survey(), {
          offline: true,
        });
        return {
          value: { environments, ...(findings.length > 0 && { findings }) },
          text: () =>
            [environmentsText(style, environments), ...printFindings(style, findings)].join('\n').trimEnd(),
        };
      }),
    );
}
