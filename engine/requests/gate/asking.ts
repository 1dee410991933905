/** Who may ask for a rollback of an environment: told before anything is planned. What a plan finds besides is in its gate. */
import type { EnvironmentName, Person, Policy } from '../../model/index.ts';
import type { Permit } from '../../policy/gate.ts';
import { holdersOf, policyFor } from '../../policy/policy.ts';
import { requirePermission } from './permissions.ts';
import { permitOf } from './plan-gate.ts';

export interface AskingFor {
  /** Whether the reader may ask for one, and why not. */
  readonly request: Permit;
  /** Emails of those who may; empty where the policy names nobody: everybody may. */
  readonly askers: readonly string[];
}

const MOST = 50;

/** Where nobody has to agree, it is executed at once: that takes the permission `deploy`. `reader`: absent, nobody's permission is asked. */
export async function askingFor(
  policy: Policy,
  environment: EnvironmentName,
  reader: Person | undefined,
): Promise<AskingFor> {
  const needsApproval = (policyFor(policy, environment)?.quorum ?? 0) > 0;
  const permission = needsApproval ? 'propose' : 'deploy';
  const askers = holdersOf(policy, permission, environment).toSorted().slice(0, MOST);
  const request = await permitOf(() => {
    if (reader === undefined) return;
    requirePermission(policy, reader, 'propose', environment);
    requirePermission(policy, reader, permission, environment);
  });
  return { request, askers };
}
