/** What stands between a plan and its execution, and what one person may do about it. */
import {
  type Actor,
  BacktrailError,
  type BreakGlassSession,
  type CheckCode,
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  type Person,
  type Policy,
} from '../../model/index.ts';
import {
  approversOf,
  hasPermission,
  needsSignedRequest,
  unsatisfiableReason,
  sessionCovers,
} from '../../policy/policy.ts';
import { isFor } from '../../record/place.ts';
import { publishRuleFor } from '../../layout/configuration/publish.ts';
import { featuresOf } from '../../policy/features.ts';
import type { Approval, Gate } from '../../policy/gate.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';
import { type AutomaticAsk, isExemptHere } from './exemption.ts';
import { type OwnerRule, rulesFor, scopesOf, stated } from './owners.ts';
import { type RequestContext, requireOwnConfig, type Rules, timeOf } from '../context.ts';
import { requireHome } from './home.ts';
import { requireOverrider, requireOwnKey, requirePermission } from './permissions.ts';

/** `propose`: it asks for an approval also where no policy does. `ledger`: it asks for a record in the ledger. */
export interface Asking {
  readonly planned: Planned;
  readonly author: Person;
  readonly propose?: boolean;
  readonly ledger?: boolean;
  /** Codes of checks that are overridden where they block. */
  readonly overrides?: readonly CheckCode[] | undefined;
  /** Nobody asks for it but a worker that observes the cluster. `isForeseen`: its failure will be recorded before it is asked for. */
  readonly automatic?: AutomaticAsk;
}

interface Ruled {
  readonly environment: EnvironmentName;
  readonly rule: EnvironmentPolicy;
}

/** What the rules say, whoever asks. */
export interface GateFacts {
  readonly owners: readonly OwnerRule[];
  readonly ruled: readonly Ruled[];
  /** The environments that ask for approval. */
  readonly asking: readonly Ruled[];
  readonly gate: Gate;
  /** Checks that would block the plan, and that its author overrides. */
  readonly overrides: readonly CheckCode[];
  /** Where it is proposed, and requests that wait for an approval are switched off. */
  readonly withoutApprovals: EnvironmentName | null;
}

export async function readGate(context: RequestContext, rules: Rules, asked: Asking): Promise<GateFacts> {
  const { planned, author, propose, ledger } = asked;
  const { policy } = rules;
  const owners = rulesFor(rules, propose ? { propose } : {}, planned.plan.owners);
  const ruled = stated(owners);
  const asking = ruled.filter(({ rule }) => rule.quorum > 0);
  const isExempt = await isExemptHere(context, rules, asked, ruled);
  const session =
    asking.length > 0 && !isExempt ? await sessionFor(context, rules, { planned, author, asking }) : null;
  const needsApproval = asking.length > 0 && session === null && !isExempt;
  const gate = {
    needsApproval,
    // What is proposed is followed by its record.
    ledgered:
      ruled.length > 0 ||
      ledger === true ||
      asked.automatic !== undefined ||
      publishRuleFor(rules.publish, planned.plan.owners).via !== 'push',
    session,
    ...(isExempt && { isExempt }),
    approval: needsApproval ? approvalOf(policy, asking, author) : NO_APPROVAL,
  };
  const isOff = ({ environment }: OwnerRule) => !featuresOf(policy, environment).rollbackApproval;
  const withoutApprovals = propose ? (owners.find(isOff)?.environment ?? null) : null;
  return { owners, ruled, asking, gate, overrides: planned.plan.overrides, withoutApprovals };
}

const NO_APPROVAL: Approval = { need: 0, have: 0, approvers: [] };

function approvalOf(policy: Policy, asking: readonly Ruled[], author: Person): Approval {
  const each = asking.map(({ environment, rule }) => {
    const approvers = approversOf(policy, rule, environment, rule.selfApproval ? [] : [author.email]);
    return { environment: formatCoordinates(environment), need: rule.quorum, have: 0, approvers };
  });
  return {
    need: Math.max(...each.map(({ need }) => need)),
    have: 0,
    approvers: [...new Set(each.flatMap(({ approvers }) => approvers))].sort(),
    ...(each.length > 1 && { rules: each }),
  };
}

/**
 * That this person may have the plan executed, at once or when others have agreed.
 *
 * @throws PERMISSION_DENIED, POLICY_UNSATISFIABLE, FORBIDDEN, MODE_FORBIDDEN, PLACE_DIFFERS
 */
export function requireAsker(context: RequestContext, rules: Rules, author: Person, facts: GateFacts): void {
  const { policy } = rules;
  const { owners, asking, gate, overrides, withoutApprovals } = facts;
  if (withoutApprovals !== null) throw approvalsOff(withoutApprovals);
  for (const owner of owners) requirePermission(policy, author, 'propose', owner.environment);
  for (const owner of owners) requireOverrider(policy, author, { overrides, environment: owner.environment });
  if (gate.ledgered) requireOwnConfig(context);
  if (gate.ledgered) requireHome(rules);
  if (gate.needsApproval)
    for (const { environment: at, rule } of asking) {
      const reason = unsatisfiableReason(policy, rule, at, author.email);
      if (reason !== null) throw unsatisfiable(reason);
    }
  else if (gate.session === null && gate.isExempt !== true)
    for (const owner of owners) requirePermission(policy, author, 'deploy', owner.environment);
}

/** That what these rules want signed will be: asked before it is shown for confirmation, and again on writing it. @throws IDENTITY_UNVERIFIED */
export async function requireSigner(
  { git }: RequestContext,
  ruled: readonly Ruled[],
  author: Actor,
  isExempt = false,
): Promise<void> {
  const signed = ruled.find(({ rule }) => isExempt || needsSignedRequest(rule));
  for (const { rule, environment } of ruled)
    if (isExempt || needsSignedRequest(rule)) requireOwnKey(rule, author, environment);
  if (signed !== undefined && !(await git.ledger.signs())) throw unsigned(signed.environment);
}

/** Nobody would execute it. */
const unsigned = (environment: EnvironmentName) =>
  new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `Who asks for a rollback of ${formatCoordinates(environment)} has to sign for it, and git has no key here to sign with.`,
    {
      hint: 'git config --global gpg.format ssh; git config --global user.signingKey FILE; or set `unsignedRequests: true` in `policy` of the configuration.',
    },
  );

const approvalsOff = (environment: EnvironmentName) =>
  new BacktrailError(
    'MODE_FORBIDDEN',
    `Requests that wait for an approval are switched off for ${formatCoordinates(environment)} (feature rollback_approval).`,
    {
      hint: 'Ask without `propose`, or have `features.rollback_approval` switched on in .backtrail/config.yaml.',
    },
  );

const unsatisfiable = (reason: string) => new BacktrailError('POLICY_UNSATISFIABLE', reason);

/** Both at once. */
export async function requireGate(context: RequestContext, rules: Rules, asked: Asking): Promise<Gate> {
  const facts = await readGate(context, rules, asked);
  requireAsker(context, rules, asked.author, facts);
  return facts.gate;
}

/** The session of its author that lets a request go ahead in each of the environments: the one that lasts longest. */
async function sessionFor(
  context: RequestContext,
  { policy, ref, home }: Rules,
  { planned, author, asking }: Asking & { readonly asking: readonly Ruled[] },
): Promise<BreakGlassSession | null> {
  const isAllowed = asking.every(
    (owner) =>
      owner.rule.breakGlass !== null && hasPermission(policy, author, 'break-glass', owner.environment),
  );
  if (!isAllowed) return null;
  const ledgerSnapshot = await openLedgerSnapshot(context.git, ref, context.cache);
  const at = timeOf(context.clock.now());
  const scopes = scopesOf(
    planned.plan.scope,
    asking.map((owner) => owner.environment),
  );
  const states = (await ledgerSnapshot.sessions()).map(({ state }) => state);
  const covering = states.filter(
    (session) =>
      isFor(home, session.place) &&
      scopes.every((scope) => sessionCovers(policy, session, { scope, person: author.email, at })),
  );
  return covering.reduce<BreakGlassSession | null>(
    (best, session) => (best === null || session.expiresAt > best.expiresAt ? session : best),
    null,
  );
}
