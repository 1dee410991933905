/** What the execution of one request, of many, and of a group have in common. */
import {
  type ArrivedChange,
  BacktrailError,
  type FailureCode,
  type LedgerRequest,
  type Provenance,
  type RollbackRequest,
  type RollbackResult,
  resultOf,
} from '../../model/index.ts';
import { readResume, readRollback } from '../../record/read.ts';
import type { BatchMember } from '../../rollback/batch/round.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { planRequested } from '../../rollback/plan.ts';
import { type RequestContext, rulesOf } from '../context.ts';
import { type EligibilityInput, requireEligible } from '../gate/eligibility.ts';
import { bindOf, knownOwners, rememberOwners } from '../gate/owners.ts';
import { requireWay } from '../pull-requests/way.ts';
import { executesRequest } from '../restored.ts';

/** Why it may not go ahead, and not that something went wrong on the way to it. */
export const REFUSALS: ReadonlySet<FailureCode> = new Set([
  'AWAITING_APPROVAL',
  'PERMISSION_DENIED',
  'IDENTITY_UNVERIFIED',
  'PLACE_DIFFERS',
]);

/** `arrived`: what a pull request brought, where the ledger says that one did. @throws LEDGER_TAMPERED */
export async function isPublished(
  context: RequestContext,
  state: LedgerRequest,
  arrived: ArrivedChange | null,
): Promise<boolean> {
  const { id, base } = state;
  const snapshot = await context.observe();
  const { base: tip } = snapshot;
  const commit = arrived?.commit.id ?? (await context.git.findRequest({ tip, base, requestId: id }));
  if (commit === null) return false;
  const own = async () => (await context.git.messages([commit])).get(commit)?.trailers ?? [];
  const trailers = arrived?.trailers ?? (await own());
  const claim = state.resume ? readResume(trailers) : readRollback(trailers);
  if (claim !== null && (await executesRequest(context, snapshot, state, { ...claim.record, commit })))
    return true;
  throw new BacktrailError(
    'LEDGER_TAMPERED',
    `Commit ${commit} of the branch names request ${id}, and is not the rollback that was asked for.`,
  );
}

/** The branch never had to hold it, where there was nothing to change: that it is so is asked of the branch, as the ledger only claims it. */
export async function recorded(found: EligibilityInput): Promise<RollbackResult> {
  const { context, file } = found;
  const { id, scope, base, target, digest, result } = file.state;
  if (result?.status !== 'unchanged')
    throw new BacktrailError(
      'LEDGER_TAMPERED',
      `The ledger says that request ${id} was executed, but the branch does not contain it.`,
    );
  const { plan } = await planRequested(await context.observe(), requestOf(found, null), {
    programs: context.programs,
    clock: context.clock,
  });
  if (plan.files.length > 0)
    throw new BacktrailError(
      'VERIFY_FAILED',
      `The ledger says that request ${id} had nothing to change, and the scope differs from its target.`,
      { details: { requestId: id } },
    );
  return resultOf({ id, scope, base, target, digest }, 'unchanged');
}

/** What the ledger has asked for, before it is said what allows it. */
export function askedOf(state: LedgerRequest): RollbackRequest {
  return {
    id: state.id,
    scope: state.scope,
    target: state.target,
    base: state.base,
    digest: state.digest,
    reason: state.justification,
    author: state.author,
    requestedAt: state.createdAt,
    allowRemoval: state.allowRemoval,
    ...(state.overrides && { overrides: state.overrides }),
    hold: state.hold ?? null,
    resume: state.resume,
    ...(state.sign && { sign: state.sign }),
  };
}

export function requestOf(
  { context, rules, file }: EligibilityInput,
  provenance: Provenance | null,
): RollbackRequest {
  const { state } = file;
  const bind = bindOf(rules, knownOwners(context, state));
  return {
    ...askedOf(state),
    // The commit stands behind its own approval; the same for every worker that executes it.
    ...(provenance && { requestedAt: provenance.at }),
    ...(bind === 'rendered' && { rendered: state.rendered }),
    ...(provenance && { provenance }),
  };
}

/** `isPush`: it is published by a push, and not where the configuration asks for another way; null: which way does not matter. */
export function memberOf(
  found: EligibilityInput,
  onStep: BatchMember['onStep'],
  { isPush = true }: { readonly isPush?: boolean | null } = {},
): BatchMember {
  const { file, context } = found;
  const { id, scope, target, base, allowRemoval, overrides, hold, resume } = file.state;
  // A policy may have come, or become stricter, on each tip that it is planned on.
  const authorize = async ({ snapshot, plan }: Planned) => {
    const pinned = { ...context, observe: () => Promise.resolve(snapshot) };
    rememberOwners(context, file.state, plan);
    const judged = { ...found, context: pinned, rules: await rulesOf(pinned, snapshot) };
    if (isPush !== null) requireWay(judged.rules, plan.owners, { isPush });
    return requestOf(judged, await requireEligible(judged));
  };
  return {
    asked: { id, scope, target, base, allowRemoval, overrides, hold, resume },
    authorize,
    ...(onStep && { onStep }),
  };
}
