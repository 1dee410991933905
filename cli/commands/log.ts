import { logText } from '../print/history.ts';
import { positive, type Program, runCommand, SCOPE } from './command.ts';

export function addLog(program: Program): void {
  program.root
    .command('log')
    .description('list the rollbacks in the Git log, from their trailers')
    .argument('[scope]', SCOPE)
    .option('--limit <n>', 'show the newest N', positive, 50)
    .action((scope: string | undefined, { limit }: { limit: number }) =>
      runCommand(program, async ({ session, style }) => {
        const ask = { limit, ...(scope !== undefined && { scope }) };
        const rollbacks = await session.withEngine((engine) => engine.log(ask), { offline: true });
        return { value: { rollbacks }, text: () => logText(style, rollbacks) };
      }),
    );
}
