import type { LiveState } from '../../../engine/index.ts';
import { statusText } from '../../print/live/status.ts';
import { duration } from '../../start/parsers.ts';
import type { Output } from '../../terminal/output.ts';
import { type Context, type Program, runCommand, SCOPE } from '../command.ts';
import { followLive } from './follow.ts';
import { livePrinter } from './printer.ts';

interface StatusOptions {
  /** Milliseconds. */
  readonly wait?: number;
}

export function addStatus(program: Program): void {
  program.root
    .command('status')
    .description('ask clusters whether a scope is live')
    .argument('<scope>', SCOPE)
    .option('--wait <duration>', WAIT, duration)
    .addHelpText('after', HELP)
    .action((scope: string, options: StatusOptions) =>
      runCommand(program, (context) => status(context, scope, options)),
    );
}

const WAIT = 'look again until it is live, overtaken or stays degraded, at most this long: 90s, 10m or 2h';

const HELP = `
The entries of \`live\` in the configuration say who is asked; how each cluster is reached stands in the file that BACKTRAIL_CLUSTERS names.
Ends with 0 where it is live or overtaken, 3 degraded, 5 pending or progressing, 6 unconfirmed.

Examples:
  backtrail status acme/production/api-gateway
  backtrail status acme/production --wait 10m -o json`;

/** Of the states; nobody to be asked is an error before it comes to this. */
const EXITS: Readonly<Record<LiveState, number>> = {
  live: 0,
  overtaken: 0,
  degraded: 3,
  pending: 5,
  progressing: 5,
  unconfirmed: 6,
};

async function status({ session, style }: Context, scope: string, { wait }: StatusOptions): Promise<Output> {
  const seen = await session.withEngine(async (engine) => {
    const reader = await session.author(engine);
    const look = () => engine.live.status({ scope, reader });
    if (wait === undefined) return look();
    const printer = livePrinter(session);
    try {
      return await followLive({ look, waitMs: wait, clock: session.environment.clock, onLook: printer.show });
    } finally {
      printer.end();
    }
  });
  return { value: seen, text: () => statusText(style, seen), exitCode: EXITS[seen.state] };
}
