/** A rollback becomes a request. */
import {
  BacktrailError,
  type BreakGlassSession,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Person,
  type Policy,
  type RequestProposal,
  type RequestEvent,
  type RequestId,
  type Scope,
} from '../model/index.ts';
import {
  approversOf,
  hasPermission,
  samePerson,
  unsatisfiableReason,
  sessionCovers,
} from '../policy/policy.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { requestSummary } from '../record/request-summary.ts';
import { blockedError, isBlocked } from '../rollback/blocked.ts';
import type { Planned } from '../rollback/plan.ts';
import { personOf, type Place, rulesOf, stamp, timeOf } from './context.ts';
import { append, onRequest } from './ledger/append.ts';
import { type Book, openBook } from './ledger/snapshot.ts';
import { rulesAt, scopesOf, stated } from './owners.ts';
import { requirePermission } from './permissions.ts';
import { termsOf } from './terms.ts';
import type { Gate, Proposing, Requests, RequestView } from './types.ts';
import { viewOf } from './view.ts';

export type OpenInput = Parameters<Requests['open']>[0];

/** What stands between this plan and its execution. PERMISSION_DENIED, POLICY_UNSATISFIABLE. */
export async function gate(place: Place, { planned, author }: Proposing): Promise<Gate> {
  const { policy, ref } = await rulesOf(place, planned.snapshot);
  const owners = rulesAt(policy, planned.plan.owners);
  for (const owner of owners) requirePermission(policy, author, 'propose', owner.place);
  const ruled = stated(owners);
  const asking = ruled.filter(({ rule }) => rule.quorum > 0);
  const session =
    asking.length > 0 ? await sessionFor(place, { policy, ref, planned, author, asking }) : null;
  if (asking.length === 0 || session !== null) {
    if (session === null)
      for (const owner of owners) requirePermission(policy, author, 'deploy', owner.place);
    return { needsApproval: false, ledgered: ruled.length > 0, session, approval: NO_APPROVAL };
  }
  const each = asking.map(({ place: at, rule }) => {
    const reason = unsatisfiableReason(policy, rule, at, author.email);
    if (reason !== null) throw unsatisfiable(reason);
    const without = rule.selfApproval ? [] : [author.email];
    const approvers = approversOf(policy, rule, at, without);
    return { environment: formatCoordinates(at), need: rule.quorum, have: 0, approvers };
  });
  const [hardest] = [...each].sort((a, b) => b.need - a.need);
  return {
    needsApproval: true,
    ledgered: true,
    session: null,
    approval: {
      need: hardest?.need ?? 0,
      have: 0,
      approvers: [...new Set(each.flatMap(({ approvers }) => approvers))].sort(),
      ...(each.length > 1 && { rules: each }),
    },
  };
}

const NO_APPROVAL = { need: 0, have: 0, approvers: [] };

export const unsatisfiable = (reason: string) => new BacktrailError('POLICY_UNSATISFIABLE', reason);

interface Asking {
  readonly policy: Policy;
  readonly ref: string;
  readonly planned: Planned;
  readonly author: Person;
  /** The environments that ask for approval. */
  readonly asking: readonly { readonly place: EnvironmentName; readonly rule: EnvironmentPolicy }[];
}

/** The session of its author that lets a request go ahead in each of the environments: the one that lasts longest. */
async function sessionFor(place: Place, { policy, ref, planned, author, asking }: Asking) {
  const { plan } = planned;
  const isAllowed = asking.every(
    (owner) => owner.rule.breakGlass !== null && hasPermission(policy, author, 'break-glass', owner.place),
  );
  if (!isAllowed) return null;
  const book = await openBook(place.git, ref, place.cache);
  const at = timeOf(place.clock.now());
  const scopes = scopesOf(
    plan.scope,
    asking.map((owner) => owner.place),
  );
  const states = (await book.sessions()).map(({ state }) => state);
  const covering = states.filter((session) =>
    scopes.every((scope) => sessionCovers(session, { scope, person: author.email, at })),
  );
  return covering.reduce<BreakGlassSession | null>(
    (best, session) => (best === null || session.expiresAt > best.expiresAt ? session : best),
    null,
  );
}

/** Opens a request; an older one of the same scope that is pending gives way to it. */
export async function openRequest(place: Place, input: OpenInput): Promise<RequestView> {
  const { planned, author, id, follows } = input;
  if (isBlocked(planned.plan)) throw blockedError(planned.plan);
  const rules = await rulesOf(place, planned.snapshot);
  const { policy, ref } = rules;
  const known = await openBook(place.git, ref, place.cache);
  const there = await known.request(id);
  if (there !== null) {
    requireSame(there, input);
    return viewOf(place, { book: known, rules, file: there }, planned.plan.owners);
  }
  const { needsApproval, session } = await gate(place, input);
  const expiries = stated(rulesAt(policy, planned.plan.owners)).map(({ rule }) => rule.expiryMs);
  const expiryMs = needsApproval ? Math.min(...expiries) : null;
  const { book } = await append(place, rules, async (book) => {
    if ((await book.request(id)) !== null) return [];
    if (follows !== undefined) await requireFollowable(book, follows);
    const older = await olderOf(book, { id, scope: planned.plan.scope });
    const stamped = stamp(place, author);
    const event: RequestEvent = {
      ...stamped,
      type: 'opened',
      proposal: proposalOf(place, {
        ...input,
        at: stamped.at,
        expiryMs,
        supersedes: older[0] ?? null,
      }),
      terms: termsOf(planned),
      gate: opensWith(needsApproval, session),
      session: session && { id: session.id, ticket: session.ticket },
    };
    const replaced = older.map((other) =>
      onRequest(other, { ...stamp(place, author), type: 'superseded', by: id }),
    );
    return [onRequest(id, event), ...replaced];
  });
  const file = await book.request(id);
  if (file === null) throw new BacktrailError('INTERNAL', `Request ${id} was not written.`);
  // Somebody else may have taken the id meanwhile.
  requireSame(file, input);
  return viewOf(place, { book, rules, file }, planned.plan.owners);
}

function requireSame({ state }: RequestFile, { planned: { plan }, author }: OpenInput): void {
  const same =
    sameScope(state.scope, plan.scope) &&
    state.target === plan.target.commit &&
    samePerson(state.author.email, author.email);
  if (same) return;
  throw new BacktrailError(
    'REQUEST_EXISTS',
    `Another rollback has the id ${state.id}: of ${formatCoordinates(state.scope)}, by ${state.author.email}.`,
    { details: { requestId: state.id } },
  );
}

function opensWith(needsApproval: boolean, session: BreakGlassSession | null) {
  if (session !== null) return 'break-glass';
  return needsApproval ? null : 'no-policy';
}

async function requireFollowable(book: Book, id: RequestId): Promise<void> {
  const file = await book.request(id);
  if (file === null) throw unknownRequest(id);
  if (file.state.status !== 'failed')
    throw new BacktrailError('REQUEST_NOT_FAILED', `Request ${id} is ${file.state.status}.`);
}

/** Pending requests of the same scope, newest first. */
async function olderOf(book: Book, { id, scope }: { id: RequestId; scope: Scope }): Promise<RequestId[]> {
  const older = (await book.requests()).filter(
    ({ state }) => state.status === 'pending' && state.id !== id && sameScope(state.scope, scope),
  );
  return older.map(({ state }) => state.id);
}

function sameScope(one: Scope, other: Scope): boolean {
  const key = ({ mode, tenant, environment, service, fields = [] }: Scope) =>
    JSON.stringify([mode, tenant, environment, service, fields]);
  return key(one) === key(other);
}

function proposalOf(
  { config }: Place,
  {
    planned,
    author,
    id,
    reason,
    allowRemoval,
    follows,
    at,
    expiryMs,
    supersedes,
  }: OpenInput & {
    at: string;
    expiryMs: number | null;
    supersedes: RequestId | null;
  },
): RequestProposal {
  const { scope, target } = planned.plan;
  const expiresAt = expiryMs === null ? null : timeOf(Date.parse(at) + expiryMs);
  return {
    id,
    scope,
    target: requireTarget(target.commit),
    targetVersion: target.version,
    allowRemoval: allowRemoval ?? false,
    justification: requireReason(reason),
    message: requestSummary({ scope, target: target.commit, targetVersion: target.version }),
    author: personOf(author),
    createdAt: at,
    expiresAt,
    follows: follows ?? null,
    supersedes,
    config,
  };
}

/** TARGET_REQUIRED for a request that names none. */
export function requireTarget(target: string): string {
  if (target.trim() !== '') return target;
  throw new BacktrailError('TARGET_REQUIRED', 'targetSha is required');
}

/** Characters. */
const TEXT = 10_000;

function requireReason(reason: string): string {
  if (reason.trim() !== '') return reason.slice(0, TEXT);
  throw new BacktrailError('REASON_REQUIRED', 'A request needs a justification.');
}

export function unknownRequest(id: string): BacktrailError {
  return new BacktrailError('REQUEST_UNKNOWN', `The ledger has no request ${id}.`);
}
