/**
 * Rollbacks onto branches of ours, beside the branch that is rolled back: the same commits as a push would bring, and the events that say so, in
 * one push. Requests that one pull request brings are a chain on one branch, named after the first of them.
 */
import {
  BacktrailError,
  type CommitChain,
  type Hasher,
  isFailure,
  type LedgerRequest,
  type ObjectId,
  type PathChange,
  PROPOSED_BRANCH,
  type Proposed,
  type RequestEvent,
  type RequestId,
  type RollbackResult,
  resultOf,
} from '../../model/index.ts';
import { requireRequest } from '../ledger/require-request.ts';
import { changeDigest, sumOf } from '../../record/change-digest.ts';
import { isProposed, isWaiting } from '../../record/transitions.ts';
import { stageAll, tipOf } from '../../rollback/batch/chain.ts';
import { prepare } from '../../rollback/batch/plans.ts';
import {
  type BatchMember,
  type BatchResults,
  beginRound,
  type Ready,
  type Round,
  type Staged,
} from '../../rollback/batch/round.ts';
import { requireWritten } from '../../rollback/written.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { rulesOf, type RequestContext, type Rules, stamp } from '../context.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { append } from '../ledger/append.ts';
import { type Entry, onRequest } from '../ledger/entries.ts';
import { prepareEvents } from '../ledger/prepare.ts';
import { type LedgerSnapshot, openLedgerSnapshot } from '../ledger/snapshot.ts';
import { memberOf } from '../many/member.ts';
import { lookOf, nameOfProposal } from './looking.ts';
import type { Opening, Proposal } from './opening.ts';

/** Requests that share a branch, oldest first. */
export interface ProposalGroup {
  readonly via: Proposed['via'];
  /** The branch that the ledger names is not what was approved: that of the first request is made, which is there now; null: nowhere. */
  readonly from?: ObjectId | null;
  readonly members: readonly {
    readonly found: EligibilityInput;
    readonly onStep?: BatchMember['onStep'];
  }[];
}

interface ProposeInput {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly signal?: AbortSignal | undefined;
  /** Awaited before each push but the first. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** Does its part at the same time. */
  readonly opening?: Pick<Opening, 'onStaged' | 'onProposed'> | undefined;
}

const ATTEMPTS = 8;

/**
 * Pushes the branches of all groups. Each request is `proposed` then, or has its own failure, or had nothing to do. What the server refuses is tried
 * group by group, so that one does not stand in the way of the others.
 */
export async function proposeAll(
  input: ProposeInput,
  groups: readonly ProposalGroup[],
): Promise<Map<RequestId, PromiseSettledResult<RollbackResult>>> {
  const results = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  const { clock } = input.context;
  const known = new Map<string, ObjectId | null>();
  let left = groups;
  for (let attempt = 1; left.length > 0; attempt += 1)
    try {
      if (attempt > 1) {
        await input.turn?.();
        await input.context.git.refresh();
      }
      if (attempt > 1) left = await withoutSettled(input, left, { results, known });
      left = await proposeOnce(input, left, { results, known, isFirst: attempt === 1 });
    } catch (error) {
      left = unsettled(left, results);
      const isMove = isFailure(error) && error.code === 'BRANCH_MOVED';
      // One of them was withdrawn meanwhile: it is left out.
      const isClosed = isFailure(error) && error.code === 'REQUEST_CLOSED';
      if (isMove) await readMoved(input.context, error, known);
      if ((isMove || isClosed) && attempt < ATTEMPTS) await clock.sleep(20 * 2 ** attempt);
      else if (left.length > 1 && isFailure(error) && error.code === 'REMOTE_REJECTED')
        for (const group of left)
          for (const [id, each] of await proposeAll(input, [group])) results.set(id, each);
      else fail(left, results, error);
      left = unsettled(left, results);
    }
  return results;
}

/** What another worker has proposed meanwhile, what is not waiting any more, and what a person has pushed on its branch. */
async function withoutSettled(
  { context, rules }: ProposeInput,
  groups: readonly ProposalGroup[],
  { results, known }: Pick<Attempt, 'results' | 'known'>,
): Promise<readonly ProposalGroup[]> {
  const { branch: into } = await context.observe();
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  for (const { members } of groups)
    for (const { found } of members) {
      const before = found.file.state.proposed;
      const { state } = await requireRequest(ledgerSnapshot, found.file.state.id);
      const { id, proposed } = state;
      const at = known.get(before?.branch ?? '') ?? null;
      if (!isWaiting(state.status)) results.set(id, { status: 'rejected', reason: closedMeanwhile(state) });
      else if (proposed !== null && proposed.commit !== before?.commit) {
        const { via, branch, commit, deliveryCommit } = proposed;
        const value = resultOf(state, 'proposed', {
          commit,
          deliveryCommit,
          proposed: { via, branch, into },
        });
        results.set(id, { status: 'fulfilled', value });
      } else if (before !== null && at !== null && at !== before.tip)
        results.set(id, { status: 'rejected', reason: pushedMeanwhile(before.branch) });
    }
  return unsettled(groups, results);
}

const closedMeanwhile = ({ id, status }: LedgerRequest) =>
  new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${status} by now.`);

const pushedMeanwhile = (branch: string) =>
  new BacktrailError('PULL_REQUEST_CHANGED', `Somebody else has pushed to ${branch}; it stays as it is.`);

const unsettled = (groups: readonly ProposalGroup[], results: BatchResults): readonly ProposalGroup[] =>
  groups.flatMap((group) => {
    const members = group.members.filter(({ found }) => !results.has(found.file.state.id));
    return members.length === 0 ? [] : [{ ...group, members }];
  });

function fail(
  groups: readonly ProposalGroup[],
  results: Map<RequestId, PromiseSettledResult<RollbackResult>>,
  reason: unknown,
): void {
  for (const { members } of groups)
    for (const { found } of members) results.set(found.file.state.id, { status: 'rejected', reason });
}

/** An earlier attempt may have left its branch behind, or another worker may be at it. */
async function readMoved(
  { git }: RequestContext,
  { details }: BacktrailError,
  known: Map<string, ObjectId | null>,
): Promise<void> {
  const { ref } = details;
  const branch = typeof ref === 'string' ? ref.replace(/^refs\/heads\//, '') : '';
  if (branch.startsWith(PROPOSED_BRANCH)) known.set(branch, await git.proposedAt(branch));
}

interface Attempt {
  readonly results: Map<RequestId, PromiseSettledResult<RollbackResult>>;
  /** Where branches of ours are that were not where they were expected. */
  readonly known: Map<string, ObjectId | null>;
  readonly isFirst: boolean;
}

interface Made {
  readonly group: ProposalGroup;
  readonly branch: string;
  readonly staged: readonly Staged[];
  readonly events: ReadonlyMap<RequestId, Proposed>;
  readonly expected: ObjectId | null;
  /** The ids of its commits are known before git has them. */
  readonly written: Promise<void>;
}

/** One look, one push. Gives the groups of those that the others of their group left nothing to do for, which are decided again. */
async function proposeOnce(
  { context, rules, ledgerSnapshot, signal, opening }: ProposeInput,
  groups: readonly ProposalGroup[],
  { results, known, isFirst }: Attempt,
): Promise<readonly ProposalGroup[]> {
  const { git } = context;
  const snapshot = await context.observe();
  const now = isFirst ? rules : await rulesOf(context, snapshot);
  const chains: CommitChain[] = [];
  try {
    const made: Made[] = [];
    for (const group of groups) {
      // Git is not started for all of them at once.
      await made.at(-1)?.written;
      const one = await stageGroup({ context, rules: now, signal }, group, { snapshot, results, chains });
      if (one !== null) made.push(withExpected(one, known));
    }
    if (made.length === 0) return [];
    const proposals = made.map((each) => proposalOf(each, { rules: now, snapshot }));
    const check = async () => {
      await Promise.all(made.map(({ written }) => written));
      await requireWritten(
        git,
        made.flatMap(({ staged }) => staged.flatMap(({ delivered }) => delivered.written)),
      );
      signal?.throwIfAborted();
      opening?.onStaged(proposals);
    };
    const at = { context, rules: now, ledgerSnapshot: isFirst ? ledgerSnapshot : null };
    const tidy = await push(at, made, check());
    for (const { events } of made)
      for (const [id, proposed] of events) lookOf(context).borneOut.set(id, nameOfProposal(proposed));
    opening?.onProposed(proposals);
    const pushed = made.flatMap(({ group, branch, staged }) =>
      staged.map((each) => ({ ...each, branch, via: group.via })),
    );
    context.background(tidy().then(() => git.deleteStaging(...pushed.map(({ request }) => request.id))));
    for (const { member, request, delivered, branch, via } of pushed) {
      const { commit, deliveryCommit, plan } = delivered;
      await member.onStep?.({ step: 'published', digest: plan.digest, commit, deliveryCommit });
      const proposed = { via, branch, into: snapshot.branch };
      const base = snapshot.base;
      results.set(request.id, {
        status: 'fulfilled',
        value: resultOf({ ...request, base, digest: plan.digest }, 'proposed', {
          commit,
          deliveryCommit,
          proposed,
        }),
      });
    }
    // Those that the first ones of their group touch come alone.
    return unsettled(groups, results).flatMap((group) =>
      group.members.map((member) => ({ ...group, members: [member] })),
    );
  } finally {
    await Promise.all(chains.map((chain) => chain.drop()));
  }
}

const withExpected = (made: Omit<Made, 'expected'>, known: ReadonlyMap<string, ObjectId | null>): Made => {
  const [first] = made.group.members;
  // A branch that is made anew is where the ledger says.
  const before = first?.found.file.state.proposed;
  const { from = before?.branch === made.branch ? before.tip : null } = made.group;
  return { ...made, expected: known.has(made.branch) ? (known.get(made.branch) ?? null) : from };
};

/** The commits of one branch; null where none of its requests has anything to change. */
async function stageGroup(
  { context, rules, signal }: Pick<ProposeInput, 'context' | 'rules' | 'signal'>,
  group: ProposalGroup,
  { snapshot, results, chains }: { snapshot: Snapshot; results: Round['results']; chains: CommitChain[] },
): Promise<Omit<Made, 'expected'> | null> {
  const members = group.members.map(({ found, onStep }) =>
    memberOf({ ...found, rules }, onStep, { isPush: false }),
  );
  const { recorder: _, ...rest } = context;
  const round: Round = {
    ...beginRound({
      ...rest,
      members,
      snapshot,
      record: () => Promise.resolve(null),
      ...(signal && { signal }),
    }),
    results,
  };
  const ready: Ready[] = [];
  for (const member of members) {
    signal?.throwIfAborted();
    const [settled] = await Promise.allSettled([prepare(round, snapshot, member)]);
    if (settled.status === 'rejected') results.set(member.asked.id, settled);
    else if ('planned' in settled.value) ready.push({ member, ...settled.value });
    else results.set(member.asked.id, { status: 'fulfilled', value: settled.value });
  }
  // Each branch begins on the tip, with a chain of its own.
  const begun: CommitChain[] = [];
  const { staged, written } = await stageAll(round, { snapshot, ready, chains: begun }).finally(
    () => void chains.push(...begun),
  );
  const [first] = staged;
  if (first === undefined) return null;
  // The branch of earlier attempts, where there is one.
  const own = group.members.find(({ found }) => found.file.state.id === first.request.id)?.found.file.state;
  const kept = group.from === undefined ? own?.proposed?.branch : undefined;
  const branch = kept ?? `${PROPOSED_BRANCH}${first.request.id}`;
  return {
    group,
    branch,
    staged,
    written,
    events: proposedBy(group, { branch, staged, base: snapshot.base, hasher: snapshot.hasher }),
  };
}

function proposedBy(
  { via }: ProposalGroup,
  {
    branch,
    staged,
    base,
    hasher,
  }: { branch: string; staged: readonly Staged[]; base: ObjectId; hasher: Hasher },
): ReadonlyMap<RequestId, Proposed> {
  const last = staged.at(-1);
  const tip = last ? tipOf(last.delivered) : base;
  const digest = (changes: readonly PathChange[]) => changeDigest(hasher, changes);
  const changesOf = ({ delivered }: Staged) => delivered.written.map(({ files }) => files);
  const together = staged.length > 1 ? digest(sumOf(staged.flatMap(changesOf))) : null;
  return new Map(
    staged.map((each) => {
      const { commit, deliveryCommit, written } = each.delivered;
      const [revert, delivery] = written;
      const proposed: Proposed = {
        via,
        branch,
        base,
        commit,
        deliveryCommit,
        tip,
        messages: { revert: revert?.message ?? '', delivery: delivery?.message ?? null },
        change: {
          revert: digest(revert?.files ?? []),
          delivery: delivery === undefined ? null : digest(delivery.files),
          whole: digest(sumOf(changesOf(each))),
        },
        ...(together !== null && { together }),
      };
      return [each.request.id, proposed];
    }),
  );
}

const proposalOf = (
  { group, branch, staged, events }: Made,
  at: Pick<Proposal, 'rules' | 'snapshot'>,
): Proposal => {
  const requests = staged.flatMap(({ request, delivered: planned }) => {
    const found = group.members.find((member) => member.found.file.state.id === request.id)?.found;
    const proposed = events.get(request.id);
    return found && proposed ? [{ ...found, proposed, planned }] : [];
  });
  return { ...at, via: group.via, branch, tip: requests[0]?.proposed.tip ?? '', requests };
};

/**
 * All branches and the events of all, in one push, as soon as the commits are `checked` to be what was planned. Gives what is left to be
 * tidied up.
 */
async function push(
  {
    context,
    rules,
    ledgerSnapshot,
  }: Pick<ProposeInput, 'context' | 'rules'> & { readonly ledgerSnapshot: LedgerSnapshot | null },
  made: readonly Made[],
  checked: Promise<void>,
): Promise<() => Promise<void>> {
  const { git } = context;
  const decide = (known: LedgerSnapshot) => proposedEvents(context, known, made);
  const [events, check] = await Promise.allSettled([
    prepareEvents(context, rules, decide, { known: ledgerSnapshot }),
    checked,
  ]);
  if (events.status === 'rejected') throw events.reason;
  const prepared = events.value;
  const moves = made.map(({ branch, events, expected }) => {
    const [proposed] = events.values();
    return { branch, expected, next: proposed?.tip ?? null };
  });
  const finish = async (outcome: 'moved' | 'discarded') => {
    if (prepared !== null) await git.ledger.finish(prepared, outcome);
  };
  let isMoved = false;
  try {
    if (check.status === 'rejected') throw check.reason;
    const left = await git.propose({ moves, also: prepared === null ? [] : [prepared.move] });
    isMoved = prepared !== null && left.length === 0;
  } finally {
    if (!isMoved) await finish('discarded');
  }
  if (isMoved) return () => finish('moved');
  // A server that takes branches alone has them now: whoever finds one without its event makes it anew.
  await append(context, rules, decide);
  return () => Promise.resolve();
}

async function proposedEvents(
  context: RequestContext,
  known: LedgerSnapshot,
  made: readonly Made[],
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const { events } of made)
    for (const [id, proposed] of events) {
      const { state } = await requireRequest(known, id);
      if (!isWaiting(state.status)) throw closedMeanwhile(state);
      const before = isProposed(state) ? state.proposed : null;
      if (before !== null && nameOfProposal(before) === nameOfProposal(proposed)) continue;
      const event: RequestEvent = { ...stamp(context, context.committer), type: 'proposed', proposed };
      entries.push(onRequest(id, event));
    }
  return entries;
}
