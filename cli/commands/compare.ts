import { formatCoordinates } from '../../engine/index.ts';
import { compareText } from '../print/history.ts';
import { FIELD, type Program, REVISION, runCommand, SCOPE } from './command.ts';

export function addCompare(program: Program): void {
  program.root
    .command('compare')
    .description('difference between two revisions, or between one and the current state')
    .argument('<scope>', SCOPE)
    .argument('<from>', REVISION)
    .argument('[to]', REVISION)
    .option('--field <field...>', FIELD)
    .action((scope: string, from: string, to: string | undefined, { field = [] }: { field?: string[] }) =>
      runCommand(program, async ({ session, style }) => {
        const ask = { scope, from, fields: field, ...(to !== undefined && { to }) };
        const comparison = await session.withEngine((engine) => engine.compare(ask), { offline: true });
        const { scope: found, from: older, to: newer, changes } = comparison;
        const value = {
          scope: formatCoordinates(found),
          from: older.commit,
          fromVersion: older.version,
          to: newer.commit,
          toVersion: newer.version,
          changes,
        };
        return { value, text: () => compareText(style, comparison) };
      }),
    );
}
