import { formatCoordinates, type Scope } from '../../model/index.ts';
import { featuresOf, forbiddenBy } from '../../policy/features.ts';
import type { CheckInput, RawFinding } from '../check-input.ts';

/** MODE_FORBIDDEN: `features` of an environment that the rollback changes has this mode switched off. */
export function checkFeatures({ plan, snapshot }: Pick<CheckInput, 'plan' | 'snapshot'>): RawFinding[] {
  const { mode } = plan.scope;
  return plan.owners.flatMap((owner): RawFinding[] => {
    const feature = forbiddenBy(featuresOf(snapshot.layout.config.policy, owner), mode);
    if (feature === null) return [];
    return [
      {
        code: 'MODE_FORBIDDEN',
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
