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
  deploy: 'execute or decide on a rollback',
  'break-glass': 'break the glass',
  admin: 'cancel or close what is another person’s',
};

/** PERMISSION_DENIED. */
export function requirePermission(
  policy: Policy,
  person: Pick<Person, 'email'>,
  permission: Permission,
  place: EnvironmentName,
): void {
  if (!hasPermission(policy, person, permission, place))
    throw denied(person, DEEDS[permission], place, permission);
}

/**
 * That this person may vote on a request of `author`: one vote may count for several environments, and need not for all.
 *
 * @throws OWN_REQUEST, PERMISSION_DENIED
 */
export function requireVoter(
  policy: Policy,
  owners: readonly {
    readonly place: EnvironmentName;
    readonly rule: EnvironmentPolicy | null;
  }[],
  { author, actor }: { readonly author: Person; readonly actor: Person },
): void {
  const ruled = owners.flatMap(({ place, rule }) => (rule === null ? [] : [{ place, rule }]));
  const isOwn = samePerson(author.email, actor.email);
  if (isOwn && !(ruled.length > 0 && ruled.every(({ rule }) => rule.selfApproval)))
    throw new BacktrailError('OWN_REQUEST', 'cannot approve/reject your own rollback request');
  const votes = ruled.filter(
    ({ place, rule }) =>
      hasPermission(policy, actor, 'deploy', place) && mayApprove(policy, rule, actor, place),
  );
  if (votes.length > 0) return;
  for (const owner of owners) requirePermission(policy, actor, 'deploy', owner.place);
  for (const owner of ruled) requireApprover(policy, owner.rule, actor, owner.place);
}

function requireApprover(
  policy: Policy,
  rule: EnvironmentPolicy,
  person: Pick<Person, 'email'>,
  place: EnvironmentName,
): void {
  if (!mayApprove(policy, rule, person, place)) throw denied(person, 'decide on a rollback', place, 'deploy');
}

function denied(
  { email }: Pick<Person, 'email'>,
  deed: string,
  place: EnvironmentName,
  permission: Permission,
): BacktrailError {
  const scope = formatCoordinates(place);
  return new BacktrailError('PERMISSION_DENIED', `${email} may not ${deed} in ${scope}.`, {
    details: { permission, scope, email },
  });
}
