/** Executes an approved request: what a worker does, on no one's word but the branch's and that of keys it trusts. */
import {
  BacktrailError,
  type FailureCode,
  isFailure,
  type LedgerRequest,
  type Provenance,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from '../model/index.ts';
import { resultOf } from '../rollback/result.ts';
import { readRollback } from '../record/read.ts';
import { isWaiting } from '../record/transitions.ts';
import { execute } from '../rollback/execute.ts';
import { type Planned, planRequested } from '../rollback/plan.ts';
import type { ExecuteRequestOptions } from './types.ts';
import { openLedgerSnapshot } from './ledger/snapshot.ts';
import { type EligibilityInput, requireEligible } from './gate/eligibility.ts';
import { complete, recordFailure, refuse } from './outcome.ts';
import { bindOf, knownOwners, ownersOf } from './gate/owners.ts';
import { readRules, type RequestContext, requireOwnConfig, rulesOf } from './context.ts';
import { proveRequest } from './ledger/proof.ts';
import { executesRequest } from './restored.ts';
import { requireRequest } from './review.ts';
import { requirePermission } from './gate/permissions.ts';
import { canJudge, claimed, proven } from './view.ts';

export async function executeRequest(
  context: RequestContext,
  id: RequestId,
  options: ExecuteRequestOptions = {},
): Promise<RollbackResult> {
  requireOwnConfig(context);
  await context.git.refresh();
  const rules = await readRules(context);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const file = await requireRequest(ledgerSnapshot, id);
  const failed = (error: unknown) => recordFailure({ context, rules, file }, error, options);
  const found = await examine({ context, rules, ledgerSnapshot, file }, options).catch(failed);
  const { state } = file;
  if (found.published) return complete(found, await run(found, null, options));
  if (state.status === 'completed') return recorded(found);
  if (!isWaiting(state.status)) throw notWaiting(state);
  if (state.config !== null) return failed(broughtConfig(state));
  const owners = await ownersOf(context, state);
  for (const owner of options.actor ? owners : [])
    if (options.actor) requirePermission(rules.policy, options.actor, 'deploy', owner);
  if (options.onTrust !== true && !canJudge(context, rules, state)) throw noKeys(state);
  const grounds = await requireEligible(found).catch((error: unknown) => {
    if (isFailure(error) && REFUSALS.has(error.code)) return refuse(found, error);
    throw error;
  });
  return run(found, grounds, options).then(
    (result) => complete(found, result),
    (error: unknown) => (isFailure(error) && REFUSALS.has(error.code) ? refuse(found, error) : failed(error)),
  );
}

/** Why it may not go ahead, and not that something went wrong on the way to it. */
export const REFUSALS: ReadonlySet<FailureCode> = new Set([
  'AWAITING_APPROVAL',
  'PERMISSION_DENIED',
  'IDENTITY_UNVERIFIED',
]);

/** What is known of it before anything is decided. */
async function examine(
  known: Pick<EligibilityInput, 'context' | 'rules' | 'ledgerSnapshot' | 'file'>,
  options: ExecuteRequestOptions,
): Promise<EligibilityInput & { readonly published: boolean }> {
  const { context, ledgerSnapshot, file } = known;
  const proofs = await proveRequest(context, ledgerSnapshot, file);
  const counts = options.onTrust === true ? claimed(context) : proven;
  return { ...known, proofs, counts, published: await isPublished(context, file.state) };
}

function broughtConfig({ id }: LedgerRequest): BacktrailError {
  return new BacktrailError(
    'FORBIDDEN',
    `Request ${id} brought a configuration along, and only that of the branch counts.`,
    { hint: 'Commit the configuration as .backtrail/config.yaml, then ask for the rollback again.' },
  );
}

async function isPublished(context: RequestContext, state: LedgerRequest): Promise<boolean> {
  const { id, base } = state;
  const snapshot = await context.observe();
  const { base: tip } = snapshot;
  const commit = await context.git.findRequest({ tip, base, requestId: id });
  if (commit === null) return false;
  const claim = readRollback((await context.git.messages([commit])).get(commit)?.trailers ?? []);
  if (claim !== null && (await executesRequest(context, snapshot, state, { ...claim.record, commit })))
    return true;
  throw new BacktrailError(
    'LEDGER_TAMPERED',
    `Commit ${commit} of the branch names request ${id}, and is not the rollback that was asked for.`,
  );
}

/** The branch never had to hold it, where there was nothing to change: that it is so is asked of the branch, as the ledger only claims it. */
async function recorded(found: EligibilityInput): Promise<RollbackResult> {
  const { context, file } = found;
  const { id, scope, base, target, digest, result } = file.state;
  if (result?.status !== 'unchanged')
    throw new BacktrailError(
      'LEDGER_TAMPERED',
      `The ledger says that request ${id} was executed, but the branch does not contain it.`,
    );
  const { plan } = await planRequested(await context.observe(), requestOf(found, null), context.programs);
  if (plan.files.length > 0)
    throw new BacktrailError(
      'VERIFY_FAILED',
      `The ledger says that request ${id} had nothing to change, and the scope differs from its target.`,
      { details: { requestId: id } },
    );
  return resultOf({ id, scope, base, target, digest }, 'unchanged');
}

function notWaiting({ id, status, result }: LedgerRequest): BacktrailError {
  if (status === 'pending') return new BacktrailError('AWAITING_APPROVAL', `Request ${id} awaits approval.`);
  if (status === 'failed' && result?.status === 'failed')
    return new BacktrailError('REQUEST_CLOSED', `Request ${id} failed before: ${result.message}`, {
      hint: `\`backtrail request retry ${id}\` tries it again.`,
      details: { code: result.code },
    });
  return new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${status}.`);
}

function noKeys({ id }: LedgerRequest): BacktrailError {
  return new BacktrailError(
    'IDENTITY_UNVERIFIED',
    `Nobody's approval of ${id} can be judged: no key is trusted here.`,
    {
      hint: 'Name the list of keys that this worker trusts with BACKTRAIL_ALLOWED_SIGNERS=FILE.',
    },
  );
}

function run(
  found: EligibilityInput,
  provenance: Provenance | null,
  { onStep, signal }: ExecuteRequestOptions,
): Promise<RollbackResult> {
  const request = requestOf(found, provenance);
  // A policy may have come, or become stricter, on each tip that an attempt is made on.
  const authorize = async ({ snapshot }: Planned) => {
    await requireEligible({ ...found, rules: await rulesOf(found.context, snapshot) });
  };
  return execute({
    ...found.context,
    request,
    authorize,
    ...(onStep && { onStep }),
    ...(signal && { signal }),
  });
}

export function requestOf(
  { context, rules, file }: EligibilityInput,
  provenance: Provenance | null,
): RollbackRequest {
  const { state } = file;
  const bind = bindOf(rules, knownOwners(context, state));
  return {
    id: state.id,
    scope: state.scope,
    target: state.target,
    base: state.base,
    digest: state.digest,
    reason: state.justification,
    author: state.author,
    // The commit stands behind its own approval; the same for every worker that executes it.
    requestedAt: provenance?.at ?? state.createdAt,
    allowRemoval: state.allowRemoval,
    ...(bind === 'rendered' && { rendered: state.rendered }),
    ...(provenance && { provenance }),
  };
}
