import { holdsText } from '../../print/holds.ts';
import { type Program, runCommand, SCOPE } from '../command.ts';

export function addHolds(program: Program): void {
  program.root
    .command('holds')
    .description('list what automation must not move, and whether it did')
    .argument('[scope]', SCOPE)
    .action((scope: string | undefined) =>
      runCommand(program, async ({ session, style }) => {
        const ask = scope === undefined ? {} : { scope };
        const { holds, findings } = await session.withEngine((engine) => engine.holds(ask), {
          offline: true,
        });
        return {
          value: { holds, ...(findings.length > 0 && { findings }) },
          text: () => holdsText(style, { holds, findings }),
        };
      }),
    );
}
