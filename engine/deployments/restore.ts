/** Whether a deployment can be returned to, by what counts of its record. */
import { BacktrailError, type Person } from '../model/index.ts';
import { requirePermission } from '../requests/gate/permissions.ts';
import type { Rules } from '../requests/context.ts';
import type { JudgedDeployment } from './counted.ts';
import type { Restorable } from './types.ts';
import { viewOf } from './view.ts';

interface Restoring {
  readonly judged: JudgedDeployment | undefined;
  /** As it was named. */
  readonly id: string;
  readonly rules: Pick<Rules, 'policy' | 'knowsKeys'>;
  readonly reader: Person;
  /** Failures that were rolled back were never deployed. */
  readonly orRolledBack: boolean;
}

/** @throws DEPLOYMENT_UNKNOWN, DEPLOYMENT_STATUS, PERMISSION_DENIED */
export function restorable({ judged, id, rules, reader, orRolledBack }: Restoring): Restorable {
  if (judged !== undefined) requirePermission(rules.policy, reader, 'read', judged.state);
  const counted = rules.knowsKeys ? judged?.counted : judged?.state;
  if (judged === undefined || !counted)
    throw new BacktrailError(
      'DEPLOYMENT_UNKNOWN',
      `There is no record ${JSON.stringify(id.slice(0, 60))} that counts.`,
    );
  const deployment = viewOf({ ...judged, state: counted });
  const { scope, version, commit, status, times } = deployment;
  const wasDeployed = status === 'rolled_back' && times.deployed !== undefined && times.failed === undefined;
  if (status !== 'deployed' && !(orRolledBack && wasDeployed))
    throw new BacktrailError(
      'DEPLOYMENT_STATUS',
      `${deployment.id} is ${status}: only what is deployed${orRolledBack ? ', or was and was rolled back,' : ''} is restored.`,
      {
        hint: 'Choose a record that is deployed: `backtrail deployment list --status deployed`.',
        details: { id: deployment.id, status },
      },
    );
  const revision = version === null ? commit.slice(0, 10) : `v${version}`;
  return { deployment, reason: `Restore deployment ${deployment.id} (${revision}) of ${scope}` };
}
