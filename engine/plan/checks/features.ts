import {
  type EnvironmentName,
  type Finding,
  formatCoordinates,
  type Policy,
  type Scope,
} from '../../model/index.ts';
import { featuresOf, forbiddenBy } from '../../policy/features.ts';

/** MODE_FORBIDDEN: `features` of an environment that the rollback changes has this mode switched off. */
export function checkFeatures(
  policy: Policy,
  owners: readonly EnvironmentName[],
  { mode }: Pick<Scope, 'mode'>,
): Finding[] {
  return owners.flatMap((owner) => {
    const feature = forbiddenBy(featuresOf(policy, owner), mode);
    if (feature === null) return [];
    return [
      {
        code: 'MODE_FORBIDDEN' as const,
        severity: 'block' as const,
        message: `Rollbacks ${MODES[mode]} are switched off for ${formatCoordinates(owner)} (feature ${feature}).`,
        hint: `Whoever may change .backtrail/config.yaml on the branch can switch \`features.${feature}\` on.`,
      },
    ];
  });
}

const MODES: Readonly<Record<Scope['mode'], string>> = {
  full: 'of a whole environment',
  service: 'of a service',
  field: 'of single fields',
};
