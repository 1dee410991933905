import { type Check, checkup } from '../../engine/index.ts';
import { checkQueue, withoutLogin } from '../../workers/index.ts';
import { progressLine } from '../terminal/progress.ts';
import type { Style } from '../print/style.ts';
import { beside } from '../print/table.ts';
import { stoppable } from '../terminal/interrupt.ts';
import { type Program, runCommand } from './command.ts';

export function addDoctor(program: Program): void {
  program.root
    .command('doctor')
    .description('check this machine and the repository, and say how to fix what is missing')
    .addHelpText('after', '\nIt changes nothing. The exit code is 3 where something blocks.')
    .action(async () => {
      await runCommand(program, async ({ session, style }) => {
        const { repo, config, environment } = session;
        const line = session.format === 'text' && environment.progress;
        const stop = new AbortController();
        const { signal } = stop;
        const look = () =>
          checkup({
            repo,
            ...(config && { config }),
            ...environment,
            renderCommands: session.renderCommands,
            signal,
            onProgress: line ? progressLine(process.stderr, () => environment.clock.now()) : undefined,
          });
        const { location, checks: found } = await stoppable(look, () => Promise.resolve(stop.abort()));
        const named = location === null ? null : withoutLogin(location);
        const queue = await checkQueue({ redisUrl: environment.redisUrl, repo: named });
        const checks = [...found, ...queue];
        if (checks.some(({ status }) => status === 'fail')) program.setExitCode(3);
        return { value: { checks }, text: () => checksText(style, checks) };
      });
    });
}

const AREAS = {
  machine: 'This machine',
  repository: 'Repository',
  configuration: 'Configuration',
  publishing: 'Publishing',
  queue: 'Queue',
} satisfies Record<Check['area'], string>;

function checksText(style: Style, checks: readonly Check[]): string {
  const sign = {
    ok: style.paint('green', '✓'),
    warn: style.paint('yellow', '!'),
    fail: style.paint('red', '✖'),
  };
  const width = Math.max(...checks.map(({ name }) => name.length));
  const line = ({ name, status, message, hint }: Check) => {
    const label = `  ${sign[status]} ${name.padEnd(width)}`;
    const said = beside(style, label, style.paint('reset', message));
    return hint === undefined
      ? said
      : `${said}\n${beside(style, ' '.repeat(width + 4), style.paint('dim', hint))}`;
  };
  const areas = Object.entries(AREAS).flatMap(([area, title]) => {
    const own = checks.filter((check) => check.area === area);
    return own.length === 0 ? [] : [[style.paint('bold', title), ...own.map(line)].join('\n')];
  });
  const number = (wanted: Check['status']) => checks.filter(({ status }) => status === wanted).length;
  const total = `${checks.length} checks: ${number('ok')} ok, ${number('warn')} to look at, ${number('fail')} blocking`;
  return [...areas, style.paint('bold', total)].join('\n\n');
}
