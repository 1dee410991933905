/** Executes many approved requests in as few pushes as possible: what a worker does with those that wait at the same time. */
import type { RequestFile } from '../record/ledger-file.ts';
import type { RequestId, RollbackResult } from '../model/index.ts';
import { isFailure } from '../model/index.ts';
import { isDamaged } from '../git/process/failure.ts';
import { isProposed, isWaiting } from '../record/transitions.ts';
import { executeBatch } from '../rollback/batch/batch.ts';
import type { BatchResults } from '../rollback/batch/round.ts';
import { readRules, type RequestContext, requireOwnConfig, type Rules } from './context.ts';
import { executeRequest } from './execute.ts';
import { executeGroup } from './many/execute-group.ts';
import { type Failed, failTogether } from './many/fail-together.ts';
import { memberOf, REFUSALS } from './many/member.ts';
import { publishedAfter } from './restored.ts';
import type { EligibilityInput } from './gate/eligibility.ts';
import { proveRequest, readSignaturesOf } from './ledger/proof.ts';
import { expectLedger, type LedgerSnapshot, openLedgerSnapshot } from './ledger/snapshot.ts';
import { recordTogether, wantedBy } from './many/record-together.ts';
import { reportPublished } from './many/report.ts';
import { complete, completeAll, recordFailure, refuse } from './outcome.ts';
import { executeProposing, type Proposing } from './pull-requests/execute.ts';
import { wayOf } from './pull-requests/way.ts';
import type { ExecuteRequestOptions } from './types.ts';
import { canJudge, proven } from './view.ts';

/** One of many, with what its caller wants to hear of it. */
export interface ExecuteAsk extends Pick<ExecuteRequestOptions, 'onStep' | 'willRetry'> {
  readonly id: RequestId;
}

export interface ExecuteManyOptions extends Pick<ExecuteRequestOptions, 'signal'> {
  /** Awaited before each push but the first: a host may take only so many. */
  readonly turn?: () => Promise<void>;
}

/** On a repository that was refreshed for it. */
export async function executeRequests(
  context: RequestContext,
  asks: readonly ExecuteAsk[],
  { signal, turn = () => Promise.resolve() }: ExecuteManyOptions = {},
): Promise<BatchResults> {
  requireOwnConfig(context);
  const rules = await readRules(context);
  const { git, cache } = context;
  void expectLedger(git, rules.ref, cache);
  const ledgerSnapshot = await openLedgerSnapshot(git, rules.ref, cache, { refreshed: true });
  const results = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  const settle = async (id: RequestId, work: Promise<RollbackResult>) => {
    const [settled] = await Promise.allSettled([work]);
    results.set(id, settled);
  };
  const files = await filesOf(ledgerSnapshot, asks);
  const bases = files.map(({ state }) => state.base);
  const [found, published] = await Promise.all([
    proveAll(context, rules, ledgerSnapshot, files),
    publishedAfter(git, rules.snapshot?.base ?? null, bases),
  ]);
  const isReady = ({ id }: ExecuteAsk) => {
    const state = found.get(id)?.file.state;
    return (
      state !== undefined &&
      isWaiting(state.status) &&
      !isProposed(state) &&
      state.config === null &&
      !published.has(id) &&
      canJudge(context, rules, state)
    );
  };
  const isAtomic = ({ id }: ExecuteAsk) => found.get(id)?.file.state.atomic !== undefined;
  const ready = asks.filter(isReady);
  const { plain, proposing } = await dividedByWay(
    context,
    rules,
    ready.filter((one) => !isAtomic(one)),
    found,
  );
  const members = plain.flatMap(({ id, onStep }) => {
    const each = found.get(id);
    return each ? [memberOf(each, onStep)] : [];
  });
  const { snapshot } = rules;
  const recorded = new Set<RequestId>();
  const record = recordTogether({ context, rules, ledgerSnapshot }, recorded);
  const batch: BatchResults =
    snapshot === null || members.length === 0
      ? new Map()
      : await executeBatch({
          ...context,
          members,
          snapshot,
          record,
          wanted: wantedBy({ context, rules }),
          turn,
          ...(signal && { signal }),
        });
  requireWhole(context, batch);
  const toldBy = new Map(asks.map(({ id, onStep }) => [id, onStep]));
  // What a pull request brought is told by the ledger, one by one.
  const isArrived = ({ id }: ExecuteAsk) => {
    const result = found.get(id)?.file.state.result;
    return result?.status === 'completed' && result.arrived !== undefined;
  };
  const isReported = (ask: ExecuteAsk) =>
    published.has(ask.id) && !isArrived(ask) && signal?.aborted !== true;
  const there = asks.filter(isReported).flatMap(({ id }) => found.get(id) ?? []);
  const reported = snapshot === null ? [] : await reportPublished(snapshot, there, published);
  for (const result of reported) {
    const { requestId, digest, commit, deliveryCommit } = result;
    results.set(requestId, { status: 'fulfilled', value: result });
    if (found.get(requestId)?.file.state.status === 'completed') recorded.add(requestId);
    if (commit !== null) await toldBy.get(requestId)?.({ step: 'verified', digest, commit, deliveryCommit });
  }
  const done = [...batch.values()].flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const unrecorded = [...done, ...reported].filter(({ requestId }) => !recorded.has(requestId));
  if (done.length > 0 && unrecorded.length > 0) await turn();
  await completeAll(context, rules, unrecorded);
  const lost: Failed[] = [];
  for (const { id, ...options } of plain) {
    const [outcome, each] = [batch.get(id), found.get(id)];
    if (outcome?.status === 'rejected' && each) lost.push({ found: each, reason: outcome.reason, options });
    else if (outcome) results.set(id, outcome);
  }
  for (const [id, settled] of await failTogether({ context, rules, turn }, lost)) results.set(id, settled);
  if (proposing.length > 0) {
    if (batch.size > 0) await turn();
    const proposed = await executeProposing({ context, rules, ledgerSnapshot, signal, turn }, proposing);
    await settleProposed(proposing, proposed, { asks, settle, results });
  }
  await executeGroups(ready.filter(isAtomic), found, { results, signal, turn, isFirst: batch.size === 0 });
  // What was never to be done, or not so, is rare, and explains itself.
  for (const { id, ...options } of asks) {
    if (results.has(id)) continue;
    if (signal?.aborted === true) results.set(id, { status: 'rejected', reason: signal.reason });
    else await settle(id, executeRequest(context, id, { ...options, ...(signal && { signal }) }));
  }
  return results;
}

/** Those that are pushed, and those that are proposed. */
async function dividedByWay(
  context: RequestContext,
  rules: Rules,
  asks: readonly ExecuteAsk[],
  found: ReadonlyMap<RequestId, EligibilityInput>,
): Promise<{ readonly plain: readonly ExecuteAsk[]; readonly proposing: readonly Proposing[] }> {
  if (rules.publish.length === 0) return { plain: asks, proposing: [] };
  const plain: ExecuteAsk[] = [];
  const proposing: Proposing[] = [];
  for (const ask of asks) {
    const each = found.get(ask.id);
    const rule = each ? await wayOf(context, rules, each.file.state) : null;
    if (!each || rule === null || rule.via === 'push') plain.push(ask);
    else proposing.push({ found: each, rule, ...(ask.onStep && { onStep: ask.onStep }) });
  }
  return { plain, proposing };
}

/** What became of each is recorded as it is for those that are pushed. */
async function settleProposed(
  proposing: readonly Proposing[],
  proposed: BatchResults,
  {
    asks,
    settle,
    results,
  }: {
    readonly asks: readonly ExecuteAsk[];
    readonly settle: (id: RequestId, work: Promise<RollbackResult>) => Promise<void>;
    readonly results: Map<RequestId, PromiseSettledResult<RollbackResult>>;
  },
): Promise<void> {
  for (const { found } of proposing) {
    const { id } = found.file.state;
    const result = proposed.get(id);
    const options = asks.find((ask) => ask.id === id) ?? {};
    if (result?.status === 'rejected') await settle(id, failed(found, result.reason, options));
    else if (result?.value.status === 'unchanged') await settle(id, complete(found, result.value));
    else if (result) results.set(id, result);
  }
}

interface GroupsInput {
  readonly results: Map<RequestId, PromiseSettledResult<RollbackResult>>;
  readonly signal: AbortSignal | undefined;
  readonly turn: () => Promise<void>;
  /** Nothing was pushed yet. */
  readonly isFirst: boolean;
}

/** One push for each group, whichever of its requests are asked for. */
async function executeGroups(
  asks: readonly ExecuteAsk[],
  found: ReadonlyMap<RequestId, EligibilityInput>,
  { results, signal, turn, isFirst }: GroupsInput,
): Promise<void> {
  const groups = new Map<RequestId, ExecuteAsk[]>();
  for (const ask of asks) {
    const first = found.get(ask.id)?.file.state.atomic?.first ?? ask.id;
    groups.set(first, [...(groups.get(first) ?? []), ask]);
  }
  let isNext = !isFirst;
  for (const group of groups.values()) {
    const one = found.get(group[0]?.id ?? '');
    if (one === undefined || signal?.aborted === true) continue;
    const isOld = isNext;
    if (isOld) await turn();
    isNext = true;
    const onSteps = new Map(group.map(({ id, onStep }) => [id, onStep]));
    const willRetry = group.some((ask) => ask.willRetry === true);
    const made = await executeGroup(one, { onSteps, willRetry, turn, isOld, ...(signal && { signal }) });
    for (const { id } of group) {
      const result = made.get(id);
      if (result) results.set(id, result);
    }
  }
}

/** Those that the ledger knows; what is wrong with the others is said of each, when it is executed by itself. */
async function filesOf(ledgerSnapshot: LedgerSnapshot, asks: readonly ExecuteAsk[]): Promise<RequestFile[]> {
  const files = await Promise.all(asks.map(({ id }) => ledgerSnapshot.request(id).catch(() => null)));
  return files.filter((file) => file !== null);
}

/** Those that the ledger proves. */
async function proveAll(
  context: RequestContext,
  rules: Rules,
  ledgerSnapshot: LedgerSnapshot,
  files: readonly RequestFile[],
): Promise<Map<RequestId, EligibilityInput>> {
  await readSignaturesOf(context, ledgerSnapshot, files).catch(() => undefined);
  const found = new Map<RequestId, EligibilityInput>();
  for (const file of files)
    try {
      const proofs = await proveRequest(context, ledgerSnapshot, file);
      found.set(file.state.id, { context, rules, ledgerSnapshot, file, proofs, counts: proven });
    } catch {
      // As above.
    }
  return found;
}

/** What a damaged mirror fails with is not the fault of a request: all is done again where the mirror can be fetched anew. */
function requireWhole({ git }: RequestContext, batch: BatchResults): void {
  if (git.kind === 'local' || git.renewed) return;
  for (const each of batch.values())
    if (each.status === 'rejected' && isFailure(each.reason) && isDamaged(each.reason)) throw each.reason;
}

/** What becomes of it is recorded; throws why. */
function failed(found: EligibilityInput, error: unknown, options: ExecuteRequestOptions): Promise<never> {
  if (isFailure(error) && REFUSALS.has(error.code)) return refuse(found, error);
  return recordFailure(found, error, options);
}
