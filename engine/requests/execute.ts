/** Executes an approved request: what a worker does, on no one's word but the branch's and that of keys it trusts. */
import {
  type ArrivedChange,
  BacktrailError,
  isFailure,
  type LedgerRequest,
  type Provenance,
  type PublishRule,
  type RequestId,
  type RollbackResult,
} from '../model/index.ts';
import { requireRequest } from './ledger/require-request.ts';
import { isProposed, isWaiting } from '../record/transitions.ts';
import { Obstructed } from '../rollback/batch/round.ts';
import { execute } from '../rollback/execute.ts';
import type { Planned } from '../rollback/planning/planned.ts';
import { arrivedOf } from './arrivals/arrived-of.ts';
import type { ExecuteRequestOptions } from './types.ts';
import { openLedgerSnapshot } from './ledger/snapshot.ts';
import { type EligibilityInput, requireEligible } from './gate/eligibility.ts';
import { complete, recordFailure, refuse } from './outcome.ts';
import { requireHome } from './gate/home.ts';
import { ownersOf } from './gate/owners.ts';
import { readRules, type RequestContext, requireOwnConfig, rulesOf } from './context.ts';
import { proveRequest } from './ledger/proof.ts';
import { executeGroup } from './many/execute-group.ts';
import { isPublished, recorded, REFUSALS, requestOf } from './many/member.ts';
import { recordTogether, wantedBy } from './many/record-together.ts';

import { requirePermission } from './gate/permissions.ts';
import { executeProposing, followOne } from './pull-requests/execute.ts';
import { requireWay, wayOf } from './pull-requests/way.ts';
import { canJudge, claimed, proven } from './view.ts';

export async function executeRequest(
  context: RequestContext,
  id: RequestId,
  options: ExecuteRequestOptions = {},
  /** The repository was refreshed for it. */
  { isFresh = false }: { readonly isFresh?: boolean } = {},
): Promise<RollbackResult> {
  requireOwnConfig(context);
  if (!isFresh) await context.git.refresh();
  const rules = await readRules(context);
  const reading = { refreshed: true };
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache, reading);
  const file = await requireRequest(ledgerSnapshot, id);
  if (isProposed(file.state)) {
    const followed = await followOne({ context, rules, ledgerSnapshot, file });
    return followed ?? executeRequest(context, id, options);
  }
  const failed = (error: unknown) => recordFailure({ context, rules, file }, error, options);
  const found = await examine({ context, rules, ledgerSnapshot, file }, options).catch(failed);
  const { state } = file;
  if (found.published) return complete(found, await run(found, null, options, found.arrived));
  if (state.status === 'completed') return recorded(found);
  if (!isWaiting(state.status)) throw notWaiting(state);
  if (state.config !== null) return failed(broughtConfig(state));
  // Nothing is said in the ledger by who is at the wrong place.
  requireHome(rules);
  if (state.atomic !== undefined) return executeInGroup(found, options);
  const owners = await ownersOf(context, state);
  for (const owner of options.actor ? owners : [])
    if (options.actor) requirePermission(rules.policy, options.actor, 'deploy', owner);
  if (options.onTrust !== true && !canJudge(context, rules, state)) throw noKeys(state);
  const grounds = await requireEligible(found).catch((error: unknown) => {
    if (isFailure(error) && REFUSALS.has(error.code)) return refuse(found, error);
    throw error;
  });
  const rule = await wayOf(context, rules, state);
  if (rule.via !== 'push') return executeAsProposal(found, rule, options).catch(failed);
  return run(found, grounds, options).then(
    (result) => complete(found, result),
    (error: unknown) => (isFailure(error) && REFUSALS.has(error.code) ? refuse(found, error) : failed(error)),
  );
}

/** Refused, or failed, it is recorded as for a push. */
async function executeAsProposal(
  found: EligibilityInput,
  rule: PublishRule,
  { onStep, signal }: ExecuteRequestOptions,
): Promise<RollbackResult> {
  const proposing = [{ found, rule, ...(onStep && { onStep }) }];
  const results = await executeProposing({ ...found, signal }, proposing);
  const result = results.get(found.file.state.id);
  if (result?.status === 'fulfilled')
    return result.value.status === 'unchanged' ? complete(found, result.value) : result.value;
  const { reason } = result ?? { reason: new BacktrailError('INTERNAL', 'Nothing became of it.') };
  if (isFailure(reason) && REFUSALS.has(reason.code)) return refuse(found, reason);
  throw reason;
}

/** Never alone: all of its group in one push, or none of them. */
async function executeInGroup(
  found: EligibilityInput,
  options: ExecuteRequestOptions,
): Promise<RollbackResult> {
  const { id } = found.file.state;
  const { onStep, ...rest } = options;
  const results = await executeGroup(found, { ...rest, onSteps: new Map([[id, onStep]]) });
  const result = results.get(id);
  // Another worker has published them since this one looked.
  if (result === undefined) return executeRequest(found.context, id, options);
  if (result.status === 'fulfilled') return result.value;
  throw result.reason;
}

/** What is known of it before anything is decided. */
async function examine(
  known: Pick<EligibilityInput, 'context' | 'rules' | 'ledgerSnapshot' | 'file'>,
  options: ExecuteRequestOptions,
): Promise<EligibilityInput & { readonly published: boolean; readonly arrived: ArrivedChange | null }> {
  const { context, ledgerSnapshot, file } = known;
  const proofs = await proveRequest(context, ledgerSnapshot, file);
  const counts = options.onTrust === true ? claimed(context) : proven;
  const arrived = await arrivedOf(context, file.state);
  const published = await isPublished(context, file.state, arrived);
  return { ...known, proofs, counts, arrived, published };
}

function broughtConfig({ id }: LedgerRequest): BacktrailError {
  return new BacktrailError(
    'FORBIDDEN',
    `Request ${id} brought a configuration along, and only that of the branch counts.`,
    { hint: 'Commit the configuration as .backtrail/config.yaml, then ask for the rollback again.' },
  );
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

async function run(
  found: EligibilityInput,
  provenance: Provenance | null,
  { onStep, signal }: ExecuteRequestOptions,
  arrived: ArrivedChange | null = null,
): Promise<RollbackResult> {
  const request = requestOf(found, provenance);
  // A policy may have come, or become stricter, on each tip that an attempt is made on.
  const authorize = async ({ snapshot, plan }: Planned) => {
    const rules = await rulesOf(found.context, snapshot);
    requireWay(rules, plan.owners, { isPush: true });
    await requireEligible({ ...found, rules });
  };
  try {
    return await execute({
      ...found.context,
      request,
      authorize,
      record: recordTogether(found, new Set()),
      wanted: wantedBy(found),
      ...(arrived && { arrived }),
      ...(onStep && { onStep }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof Obstructed) throw error.obstacles.get(request.id);
    throw error;
  }
}
