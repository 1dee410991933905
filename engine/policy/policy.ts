/** Permissions, and whether the reviews of a request meet the policy. */
import type {
  Actor,
  BreakGlassSession,
  EnvironmentName,
  EnvironmentPolicy,
  EventId,
  Grant,
  People,
  Permission,
  Policy,
  Review,
  Rules,
} from '../model/index.ts';
import { emailKey, ENGINE, formatCoordinates } from '../model/index.ts';

/** The policy of an environment; null: no approval is needed. */
export function policyFor(policy: Policy, environment: EnvironmentName): EnvironmentPolicy | null {
  return policy.environments.find(({ match }) => matchesEnvironment(match, environment)) ?? null;
}

const HOURS = 3_600_000;

/**
 * What a request needs that was proposed, to be decided on by a person: at least one approval, of whoever may `deploy`; its author's
 * counts unless the policy of the environment says otherwise. Where the policy names no one, no key has to vouch for a vote: without
 * the proposal, none would be needed at all.
 */
export function proposedRule(
  policy: Policy,
  rule: EnvironmentPolicy | null,
  knowsKeys: boolean,
): EnvironmentPolicy {
  if (rule !== null) return { ...rule, quorum: Math.max(1, rule.quorum), breakGlass: null };
  return {
    match: '**',
    quorum: 1,
    selfApproval: true,
    approvers: null,
    rejections: 1,
    expiryMs: 72 * HOURS,
    unsignedApprovals: policy.permissions.length === 0 || !knowsKeys,
    // Its author may approve it as well.
    unsignedRequests: true,
    bind: 'digest',
    breakGlass: null,
  };
}

/**
 * Whether a trusted key has to vouch for who asks: else an approver could ask in another name, and then approve. `rules`: those that a rollback was
 * made by; before 4, only where the policy says so.
 */
export function needsSignedRequest(
  { unsignedRequests, quorum, unsignedApprovals }: EnvironmentPolicy,
  rules: Rules = ENGINE,
): boolean {
  if (unsignedRequests !== null) return !unsignedRequests;
  return rules >= 4 && quorum > 0 && !unsignedApprovals;
}

/** `*` stands for any letters inside a name; `**` is every environment. */
export function matchesEnvironment(pattern: string, environment: EnvironmentName): boolean {
  if (pattern === '**') return true;
  const names = [environment.tenant, environment.environment].filter((name) => name !== undefined);
  const parts = pattern.split('/');
  return parts.length === names.length && parts.every((part, at) => matchesName(part, names[at] ?? ''));
}

/** Matches `*` within one name. Greedy matching suffices for `*`; no backtracking. */
export function matchesName(pattern: string, name: string): boolean {
  const [first = '', ...pieces] = pattern.split('*');
  const last = pieces.pop();
  if (last === undefined) return name === first;
  const end = name.length - last.length;
  if (!name.startsWith(first) || !name.endsWith(last) || end < first.length) return false;
  let from = first.length;
  for (const piece of pieces) {
    const at = name.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}

type Joining = Pick<Policy, 'people'>;

/** Of each email that `people` joins with others: the first of them. */
const joined = new WeakMap<NonNullable<Policy['people']>, ReadonlyMap<string, string>>();

/** One email for all of a person. */
export function personId({ people }: Joining, email: string): string {
  const own = emailKey(email);
  if (people === undefined) return own;
  const known =
    joined.get(people) ??
    new Map(
      people.flatMap(([first = '', ...others]) =>
        [first, ...others].map((each) => [emailKey(each), emailKey(first)] as const),
      ),
    );
  joined.set(people, known);
  return known.get(own) ?? own;
}

/** `policy`: whose emails it joins are one person. Without it, an email is a person. */
export function samePerson(one: string, other: string, policy: Joining = {}): boolean {
  return personId(policy, one) === personId(policy, other);
}

/** Who may do something: the person, and what the credentials leave of it that they came with. */
export type Holder = Pick<Actor, 'email' | 'only'>;

export function hasPermission(
  policy: Policy,
  person: Holder,
  permission: Permission,
  environment: EnvironmentName,
): boolean {
  if (!leaves(person, permission, environment)) return false;
  const holders = permissionHolders(narrowed(policy, person), permission, environment);
  return holders?.has(personId(policy, person.email)) ?? true;
}

/** Whether the credentials of a person leave a permission, whatever the policy says. */
export function leaves({ only }: Holder, permission: Permission, environment: EnvironmentName): boolean {
  const { scope } = only ?? {};
  return (
    scope === undefined ||
    (isGranted({ users: [], groups: [], ...scope }, permission) &&
      scope.in.some((pattern) => matchesEnvironment(pattern, environment)))
  );
}

/** The policy without the groups that an issuer does not name for this person. */
function narrowed(policy: Policy, { only }: Holder): Policy {
  const named = only?.groups;
  if (named === undefined) return policy;
  const groups = Object.entries(policy.groups).filter(([name]) => named.includes(name));
  return { ...policy, groups: Object.fromEntries(groups) };
}

/** `admin` includes all permissions, `deploy` includes `record`; each permission includes `read`. */
const isGranted = ({ allow }: Grant, permission: Permission) =>
  permission === 'read' ||
  allow.includes(permission) ||
  allow.includes('admin') ||
  (permission === 'record' && allow.includes('deploy'));

/** Emails of those with a permission, in lower case; empty where the policy does not name anybody. */
export const holdersOf = (policy: Policy, permission: Permission, environment: EnvironmentName): string[] => [
  ...(permissionHolders(policy, permission, environment) ?? []),
];

/** Emails with a permission; null: everybody. */
function permissionHolders(
  policy: Policy,
  permission: Permission,
  environment: EnvironmentName,
): ReadonlySet<string> | null {
  if (policy.permissions.length === 0) return null;
  const grants = policy.permissions.filter(
    (grant) =>
      isGranted(grant, permission) && grant.in.some((pattern) => matchesEnvironment(pattern, environment)),
  );
  const all = {
    users: grants.flatMap(({ users }) => users),
    groups: grants.flatMap(({ groups }) => groups),
  };
  return new Set(members(policy, all));
}

/** One email a person, in lower case, without duplicates, in the order of the configuration. */
export function members(policy: Policy, { users, groups: names }: People): string[] {
  const { groups } = policy;
  const grouped = [...new Set(names)].flatMap((name) =>
    Object.hasOwn(groups, name) ? (groups[name] ?? []) : [],
  );
  return [...new Set([...users, ...grouped].map((email) => personId(policy, email)))];
}

/** Whether a person is an approver and has the permission `deploy`. Does not consider who the author is. */
export function mayApprove(
  policy: Policy,
  rule: EnvironmentPolicy,
  person: Holder,
  environment: EnvironmentName,
): boolean {
  if (!leaves(person, 'deploy', environment)) return false;
  const voters = eligible(narrowed(policy, person), rule, environment);
  return voters?.has(personId(policy, person.email)) ?? true;
}

/** Emails of eligible approvers; null: everybody. */
function eligible(
  policy: Policy,
  rule: EnvironmentPolicy,
  environment: EnvironmentName,
): ReadonlySet<string> | null {
  const allowed = permissionHolders(policy, 'deploy', environment);
  if (rule.approvers === null) return allowed;
  return new Set(members(policy, rule.approvers).filter((email) => allowed?.has(email) ?? true));
}

/** Sorted emails of the approvers except `without`; empty if the policy does not name any. */
export function approversOf(
  policy: Policy,
  rule: EnvironmentPolicy,
  environment: EnvironmentName,
  without: readonly string[],
): string[] {
  const left = new Set(without.map((email) => personId(policy, email)));
  return [...(eligible(policy, rule, environment) ?? [])].filter((email) => !left.has(email)).sort();
}

export interface ReviewInput {
  readonly policy: Policy;
  readonly rule: EnvironmentPolicy;
  readonly place: EnvironmentName;
  /** Email of the request's author. */
  readonly author: string;
  readonly digest: string;
  /** Oldest first. `verified`: signed by a trusted key of its actor. */
  readonly reviews: readonly (Review & { readonly verified: boolean })[];
}

export interface ReviewResult {
  readonly need: number;
  /** Number of approvals that count. */
  readonly have: number;
  /** Enough approvals, and not rejected. */
  readonly satisfied: boolean;
  readonly rejected: boolean;
  /** Ids of the reviews that count, approvals and rejections. */
  readonly counted: readonly EventId[];
  /** Sorted emails of those who can still approve; empty if the policy does not name any. */
  readonly approvers: string[];
}

/** One vote per person; a rejection cancels the person's approval. Unsigned rejections count, because they only ever stop a request. */
export function evaluateReviews({ policy, rule, place, author, digest, reviews }: ReviewInput): ReviewResult {
  const voters = eligible(policy, rule, place);
  const present = reviews.filter(
    (review) =>
      review.digest === digest &&
      (rule.selfApproval || !samePerson(review.actor.email, author, policy)) &&
      (voters?.has(personId(policy, review.actor.email)) ?? true),
  );
  const rejections = firstOfEach(
    policy,
    present.filter(({ decision }) => decision === 'rejected'),
  );
  const approvals = firstOfEach(
    policy,
    present.filter(
      ({ decision, verified }) => decision === 'approved' && (verified || rule.unsignedApprovals),
    ),
  );
  for (const person of rejections.keys()) approvals.delete(person);
  const votes = [...approvals, ...rejections];
  const rejected = rejections.size >= rule.rejections;
  return {
    need: rule.quorum,
    have: approvals.size,
    satisfied: !rejected && approvals.size >= rule.quorum,
    rejected,
    counted: votes.map(([, { id }]) => id),
    approvers: approversOf(policy, rule, place, [
      ...(rule.selfApproval ? [] : [author]),
      ...votes.map(([person]) => person),
    ]),
  };
}

function firstOfEach<T extends Review>(policy: Policy, reviews: readonly T[]): Map<string, T> {
  const first = new Map<string, T>();
  for (const review of reviews) {
    const person = personId(policy, review.actor.email);
    if (!first.has(person)) first.set(person, review);
  }
  return first;
}

/** Why the quorum cannot be reached, as a sentence; null if it can. `author` null: any author. */
export function unsatisfiableReason(
  policy: Policy,
  rule: EnvironmentPolicy,
  environment: EnvironmentName,
  author: string | null,
): string | null {
  const voters = eligible(policy, rule, environment);
  if (voters === null) return null;
  const own =
    author !== null && !rule.selfApproval && voters.has(personId(policy, author))
      ? [personId(policy, author)]
      : [];
  const left = [...voters].filter((email) => !own.includes(email)).sort();
  if (left.length >= rule.quorum) return null;
  const asked = rule.approvers === null ? null : members(policy, rule.approvers);
  const empty = (rule.approvers?.groups ?? []).filter((name) => members(policy, group(name)).length === 0);
  const powerless = (asked ?? []).filter((email) => !voters.has(email));
  const reasons = [
    ...(asked === null && voters.size === 0 ? ['nobody may deploy there'] : []),
    ...(asked?.length === 0 && empty.length === 0 ? ['`approvers` is empty'] : []),
    ...(empty.length > 0 ? [`nobody is in ${listSome(empty)}`] : []),
    ...(powerless.length > 0 ? [`${listSome(powerless)} may not deploy there`] : []),
    ...own.map((email) => `${email} cannot approve their own request`),
  ];
  const needs = `${formatCoordinates(environment)} needs ${rule.quorum} approval${rule.quorum === 1 ? '' : 's'}`;
  const can = left.length === 0 ? 'nobody can give one' : `only ${listSome(left)} can give one`;
  return `${needs}, and ${can}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}.`;
}

const group = (name: string): People => ({ users: [], groups: [name] });

const listSome = (names: readonly string[]) =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');

/** Whether a session covers a request. `scope` and `person` are those of the request; `at`: ISO 8601. */
export function sessionCovers(
  policy: Policy,
  session: Pick<BreakGlassSession, 'scope' | 'holder' | 'expiresAt' | 'closed'>,
  { scope, person, at }: { readonly scope: string; readonly person: string; readonly at: string },
): boolean {
  return (
    session.closed === null &&
    Date.parse(at) < Date.parse(session.expiresAt) &&
    samePerson(session.holder.email, person, policy) &&
    (scope === session.scope || scope.startsWith(`${session.scope}/`))
  );
}
