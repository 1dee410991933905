/** Who may do what, as an error where they may not. */
import {
  BacktrailError,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Permission,
  type Person,
  type Policy,
} from '../../model/index.ts';
import { hasPermission, mayApprove, samePerson } from '../../policy/policy.ts';

const DEEDS: Readonly<Record<Permission, string>> = {
  read: 'see requests',
  propose: 'ask for a rollback',
  record: 'record a deployment',
  deploy: 'execute or decide on a rollback',
  'break-glass': 'break the glass',
  admin: 'cancel or close what is another person’s',
};

/** PERMISSION_DENIED. */
export function requirePermission(
  policy: Policy,
  person: Pick<Person, 'email'>,
  permission: Permission,
  environment: EnvironmentName,
): void {
  if (!hasPermission(policy, person, permission, environment))
    throw denied(person, DEEDS[permission], environment, permission);
}

/** That this person may override checks; whoever may decide on a rollback may. @throws PERMISSION_DENIED */
export function requireOverrider(
  policy: Policy,
  person: Pick<Person, 'email'>,
  {
    overrides = [],
    environment,
  }: { readonly overrides?: readonly string[]; readonly environment: EnvironmentName },
): void {
  if (overrides.length === 0 || hasPermission(policy, person, 'deploy', environment)) return;
  throw denied(person, `override ${overrides.join(', ')}`, environment, 'deploy');
}

/**
 * That this person may vote on a request of `author`: one vote may count for several environments, and need not for all.
 *
 * @throws OWN_REQUEST, PERMISSION_DENIED
 */
export function requireVoter(
  policy: Policy,
  owners: readonly {
    readonly environment: EnvironmentName;
    readonly rule: EnvironmentPolicy | null;
  }[],
  { author, actor }: { readonly author: Person; readonly actor: Person },
): void {
  const ruled = owners.flatMap(({ environment, rule }) => (rule === null ? [] : [{ environment, rule }]));
  const isOwn = samePerson(author.email, actor.email);
  if (isOwn && !(ruled.length > 0 && ruled.every(({ rule }) => rule.selfApproval)))
    throw new BacktrailError('OWN_REQUEST', 'cannot approve/reject your own rollback request');
  const votes = ruled.filter(
    ({ environment, rule }) =>
      hasPermission(policy, actor, 'deploy', environment) && mayApprove(policy, rule, actor, environment),
  );
  if (votes.length > 0) return;
  for (const owner of owners) requirePermission(policy, actor, 'deploy', owner.environment);
  for (const owner of ruled) requireApprover(policy, owner.rule, actor, owner.environment);
}

function requireApprover(
  policy: Policy,
  rule: EnvironmentPolicy,
  person: Pick<Person, 'email'>,
  environment: EnvironmentName,
): void {
  if (!mayApprove(policy, rule, person, environment))
    throw denied(person, 'decide on a rollback', environment, 'deploy');
}

function denied(
  { email }: Pick<Person, 'email'>,
  deed: string,
  environment: EnvironmentName,
  permission: Permission,
): BacktrailError {
  const scope = formatCoordinates(environment);
  return new BacktrailError('PERMISSION_DENIED', `${email} may not ${deed} in ${scope}.`, {
    details: { permission, scope, email },
  });
}
