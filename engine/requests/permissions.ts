/** Who may do what, as an error where they may not. */
import {
  BacktrailError,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Permission,
  type Person,
  type Policy,
} from '../model/index.ts';
import { hasPermission, mayApprove } from '../policy/policy.ts';

const DEEDS: Readonly<Record<Permission, string>> = {
  read: 'see requests',
  propose: 'ask for a rollback',
  deploy: 'carry out or decide on a rollback',
  'break-glass': 'break the glass',
  admin: 'cancel or close what is somebody else’s',
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

export function requireApprover(
  policy: Policy,
  rule: EnvironmentPolicy | null,
  person: Pick<Person, 'email'>,
  place: EnvironmentName,
): void {
  if (rule !== null && !mayApprove(policy, rule, person, place))
    throw denied(person, 'decide on a rollback', place, 'deploy');
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
