import { type BacktrailError, isFailure } from '../../engine/index.ts';
import { openQueue } from '../../workers/index.ts';
import type { Style } from '../print/style.ts';
import { type Context, type Program, runCommand } from './command.ts';

interface Check {
  readonly name: 'repository' | 'layout' | 'identity' | 'queue';
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string;
}

export function addDoctor(program: Program): void {
  program.root
    .command('doctor')
    .description('what is missing here, and how to mend it')
    .action(async () => {
      await runCommand(program, async (context) => {
        const checks = [...(await checkRepository(context)), await checkQueue(context)];
        if (checks.some(({ status }) => status === 'fail')) program.setExitCode(3);
        return { value: { checks }, text: () => checksText(context.style, checks) };
      });
    });
}

/** Git, the repository, its configuration, and who would be the author: each failure names its own mending. */
async function checkRepository({ session }: Context): Promise<Check[]> {
  try {
    return await session.withEngine(async (engine) => {
      engine.requireWriting();
      const environments = await engine.environments();
      const services = environments.reduce((sum, entry) => sum + entry.services.length, 0);
      const found = `${environments.length} environments, ${services} services`;
      const author = await session.author(engine);
      const known = session.environment.author ?? (await engine.identity());
      return [
        {
          name: 'repository',
          status: 'ok',
          message: `${session.repo} can be read and its configuration is valid.`,
        },
        environments.length > 0
          ? { name: 'layout', status: 'ok', message: `The layout finds ${found}.` }
          : {
              name: 'layout',
              status: 'fail',
              message: 'The layout finds nothing.',
              hint: 'Compare the patterns of `layout` with the tree.',
            },
        known
          ? {
              name: 'identity',
              status: 'ok',
              message: `Rollbacks are asked for by ${author.name} <${author.email}>.`,
            }
          : {
              name: 'identity',
              status: 'warn',
              message: `Git knows no identity, so rollbacks are asked for by ${author.email}.`,
              hint: 'git config --global user.name NAME; git config --global user.email EMAIL.',
            },
      ];
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
    return [failed('repository', error)];
  }
}

async function checkQueue({ session }: Context): Promise<Check> {
  try {
    const queue = await openQueue({ redisUrl: session.environment.redisUrl });
    await queue.close();
    return { name: 'queue', status: 'ok', message: `Redis answers at ${queue.address}.` };
  } catch (error) {
    if (!isFailure(error)) throw error;
    // Without a queue, rollbacks still run in this process.
    return { ...failed('queue', error), status: 'warn' };
  }
}

const failed = (name: Check['name'], { message, hint }: BacktrailError): Check => ({
  name,
  status: 'fail',
  message,
  hint,
});

function checksText(style: Style, checks: readonly Check[]): string {
  const sign = {
    ok: style.paint('green', '✓'),
    warn: style.paint('yellow', '!'),
    fail: style.paint('red', '✖'),
  };
  return checks
    .map(({ name, status, message, hint }) => {
      const line = `${sign[status]} ${name.padEnd(10)} ${style.paint('reset', message)}`;
      return hint === undefined ? line : `${line}\n             ${style.paint('dim', hint)}`;
    })
    .join('\n');
}
