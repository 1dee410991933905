/** Executes requests whose way is not a push: their pull requests are opened, and whatever becomes of those is followed (`follow.ts`). */
import {
  BacktrailError,
  isFailure,
  type LedgerRequest,
  type PublishRule,
  type RequestId,
  type RollbackResult,
  resultOf,
} from '../../model/index.ts';
import { isProposed, isWaiting } from '../../record/transitions.ts';
import type { BatchMember } from '../../rollback/batch/round.ts';
import type { RequestContext, Rules } from '../context.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from '../ledger/snapshot.ts';
import { requireRequest } from '../ledger/require-request.ts';
import type { Problem } from '../types.ts';
import { placeOf } from '../view.ts';
import { followProposed } from './follow.ts';
import { hostOf, methodOf } from './host.ts';
import { sharingBranch } from './looking.ts';
import { createOpening } from './opening.ts';
import { type ProposalGroup, proposeAll } from './propose.ts';
import { closeLeftOpen } from './take-back.ts';

/** One request, and which way it goes. */
export interface Proposing {
  readonly found: EligibilityInput;
  readonly rule: PublishRule;
  readonly onStep?: BatchMember['onStep'];
}

interface ProposingInput {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly signal?: AbortSignal | undefined;
  readonly turn?: (() => Promise<void>) | undefined;
}

/** Oldest first. A host that does not answer now keeps nothing back: the pull request is opened when it does. */
export async function executeProposing(
  input: ProposingInput,
  proposing: readonly Proposing[],
): Promise<Map<RequestId, PromiseSettledResult<RollbackResult>>> {
  const { context, rules } = input;
  const rulesById = new Map(proposing.map(({ found, rule }) => [found.file.state.id, rule]));
  const opening = createOpening(context, (id) => rulesById.get(id)?.labels ?? []);
  const results = await proposeAll({ ...input, opening }, await groupsOf(input, proposing));
  const opened = await opening.ended();
  for (const { found } of proposing) {
    const result = results.get(found.file.state.id);
    if (result?.status === 'fulfilled' && result.value.status === 'unchanged')
      await closeLeftOpen(context, rules, found.file);
  }
  const made = [...results.values()].flatMap((each) =>
    each.status === 'fulfilled' && each.value.status === 'proposed' ? [each.value] : [],
  );
  // Another worker has proposed them, and may not have come to open them.
  const others = made.filter(
    ({ requestId, proposed }) => proposed?.via === 'pull-request' && !opened.has(requestId),
  );
  // They are proposed, whatever goes wrong from here on: a worker that looks next goes on with them.
  const seen = await followNow(input, others).catch((error: unknown) => {
    if (!isFailure(error)) throw error;
    return { states: new Map<RequestId, LedgerRequest>(), problemOf: () => error };
  });
  for (const result of made) {
    const own = opened.get(result.requestId);
    const { number, url } = own?.pull ?? seen.states.get(result.requestId)?.link ?? {};
    const problem = own ? own.problem : seen.problemOf(result.requestId);
    const value: RollbackResult = {
      ...result,
      ...(number !== undefined &&
        url !== undefined && { pullRequest: { number, url, state: 'open', statusChecks: null } }),
      ...(problem && {
        findings: [...result.findings, { code: problem.code, severity: 'warn', message: problem.message }],
      }),
    };
    results.set(result.requestId, { status: 'fulfilled', value });
  }
  return results;
}

/** Their pull requests are opened, and the ledger is read again. */
async function followNow(
  { context, rules }: Pick<ProposingInput, 'context' | 'rules'>,
  made: readonly RollbackResult[],
): Promise<{
  readonly states: ReadonlyMap<RequestId, LedgerRequest>;
  problemOf(id: RequestId): Pick<Problem, 'code' | 'message'> | undefined;
}> {
  if (made.length === 0) return { states: new Map(), problemOf: () => undefined };
  const open = () => openLedgerSnapshot(context.git, rules.ref, context.cache);
  const ledgerSnapshot = await open();
  const files = await Promise.all(made.map(({ requestId }) => requireRequest(ledgerSnapshot, requestId)));
  const snapshot = await context.observe();
  const { problems } = await followProposed(
    { context, rules, ledgerSnapshot, snapshot, isAsked: false },
    files,
  );
  const after = await open();
  const states = await Promise.all(made.map(({ requestId }) => requireRequest(after, requestId)));
  return {
    states: new Map(states.map(({ state }) => [state.id, state])),
    problemOf: (id) => problems.find(({ requestId }) => requestId === id),
  };
}

/** Of an incident, one pull request an environment where each rollback keeps its own commits, and one a request where they would be squashed. */
async function groupsOf(
  { context, rules }: Pick<ProposingInput, 'context' | 'rules'>,
  proposing: readonly Proposing[],
): Promise<readonly ProposalGroup[]> {
  const groups = new Map<string, { via: ProposalGroup['via']; members: Proposing[] }>();
  for (const each of proposing) {
    const { rule, found } = each;
    const { state } = found.file;
    if (rule.via === 'push') continue;
    const isApart = state.incident === undefined || (await isSquashed(context, rules, rule));
    const { tenant, environment } = placeOf(state);
    const key = isApart ? state.id : JSON.stringify([state.incident, tenant, environment, rule.via]);
    const group = groups.get(key) ?? { via: rule.via, members: [] };
    groups.set(key, group);
    group.members.push(each);
  }
  return [...groups.values()];
}

/** Where it is not known, each comes alone: several squashed into one commit cannot be told apart any more. */
async function isSquashed(context: RequestContext, rules: Rules, rule: PublishRule): Promise<boolean> {
  if (rule.via === 'branch') return false;
  if (rule.method !== null) return rule.method === 'squash';
  try {
    const { branch } = await context.observe();
    const { host, into } = await hostOf(context, rules, branch);
    return methodOf(rule, await host.settings(into)) === 'squash';
  } catch (error) {
    if (isFailure(error)) return true;
    throw error;
  }
}

/**
 * Of one that waits to be merged: what became of it by now; null where it is to be pushed instead.
 *
 * @throws REQUEST_CLOSED where it waits no more, and did not land
 */
export async function followOne({
  context,
  rules,
  ledgerSnapshot,
  file,
}: Pick<EligibilityInput, 'context' | 'rules' | 'ledgerSnapshot' | 'file'>): Promise<RollbackResult | null> {
  const snapshot = await context.observe();
  await followProposed(
    { context, rules, ledgerSnapshot, snapshot, isAsked: false },
    await sharingBranch(ledgerSnapshot, file.state),
  );
  const after = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const { state } = await requireRequest(after, file.state.id);
  const { proposed, link, result, status } = state;
  if (result !== null && result.status !== 'failed') return resultOf(state, result.status, result);
  if (isWaiting(status) && proposed === null) return null;
  if (!isProposed(state) || proposed === null)
    throw new BacktrailError('REQUEST_CLOSED', `Request ${state.id} is ${status} by now.`);
  const { via, branch, commit, deliveryCommit } = proposed;
  return resultOf(state, 'proposed', {
    commit,
    deliveryCommit,
    proposed: { via, branch, into: snapshot.branch },
    ...(link && { pullRequest: { ...link, state: 'open', statusChecks: null } }),
  });
}
