import { logText, recurringText } from '../print/history.ts';
import { positive, type Program, runCommand, SCOPE } from './command.ts';

interface Options {
  readonly limit: number;
  readonly after?: string;
  readonly recurring?: boolean;
}

export function addLog(program: Program): void {
  program.root
    .command('log')
    .description(
      'list rollbacks and resumes in the Git log, from their trailers; the newest are made again, and what was tampered with is marked',
    )
    .argument('[scope]', SCOPE)
    .option('--limit <n>', 'show the newest N', positive, 50)
    .option('--after <place>', 'only what comes after the page of which this is `next`')
    .option('--recurring', 'only scopes that went back to one revision again and again, with those rollbacks')
    .action((scope: string | undefined, { limit, after, recurring = false }: Options) =>
      runCommand(program, async ({ session, style }) => {
        const ask = { limit, ...(scope !== undefined && { scope }) };
        if (recurring) {
          const found = await session.withEngine((engine) => engine.recurring(ask), { offline: true });
          return { value: { recurring: found }, text: () => recurringText(style, found) };
        }
        const page = { ...ask, ...(after !== undefined && { after }), judged: true };
        const found = await session.withEngine((engine) => engine.recorded(page), { offline: true });
        const { rollbacks, resumes, unlisted, unjudged, next } = found;
        const value = {
          rollbacks,
          ...(resumes.length > 0 && { resumes }),
          ...(unlisted.length > 0 && { unlisted }),
          ...(unjudged && { unjudged }),
          ...(next !== null && { next }),
        };
        return { value, text: () => logText(style, found) };
      }),
    );
}
