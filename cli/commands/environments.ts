import { environmentsText } from '../print/history.ts';
import { type Program, runCommand } from './command.ts';

export function addEnvironments(program: Program): void {
  program.root
    .command('environments')
    .description('what the layout finds: tenants, environments, services')
    .action(() =>
      runCommand(program, async ({ session, style }) => {
        const environments = await session.withEngine((engine) => engine.environments(), { offline: true });
        return { value: { environments }, text: () => environmentsText(style, environments) };
      }),
    );
}
