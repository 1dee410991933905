/**
 * Several rollbacks as one chain of commits and one push, as a database commits a group of transactions. Each keeps its own revert commit,
 * delivery commit, trailers and result, and fails alone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type BranchEdit,
  type CommitChain,
  FAILURES,
  type Finding,
  isFailure,
  type ObjectId,
  type RepositoryPublisher,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
  type Step,
} from '../model/index.ts';
import { makeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import { deliver, type Delivered } from './deliver.ts';
import { isDisjoint } from './disjoint.ts';
import { execute, type ExecuteInput, outcomeOf, requireConfirmed } from './execute.ts';
import { planRequested, type Planned, requireOnLine } from './plan.ts';
import { NOT_RECORDED, publishWith, type RecordedRollbacks, type RideAlong } from './records.ts';
import { stage } from './stage.ts';
import { verify } from './verify.ts';
import { requireWritten } from './written.ts';

/** One rollback of a batch, which the branch does not hold yet. */
export interface BatchMember extends Pick<ExecuteInput, 'onStep'> {
  readonly asked: Pick<
    RollbackRequest,
    'id' | 'scope' | 'target' | 'base' | 'allowRemoval' | 'overrides' | 'hold' | 'resume'
  >;
  /** What is recorded of it, where this plan may go ahead; throws where it may not. */
  readonly authorize: (planned: Planned) => Promise<RollbackRequest>;
}

export interface BatchInput
  extends Pick<ExecuteInput, 'git' | 'observe' | 'programs' | 'committer' | 'clock' | 'signal' | 'recorder'> {
  /** Oldest first. */
  readonly members: readonly BatchMember[];
  /** The branch as it was looked at just now: for the first round. */
  readonly snapshot: Snapshot;
  /** Awaited before each push but the first. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** A record of these results that can move together with the branch; null where there is none. */
  readonly record: (
    results: readonly RollbackResult[],
    /** Whether another writer was faster there. */
    options: { readonly again: boolean },
  ) => Promise<RideAlong | null>;
}

export type BatchResults = ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>;

/** So often in a row may others be faster on the branch, before fewer are tried, and where one alone is left, before it is given up. */
const ATTEMPTS = 8;
/** So often in a row, before the branch is pushed without the record, which is written afterwards then: that is sooner there. */
const PATIENCE = 3;
/** Milliseconds. After so long a time of planning, the branch is looked at once more: it is more likely to have moved than a look is dear. */
const LONG = 500;
/** So few are not divided because the branch moved: their push takes hardly longer than that of one, and they would each have to win. */
const TOGETHER = 16;

/**
 * Executes all of them. A branch that moved: plans that its changes do not touch are kept, and their commits are written anew on the new tip;
 * fewer at once then, as a smaller push is sooner there. A refusal: halves, until what is refused stands alone.
 */
export async function executeBatch(input: BatchInput): Promise<BatchResults> {
  const { clock, signal } = input;
  const results = new Map<RequestId, PromiseSettledResult<RollbackResult>>();
  const isOpen = ({ asked }: BatchMember) => !results.has(asked.id);
  const fail = (members: readonly BatchMember[], reason: unknown) => {
    for (const { asked } of members.filter(isOpen)) results.set(asked.id, { status: 'rejected', reason });
  };
  const round: Round = { ...input, results, plans: new Map(), moved: new Map(), since: null, losses: 0 };
  const groups = [input.members];
  let [rounds, moves, failures] = [0, 0, 0];
  for (let group = groups.shift()?.filter(isOpen); group; group = groups.shift()?.filter(isOpen)) {
    if (group.length === 0) continue;
    try {
      rounds += 1;
      if (rounds > 1) await input.turn?.();
      await pushRound(round, group);
      [moves, failures, round.losses] = [0, 0, 0];
      // Those that the others stood in the way of are decided on what the branch holds now.
      groups.unshift(group.filter(isOpen));
    } catch (error) {
      const left = group.filter(isOpen);
      const middle = Math.ceil(left.length / 2);
      const isMove = isFailure(error) && error.code === 'BRANCH_MOVED';
      const isAlone = left.length <= 1;
      if (isMove) round.losses += 1;
      const isWhole = isAlone || (isMove && left.length <= TOGETHER && moves + 1 < ATTEMPTS);
      moves = isMove && isWhole ? moves + 1 : 0;
      failures = isGitAlone(error) && isAlone ? failures + 1 : failures;
      if (signal?.aborted === true) fail(input.members, signal.reason);
      // What is away for one is away for all.
      else if ((!isMove && !isRefusal(error) && !isGitAlone(error)) || failures > FAILED_ALONE)
        fail(input.members, error);
      else if (!isWhole) groups.unshift(left.slice(0, middle), left.slice(middle));
      else if (isMove && moves < ATTEMPTS) groups.unshift(left);
      else {
        fail(left, error);
        moves = 0;
      }
      if (isMove && left.some(isOpen)) await clock.sleep(5 * 2 ** moves);
    }
  }
  return results;
}

/** It would be refused again: by a hook, a rule of the server, a worktree in the way. */
const isRefusal = (error: unknown) => !isFailure(error) || FAILURES[error.code].retry === 'never';

/** Perhaps of one of them: what is too much for git, or takes it too long, may be little without it. */
const isGitAlone = (error: unknown) =>
  isFailure(error) && (error.code === 'GIT_FAILED' || error.code === 'GIT_TIMEOUT');

/** So many of which each failed alone, and none landed in between: git fails whatever it is given. */
const FAILED_ALONE = 2;

export interface Round extends BatchInput {
  /** All in one push, or none: whatever stands in the way of one is thrown as `Obstructed`. */
  readonly together?: true;
  /** Plans of earlier rounds. */
  readonly plans: Map<RequestId, Authorized>;
  readonly results: Map<RequestId, PromiseSettledResult<RollbackResult>>;
  /** Paths that changed between two tips; null where the first is not on the line of the second. */
  readonly moved: Map<string, Promise<readonly string[] | null>>;
  /** The tip that the first round saw. */
  since: ObjectId | null;
  /** How often in a row others were faster. */
  losses: number;
}

/** What stands in the way of rollbacks that are published together, by the request that it is the fault of. */
export class Obstructed extends Error {
  readonly obstacles: ReadonlyMap<RequestId, unknown>;

  constructor(obstacles: ReadonlyMap<RequestId, unknown>) {
    super('Not all of them can be published.');
    this.obstacles = obstacles;
  }
}

function requireAll({ results }: Round): void {
  const obstacles = new Map<RequestId, unknown>();
  for (const [id, each] of results) if (each.status === 'rejected') obstacles.set(id, each.reason);
  if (obstacles.size > 0) throw new Obstructed(obstacles);
}

interface Authorized {
  readonly request: RollbackRequest;
  readonly planned: Planned;
}

interface Ready extends Authorized {
  readonly member: BatchMember;
}

interface Staged extends Pick<Ready, 'member' | 'request'> {
  readonly delivered: Delivered;
}

/** One look at the branch, one chain, one push. What fails by itself gets its result; throws what the push as a whole fails with. */
export async function pushRound(round: Round, members: readonly BatchMember[]): Promise<void> {
  const { git, results, plans, signal, clock } = round;
  const began = clock.now();
  const isFirst = round.since === null;
  if (!isFirst) await git.refresh();
  const snapshot = isFirst ? round.snapshot : await round.observe();
  round.since ??= snapshot.base;
  // From here to the push, others may be faster: what can be done at the same time is.
  const bases = new Set(members.map(({ asked }) => plans.get(asked.id)?.planned.plan.base ?? snapshot.base));
  // An earlier round may have landed, and its answer have been lost.
  const [landed] = await Promise.all([
    isFirst ? new Map<RequestId, ObjectId>() : git.requestsSince({ tip: snapshot.base, after: round.since }),
    ...[...bases].map(async (base) => changedSince(round, base, snapshot)),
  ]);
  const ready: Ready[] = [];
  for (const member of members) {
    // Locks of jobs are renewed by timers, which a long row of promises would hold up.
    await nextTurn();
    signal?.throwIfAborted();
    const request = plans.get(member.asked.id)?.request;
    if (request && landed.has(request.id)) {
      await settling(round, member, () => execute({ ...round, request, ...onStepOf(member) }));
      continue;
    }
    const authorized = await settling(round, member, () => prepare(round, snapshot, member));
    if (authorized === null) continue;
    plans.set(member.asked.id, authorized);
    ready.push({ member, ...authorized });
  }
  if (round.together) requireAll(round);
  // Their plans are moved to where the branch is then.
  else if (isFirst && ready.length > 0 && clock.now() - began > LONG)
    return pushRound(
      round,
      ready.map(({ member }) => member),
    );
  const chains: CommitChain[] = [];
  try {
    const staged = await stageAll(round, { snapshot, ready, chains });
    const last = staged.at(-1);
    if (last === undefined) return;
    await requireWritten(
      git,
      staged.flatMap(({ delivered }) => delivered.written),
    );
    await tellAll(staged, 'staged');
    await tellAll(staged, 'delivered');
    signal?.throwIfAborted();
    const next = tipOf(last.delivered);
    const edit = { branch: snapshot.branch, expected: snapshot.base, next };
    const recorded = await publishAll(round, edit, staged);
    await tellAll(staged, 'published');
    // With what earlier attempts left behind that were killed.
    const ids = staged.map(({ request }) => request.id);
    await Promise.all([verify(git, { ...last.delivered, published: true }), git.deleteStaging(...ids)]);
    const findings = await git.followUp({ branch: snapshot.branch, next });
    await recorded.finish();
    await tellAll(staged, 'verified');
    for (const each of staged) {
      const { id } = each.request;
      const value = completedOf(each, [...findings, ...recorded.findingsOf(id)]);
      results.set(id, { status: 'fulfilled', value });
    }
  } finally {
    await Promise.all(chains.map((chain) => chain.drop()));
  }
}

/** The branch and the records of what it gets, together where that is possible; else the branch alone, and they are written after it. */
async function publishAll(
  { git, record, recorder, turn, losses }: Round,
  edit: BranchEdit,
  staged: readonly Staged[],
): Promise<RecordedRollbacks> {
  const made = staged.map((each) => completedOf(each, []));
  // A resume deploys nothing.
  const deployed = staged.filter(({ request }) => !request.resume).map((each) => completedOf(each, []));
  const prepared = async () => (await recorder?.prepare(deployed)) ?? NOT_RECORDED;
  const attempts = losses < PATIENCE ? RECORDED : 0;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const completed = await record(made, { again: attempt > 1 });
    if (completed === null) break;
    const recorded = await prepared();
    try {
      await publishWith(git, edit, [completed, recorded.ride]);
      return recorded;
    } catch (error) {
      // Another writer was faster there: the commits are as good as they were.
      if (!(await isRecordAlone(git, error, { edit, ref: completed.move.ref }))) throw error;
    }
    await turn?.();
  }
  const recorded = await prepared();
  await publishWith(git, edit, [recorded.ride]);
  return recorded;
}

/** Is the branch where it was expected, and the record not? A server that both reached in the same moment does not say which. */
async function isRecordAlone(
  git: Round['git'],
  error: unknown,
  { edit, ref }: { readonly edit: BranchEdit; readonly ref: string },
): Promise<boolean> {
  if (!isFailure(error) || error.code !== 'BRANCH_MOVED') return false;
  const { ref: named, status } = error.details;
  if (named === ref) return true;
  if (typeof status === 'string' && /stale info/.test(status)) return false;
  return (await git.readBack(edit.branch)) === edit.expected;
}

/** So often a record is written anew, where the ledger has moved meanwhile, before the branch goes alone. */
const RECORDED = 4;

const completedOf = ({ request, delivered }: Staged, findings: readonly Finding[]): RollbackResult => {
  const { commit, deliveryCommit } = delivered;
  return outcomeOf(request, delivered, 'completed', { commit, deliveryCommit, findings });
};

const onStepOf = ({ onStep }: BatchMember) => (onStep ? { onStep } : {});

/** Null where it is settled: failed by itself, or nothing to do. */
async function settling(
  { results }: Round,
  { asked: { id } }: BatchMember,
  work: () => Promise<Authorized | RollbackResult>,
): Promise<Authorized | null> {
  try {
    const value = await work();
    if ('planned' in value) return value;
    results.set(id, { status: 'fulfilled', value });
  } catch (reason) {
    results.set(id, { status: 'rejected', reason });
  }
  return null;
}

/** The plan on this tip, confirmed and authorized; the result where there is nothing to do. */
async function prepare(
  round: Round,
  snapshot: Snapshot,
  member: BatchMember,
): Promise<Authorized | RollbackResult> {
  const earlier = round.plans.get(member.asked.id);
  const kept = earlier && (await onTip(round, earlier.planned, snapshot));
  // A break-glass session may have ended since.
  if (kept) return { planned: kept, request: await member.authorize(kept) };
  // Read once: whether targets are on it is asked for each.
  if (round.members.length > 1) await snapshot.history.firstParents(snapshot.base);
  const { hasNothing, ...authorized } = await planAnew(round, snapshot, member);
  if (!hasNothing) return authorized;
  const { request, planned } = authorized;
  const findings = await round.git.followUp({ branch: snapshot.branch, next: snapshot.base });
  return outcomeOf(request, planned, 'unchanged', { findings });
}

async function planAnew(
  { programs, clock }: Round,
  snapshot: Snapshot,
  { asked, authorize, onStep }: BatchMember,
): Promise<Authorized & { readonly hasNothing: boolean }> {
  if (asked.base !== null) await requireOnLine(snapshot, asked.base, 'base');
  const planned = await planRequested(snapshot, asked, { programs, clock }, { asks: 'since' });
  const request = await authorize(planned);
  const hasNothing = requireConfirmed(request, planned);
  if (!hasNothing) await onStep?.({ step: 'planned', digest: planned.plan.digest });
  return { request, planned, hasNothing };
}

/**
 * On top of commits that may never land nothing is settled: null where it has nothing to do there, or may not go ahead. It is decided again when
 * they have landed, or have not.
 */
async function planOnTop(round: Round, snapshot: Snapshot, member: BatchMember): Promise<Authorized | null> {
  try {
    const { hasNothing, ...authorized } = await planAnew(round, snapshot, member);
    return hasNothing ? null : authorized;
  } catch {
    return null;
  }
}

/**
 * The same where all of the commits land, or none: null where those before it leave it nothing to do, which is then its result.
 *
 * @throws Obstructed where it would not do there what was confirmed
 */
async function planTogether(
  round: Round,
  snapshot: Snapshot,
  member: BatchMember,
): Promise<Authorized | null> {
  const { id } = member.asked;
  try {
    const { hasNothing, ...authorized } = await planAnew(round, snapshot, member);
    if (!hasNothing) return authorized;
    const { request, planned } = authorized;
    const value = outcomeOf(request, planned, 'unchanged', { findings: [] });
    round.results.set(id, { status: 'fulfilled', value });
    return null;
  } catch (error) {
    throw new Obstructed(new Map([[id, error]]));
  }
}

/** The same plan on a newer tip, where the configuration and all that it rests on are the same; else null. */
async function onTip(round: Round, planned: Planned, snapshot: Snapshot): Promise<Planned | null> {
  const { base } = planned.plan;
  if (base === snapshot.base) return planned;
  if (planned.snapshot.layout !== snapshot.layout) return null;
  const changed = await changedSince(round, base, snapshot);
  return changed !== null && isDisjoint(planned, changed) ? movedTo(planned, snapshot) : null;
}

function changedSince(
  { git, moved }: Round,
  base: ObjectId,
  snapshot: Snapshot,
): Promise<readonly string[] | null> {
  if (base === snapshot.base) return Promise.resolve([]);
  const key = `${base} ${snapshot.base}`;
  const known = moved.get(key);
  if (known) return known;
  const looking = Promise.all([
    snapshot.history.isOnLine(snapshot.base, base),
    git.diffPaths(base, snapshot.base),
  ]).then(([isOnLine, changes]) => (isOnLine ? changes.map(({ path }) => path) : null));
  moved.set(key, looking);
  return looking;
}

const movedTo = (planned: Planned, snapshot: Snapshot): Planned => ({
  ...planned,
  snapshot,
  plan: { ...planned.plan, base: snapshot.base },
});

/**
 * Whether all of these could be published in one push, as they are confirmed: their commits are made, and dropped. `planned`: of each, on the
 * tip. Where none of them touches another, nothing needs to be made.
 *
 * @throws Obstructed
 */
export async function rehearse(
  input: Omit<BatchInput, 'members'>,
  members: readonly (BatchMember & { readonly planned: Planned; readonly request: RollbackRequest })[],
): Promise<void> {
  const changed = new Set<string>();
  const isApart = members.every(({ planned }) => {
    const isFree = isDisjoint(planned, changed);
    for (const path of writtenBy(planned)) changed.add(path);
    return isFree;
  });
  if (isApart) return;
  const { snapshot } = input;
  const round: Round = {
    ...input,
    members,
    together: true,
    results: new Map(),
    plans: new Map(),
    moved: new Map(),
    since: null,
    losses: 0,
  };
  const ready = members.map(({ planned, request, ...member }): Ready => ({ member, planned, request }));
  const chains: CommitChain[] = [];
  try {
    await stageAll(round, { snapshot, ready, chains });
  } finally {
    await Promise.all(chains.map((chain) => chain.drop()));
  }
}

const writtenBy = ({ plan, delivery }: Planned) =>
  [...plan.files, ...delivery.outputs].map(({ path }) => path);

/** The commits of all, one on top of the other. One that an earlier one touches is planned again on top of it. */
async function stageAll(
  round: Round,
  { snapshot, ready, chains }: { snapshot: Snapshot; ready: readonly Ready[]; chains: CommitChain[] },
): Promise<readonly Staged[]> {
  const { git, committer } = round;
  const staged: Staged[] = [];
  const changed = new Set<string>();
  let base = snapshot.base;
  let chain: CommitChain | null = null;
  for (const each of ready) {
    await nextTurn();
    const { member } = each;
    round.signal?.throwIfAborted();
    let own: Authorized | null = each;
    if (!isDisjoint(each.planned, changed)) {
      await chain?.end();
      chain = null;
      const onTop = makeSnapshot({ ...snapshot, base });
      own = await (round.together ? planTogether : planOnTop)(round, onTop, member);
      if (own === null) continue;
    }
    if (chain === null) {
      chain = git.beginChain({ parent: base, requestId: member.asked.id });
      chains.push(chain);
    }
    const { request, planned } = own;
    const into = { git: { writeCommits: writeInto(chain) }, request, committer };
    const delivered = await deliver(into, await stage(into, { ...planned, plan: { ...planned.plan, base } }));
    staged.push({ member, request, delivered });
    base = tipOf(delivered);
    for (const path of writtenBy(planned)) changed.add(path);
  }
  await chain?.end();
  return staged;
}

const writeInto = (chain: CommitChain): RepositoryPublisher['writeCommits'] => {
  return async ({ commits }) => {
    const ids: ObjectId[] = [];
    for (const commit of commits) ids.push(await chain.add(commit));
    return ids;
  };
};

const tipOf = ({ commit, deliveryCommit }: Delivered): ObjectId => deliveryCommit ?? commit;

async function tellAll(staged: readonly Staged[], step: Step): Promise<void> {
  await Promise.all(
    staged.map(async ({ member, delivered }) => {
      const { commit, deliveryCommit, plan } = delivered;
      await member.onStep?.({ step, digest: plan.digest, commit, deliveryCommit });
    }),
  );
}
