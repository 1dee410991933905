import { logText, recurringText } from '../print/history.ts';
import { positive, type Program, runCommand, SCOPE } from './command.ts';

export function addLog(program: Program): void {
  program.root
    .command('log')
    .description(
      'list rollbacks and resumes in the Git log, from their trailers; the newest are made again, and what was tampered with is marked',
    )
    .argument('[scope]', SCOPE)
    .option('--limit <n>', 'show the newest N', positive, 50)
    .option('--recurring', 'only scopes that went back to one revision again and again, with those rollbacks')
    .action(
      (scope: string | undefined, { limit, recurring = false }: { limit: number; recurring?: boolean }) =>
        runCommand(program, async ({ session, style }) => {
          const ask = { limit, ...(scope !== undefined && { scope }) };
          if (recurring) {
            const found = await session.withEngine((engine) => engine.recurring(ask), { offline: true });
            return { value: { recurring: found }, text: () => recurringText(style, found) };
          }
          const found = await session.withEngine((engine) => engine.recorded({ ...ask, judged: true }), {
            offline: true,
          });
          const { rollbacks, resumes, unlisted, unjudged } = found;
          const value = {
            rollbacks,
            ...(resumes.length > 0 && { resumes }),
            ...(unlisted.length > 0 && { unlisted }),
            ...(unjudged && { unjudged }),
          };
          return { value, text: () => logText(style, found) };
        }),
    );
}
