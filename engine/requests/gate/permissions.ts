/** Who may do what, as an error where they may not. */
import {
  type Actor,
  BacktrailError,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Permission,
  type Person,
  type Policy,
} from '../../model/index.ts';
import { hasPermission, type Holder, leaves, mayApprove, samePerson } from '../../policy/policy.ts';

const DEEDS: Readonly<Record<Permission, string>> = {
  read: 'see what there is',
  propose: 'ask for a rollback',
  record: 'record a deployment',
  deploy: 'execute or decide on a rollback',
  'break-glass': 'break the glass',
  admin: 'cancel or close what is another person’s',
};

/** PERMISSION_DENIED. */
export function requirePermission(
  policy: Policy,
  person: Holder,
  permission: Permission,
  environment: EnvironmentName,
): void {
  if (!hasPermission(policy, person, permission, environment))
    throw denied(policy, person, DEEDS[permission], environment, permission);
}

/** That this person may override checks; whoever may decide on a rollback may. @throws PERMISSION_DENIED */
export function requireOverrider(
  policy: Policy,
  person: Holder,
  {
    overrides = [],
    environment,
  }: { readonly overrides?: readonly string[]; readonly environment: EnvironmentName },
): void {
  if (overrides.length === 0 || hasPermission(policy, person, 'deploy', environment)) return;
  throw denied(policy, person, `override ${overrides.join(', ')}`, environment, 'deploy');
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
  const isOwn = samePerson(author.email, actor.email, policy);
  if (isOwn && !(ruled.length > 0 && ruled.every(({ rule }) => rule.selfApproval)))
    throw new BacktrailError('OWN_REQUEST', 'cannot approve/reject your own rollback request');
  const isVoter = (person: Holder, { environment, rule }: (typeof ruled)[number]) =>
    hasPermission(policy, person, 'deploy', environment) && mayApprove(policy, rule, person, environment);
  const { email } = actor;
  // The ledger does not hold what credentials leave: a vote counts wherever its person may vote.
  const kept = ruled.find((each) => isVoter({ email }, each) && !isVoter(actor, each));
  if (kept !== undefined) throw denied(policy, actor, DEEDS.deploy, kept.environment, 'deploy');
  if (ruled.some((each) => isVoter(actor, each))) return;
  for (const owner of owners) requirePermission(policy, actor, 'deploy', owner.environment);
  for (const owner of ruled) requireApprover(policy, owner.rule, actor, owner.environment);
}

/**
 * That this person signs it with their own key, where the rule counts no other: what a server signs for them would be written and not count.
 *
 * @throws IDENTITY_UNVERIFIED
 */
export function requireOwnKey(
  { signedBy }: EnvironmentPolicy,
  { email, authenticated }: Actor,
  environment: EnvironmentName,
): void {
  if (signedBy !== 'person' || authenticated === undefined || authenticated.how === 'single-user') return;
  throw new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `${formatCoordinates(environment)} counts only what ${email} signs with their own key, and a server signs with its.`,
    { hint: 'Do it with the command line, where your key is: `signedBy: person` in `policy` asks for that.' },
  );
}

function requireApprover(
  policy: Policy,
  rule: EnvironmentPolicy,
  person: Holder,
  environment: EnvironmentName,
): void {
  if (mayApprove(policy, rule, person, environment)) return;
  // Credentials are too narrow only for whoever is an approver without them.
  const { email } = person;
  const judged = mayApprove(policy, rule, { email }, environment) ? person : { email };
  throw denied(policy, judged, 'decide on a rollback', environment, 'deploy');
}

/** TOKEN_TOO_NARROW where the person may, and not with these credentials. */
function denied(
  ...[policy, person, deed, environment, permission]: [Policy, Holder, string, EnvironmentName, Permission]
): BacktrailError {
  const { email } = person;
  const scope = formatCoordinates(environment);
  if (person.only !== undefined && hasPermission(policy, { email }, permission, environment))
    return new BacktrailError(
      'TOKEN_TOO_NARROW',
      `${email} may ${deed} in ${scope}, but not with these credentials.`,
      { details: { permission, scope, email } },
    );
  return new BacktrailError('PERMISSION_DENIED', `${email} may not ${deed} in ${scope}.`, {
    details: { permission, scope, email },
  });
}

/**
 * That credentials are not too narrow for what their person may do without a permission of the policy, such as to withdraw what is their own.
 *
 * @throws TOKEN_TOO_NARROW
 */
export function requireLeft(person: Holder, permission: Permission, environment: EnvironmentName): void {
  if (!leaves(person, permission, environment))
    throw denied(NO_POLICY, person, DEEDS[permission], environment, permission);
}

const NO_POLICY: Policy = { environments: [], groups: {}, permissions: [] };
