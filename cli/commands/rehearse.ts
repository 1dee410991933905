/** `rehearse`: everything of a rollback but the publishing, for one environment after the other. */
import {
  BacktrailError,
  type Engine,
  formatCoordinates,
  isFailure,
  type Person,
} from '../../engine/index.ts';
import { printProgress } from '../terminal/output.ts';
import { exitCodeOf, type Rehearsal, rehearsalText, rehearsalValue } from '../print/rehearsal.ts';
import { type Program, REVISION, runCommand } from './command.ts';

interface RehearseOptions {
  readonly all?: boolean;
  readonly to?: string;
}

export function addRehearse(program: Program): void {
  program.root
    .command('rehearse')
    .description('try whether rollbacks would go through today; publishes nothing')
    .argument('[scope...]', 'scopes to try, for example acme/production acme/production/api-gateway')
    .option('--all', 'every environment')
    .option('--to <revision>', `${REVISION} (default: previous)`)
    .addHelpText('after', HELP)
    .action((scopes: string[], options: RehearseOptions) =>
      runCommand(program, async ({ session, style }) => {
        if (scopes.length > 0 === (options.all ?? false))
          throw new BacktrailError('INVALID_REQUEST', 'Name scopes, or all of them with --all.');
        const rehearsals = await session.withEngine(async (engine) => {
          const author = await session.author(engine);
          const named = options.all
            ? (await engine.environments()).map((each) => formatCoordinates(each))
            : scopes;
          const found: Rehearsal[] = [];
          for (const [at, scope] of named.entries()) {
            if (session.format === 'text' && named.length > 1)
              printProgress(`${at + 1} of ${named.length}: ${scope}`);
            found.push(await rehearse(engine, { scope, author, to: options.to ?? 'previous' }));
          }
          return found;
        });
        const exitCode = exitCodeOf(rehearsals);
        return {
          value: rehearsalValue(rehearsals),
          text: () => rehearsalText(style, rehearsals),
          ...(exitCode !== 0 && { exitCode }),
        };
      }),
    );
}

const HELP = `
Plans the rollback of each scope to its previous eligible revision as if it were wanted now: checks, rendered manifests, images in
their registries, who could approve it, and by a dry run whether this identity may push. It leaves nothing behind: no commit, no
request, no event. Made for a job that runs every night.
Exit code 0: all would go through; 3: one would be blocked.`;

async function rehearse(
  engine: Engine,
  ask: { readonly scope: string; readonly author: Person; readonly to: string },
): Promise<Rehearsal> {
  const start = performance.now();
  const took = () => Math.round(performance.now() - start);
  try {
    const plan = await engine.rollbacks.plan({ ...ask, pushTest: 'here' });
    return { scope: ask.scope, plan, ms: took() };
  } catch (error) {
    if (!isFailure(error) || error.code === 'REMOTE_UNAVAILABLE') throw error;
    return { scope: ask.scope, error, ms: took() };
  }
}
