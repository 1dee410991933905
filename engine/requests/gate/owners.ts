/** By whose rules a request is judged: those of every environment that owns what it would change. */
import {
  type EnvironmentName,
  type EnvironmentPolicy,
  formatCoordinates,
  isFailure,
  type LedgerRequest,
  type Plan,
  type Policy,
  type Scope,
} from '../../model/index.ts';
import { proposedRule, policyFor } from '../../policy/policy.ts';
import type { RequestContext, Rules } from '../context.ts';
import { replan } from '../replan.ts';

/** One environment, and its rule; null where its rollbacks need no approval. */
export interface OwnerRule {
  readonly environment: EnvironmentName;
  readonly rule: EnvironmentPolicy | null;
}

export const rulesAt = (policy: Policy, environments: readonly EnvironmentName[]): OwnerRule[] =>
  environments.map((environment) => ({ environment, rule: policyFor(policy, environment) }));

/** By what a request is judged: the policy, and its own wish to be decided on. */
export type Judged = Pick<LedgerRequest, 'propose'>;

/** The same for a request: one that was proposed needs an approval also where the policy asks for none. */
export function rulesFor(
  { policy, knowsKeys }: Pick<Rules, 'policy' | 'knowsKeys'>,
  { propose }: Judged,
  environments: readonly EnvironmentName[],
): OwnerRule[] {
  const owners = rulesAt(policy, environments);
  if (propose !== true) return owners;
  return owners.map(({ environment, rule }) => ({
    environment,
    rule: proposedRule(policy, rule, knowsKeys),
  }));
}

/** Those that ask for something. */
export const stated = (owners: readonly OwnerRule[]) =>
  owners.flatMap(({ environment, rule }) => (rule === null ? [] : [{ environment, rule }]));

/**
 * The owners of what a request changes now, found by planning it on the tip: never believed from the ledger. Where it cannot be planned,
 * nothing of it can be executed either, and its own environment stands for it.
 */
export async function ownersOf(
  context: RequestContext,
  request: LedgerRequest,
): Promise<readonly EnvironmentName[]> {
  const { base } = await context.observe();
  const known = context.cache.owners.get(keyOf(request));
  if (known?.base === base) return known.owners;
  const owners = await replan(context, request).then(
    ({ plan }) => plan.owners,
    (error: unknown) => {
      if (!isFailure(error)) throw error;
      return [nameOf(request)];
    },
  );
  rememberOwners(context, request, { base, owners });
  return owners;
}

/** For whoever has planned it: it need not be planned again to know them. */
export function rememberOwners(
  { cache }: RequestContext,
  request: LedgerRequest,
  { base, owners }: Pick<Plan, 'base' | 'owners'>,
): void {
  if (cache.owners.size > 10_000) cache.owners.clear();
  cache.owners.set(keyOf(request), { base, owners });
}

const keyOf = ({ id, digest }: LedgerRequest) => `${id} ${digest}`;

/** What is known of them without planning: enough for a list. */
export function knownOwners(context: RequestContext, request: LedgerRequest): readonly EnvironmentName[] {
  return context.cache.owners.get(keyOf(request))?.owners ?? [nameOf(request)];
}

export const nameOf = ({
  scope: { tenant, environment },
}: Pick<LedgerRequest, 'scope'>): EnvironmentName => ({
  ...(tenant !== undefined && { tenant }),
  environment,
});

/** The names that a break-glass session has to cover: that of the scope, and every other environment as a whole. */
export function scopesOf(scope: Scope, environments: readonly EnvironmentName[]): string[] {
  const { service: _, ...own } = scope;
  const home = formatCoordinates(own);
  const others = environments
    .map((environment) => formatCoordinates(environment))
    .filter((name) => name !== home);
  return [formatCoordinates(scope), ...others];
}

/** What an approval binds to: the manifests as well where one of the rules says so. */
export const bindOf = ({ policy }: Pick<Rules, 'policy'>, owners: readonly EnvironmentName[]) =>
  stated(rulesAt(policy, owners)).some(({ rule }) => rule.bind === 'rendered') ? 'rendered' : 'digest';
