/** Who may do what, and whether those who reviewed a request suffice. */
import type {
  BreakGlassSession,
  EnvironmentName,
  EnvironmentPolicy,
  EventId,
  Grant,
  People,
  Permission,
  Person,
  Policy,
  Review,
} from '../model/index.ts';
import { formatCoordinates } from '../model/index.ts';

/** null: rollbacks of this environment need no approval. */
export function policyFor(policy: Policy, place: EnvironmentName): EnvironmentPolicy | null {
  return policy.environments.find(({ match }) => matchesEnvironment(match, place)) ?? null;
}

const HOURS = 3_600_000;

/**
 * What a request needs that was proposed, to be decided on by a person: at least one approval, of whoever may `deploy`; its author's
 * counts unless the policy of the environment says otherwise. Where the policy names nobody, no key has to vouch for a vote: without
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
    unsignedRequests: true,
    bind: 'digest',
    breakGlass: null,
  };
}

/** `*` stands for any letters inside a name; `**` is every environment. */
export function matchesEnvironment(pattern: string, place: EnvironmentName): boolean {
  if (pattern === '**') return true;
  const names = [place.tenant, place.environment].filter((name) => name !== undefined);
  const parts = pattern.split('/');
  return parts.length === names.length && parts.every((part, at) => matchesName(part, names[at] ?? ''));
}

/** The first place where each piece between stars fits is as good as any other, so nothing is tried twice. */
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

/** What an email is compared by. */
const key = (email: string) => email.trim().toLowerCase();

export function samePerson(one: string, other: string): boolean {
  return key(one) === key(other);
}

type Who = Pick<Person, 'email'>;

export function may(policy: Policy, person: Who, permission: Permission, place: EnvironmentName): boolean {
  return holders(policy, permission, place)?.has(key(person.email)) ?? true;
}

/** `admin` holds all permissions, and whoever holds any may `read`. */
const holdsIt = ({ allow }: Grant, permission: Permission) =>
  permission === 'read' || allow.includes(permission) || allow.includes('admin');

/** null: everybody. */
function holders(policy: Policy, permission: Permission, place: EnvironmentName): ReadonlySet<string> | null {
  if (policy.permissions.length === 0) return null;
  const grants = policy.permissions.filter(
    (grant) => holdsIt(grant, permission) && grant.in.some((pattern) => matchesEnvironment(pattern, place)),
  );
  const all = {
    users: grants.flatMap(({ users }) => users),
    groups: grants.flatMap(({ groups }) => groups),
  };
  return new Set(members(policy, all));
}

/** Emails in lower case, each once, in the order of the configuration. */
export function members({ groups }: Policy, { users, groups: names }: People): string[] {
  const grouped = [...new Set(names)].flatMap((name) =>
    Object.hasOwn(groups, name) ? (groups[name] ?? []) : [],
  );
  return [...new Set([...users, ...grouped].map(key))];
}

/** Among those who may approve, and allowed to `deploy`. Whose request it is, is another question. */
export function mayApprove(
  policy: Policy,
  rule: EnvironmentPolicy,
  person: Who,
  place: EnvironmentName,
): boolean {
  return eligible(policy, rule, place)?.has(key(person.email)) ?? true;
}

/** null: everybody. */
function eligible(
  policy: Policy,
  rule: EnvironmentPolicy,
  place: EnvironmentName,
): ReadonlySet<string> | null {
  const allowed = holders(policy, 'deploy', place);
  if (rule.approvers === null) return allowed;
  return new Set(members(policy, rule.approvers).filter((email) => allowed?.has(email) ?? true));
}

/** Emails of those who may approve, `without` some, sorted; empty where the policy names nobody. */
export function approversOf(
  policy: Policy,
  rule: EnvironmentPolicy,
  place: EnvironmentName,
  without: readonly string[],
): string[] {
  const left = new Set(without.map(key));
  return [...(eligible(policy, rule, place) ?? [])].filter((email) => !left.has(email)).sort();
}

export interface Judging {
  readonly policy: Policy;
  readonly rule: EnvironmentPolicy;
  readonly place: EnvironmentName;
  /** Email of whoever opened the request. */
  readonly author: string;
  readonly digest: string;
  /** Oldest first. `verified`: a trusted key signed it for its actor. */
  readonly reviews: readonly (Review & { readonly verified: boolean })[];
}

export interface Judgement {
  readonly need: number;
  /** People whose approval counts. */
  readonly have: number;
  /** Enough approvals, and not rejected. */
  readonly satisfied: boolean;
  readonly rejected: boolean;
  /** The reviews that count, approvals and rejections. */
  readonly counted: readonly EventId[];
  /** Emails of those who can still approve, sorted; empty where the policy names nobody. */
  readonly approvers: string[];
}

/** One vote a person; whoever rejected has not approved. A rejection counts unsigned as well: it only ever stops. */
export function judge({ policy, rule, place, author, digest, reviews }: Judging): Judgement {
  const voters = eligible(policy, rule, place);
  const present = reviews.filter(
    (review) =>
      review.digest === digest &&
      (rule.selfApproval || !samePerson(review.actor.email, author)) &&
      (voters?.has(key(review.actor.email)) ?? true),
  );
  const rejections = firstOfEach(present.filter(({ decision }) => decision === 'rejected'));
  const approvals = firstOfEach(
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

function firstOfEach<T extends Review>(reviews: readonly T[]): Map<string, T> {
  const first = new Map<string, T>();
  for (const review of reviews) {
    const person = key(review.actor.email);
    if (!first.has(person)) first.set(person, review);
  }
  return first;
}

/** Why nobody can bring the approvals together, as a sentence; `author` null: whoever asks. */
export function satisfiable(
  policy: Policy,
  rule: EnvironmentPolicy,
  place: EnvironmentName,
  author: string | null,
): string | null {
  const voters = eligible(policy, rule, place);
  if (voters === null) return null;
  const own = author !== null && !rule.selfApproval && voters.has(key(author)) ? [key(author)] : [];
  const left = [...voters].filter((email) => !own.includes(email)).sort();
  if (left.length >= rule.quorum) return null;
  const asked = rule.approvers === null ? null : members(policy, rule.approvers);
  const empty = (rule.approvers?.groups ?? []).filter((name) => members(policy, group(name)).length === 0);
  const powerless = (asked ?? []).filter((email) => !voters.has(email));
  const reasons = [
    ...(asked === null && voters.size === 0 ? ['nobody may deploy there'] : []),
    ...(asked?.length === 0 && empty.length === 0 ? ['its approvers name nobody'] : []),
    ...(empty.length > 0 ? [`nobody is in ${few(empty)}`] : []),
    ...(powerless.length > 0 ? [`${few(powerless)} may not deploy there`] : []),
    ...own.map((email) => `${email} cannot approve an own request`),
  ];
  const needs = `${formatCoordinates(place)} needs ${rule.quorum} approval${rule.quorum === 1 ? '' : 's'}`;
  const can = left.length === 0 ? 'nobody can give one' : `only ${few(left)} can give one`;
  return `${needs}, and ${can}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}.`;
}

const group = (name: string): People => ({ users: [], groups: [name] });

const few = (names: readonly string[]) =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');

/** `scope` and `person` are of the request; `at`: ISO 8601. */
export function sessionCovers(
  session: Pick<BreakGlassSession, 'scope' | 'holder' | 'expiresAt' | 'closed'>,
  { scope, person, at }: { readonly scope: string; readonly person: string; readonly at: string },
): boolean {
  return (
    session.closed === null &&
    Date.parse(at) < Date.parse(session.expiresAt) &&
    samePerson(session.holder.email, person) &&
    (scope === session.scope || scope.startsWith(`${session.scope}/`))
  );
}
