import type { DriftObject } from '../../../engine/index.ts';
import { driftText } from '../../print/live/drift.ts';
import { type Program, runCommand, SCOPE } from '../command.ts';

export function addDrift(program: Program): void {
  program.root
    .command('drift')
    .description('compare clusters with what was delivered; ends with 3 where anything differs')
    .argument('<scope>', SCOPE)
    .addHelpText('after', HELP)
    .action((scope: string) =>
      runCommand(program, async ({ session, style }) => {
        const drift = await session.withEngine(async (engine) =>
          engine.live.drift({ scope, reader: await session.author(engine) }),
        );
        return {
          value: drift,
          text: () => driftText(style, drift),
          ...(drift.objects.some(isDrift) && { exitCode: 3 }),
        };
      }),
    );
}

const HELP = `
Only declared fields are compared: what a cluster adds is no drift. Fields of \`drift.ignore\`, of Argo CD's ignoreDifferences, and replicas that
a HorizontalPodAutoscaler sets may differ. Secrets are never read; what could not be asked for is \`unchecked\`, which is no drift.

Examples:
  backtrail drift acme/production/api-gateway
  backtrail drift acme/production -o json`;

const isDrift = ({ state }: DriftObject) => state !== 'same' && state !== 'unchecked';
