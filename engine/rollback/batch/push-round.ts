/** One look at the branch, one chain of commits, one push. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type BranchEdit,
  type CommitChain,
  type Finding,
  isFailure,
  type ObjectId,
  type RequestId,
  type RollbackResult,
  type Step,
} from '../../model/index.ts';
import { execute, outcomeOf } from '../execute.ts';
import { NOT_RECORDED, publishWith, type RecordedRollbacks } from '../records.ts';
import { verify } from '../verify.ts';
import { requireWritten } from '../written.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { stageAll, tipOf } from './chain.ts';
import { changedSince, prepare } from './plans.ts';
import {
  type Authorized,
  type BatchMember,
  Obstructed,
  type Ready,
  type Round,
  type Staged,
} from './round.ts';

/** Processes that write: the commits, and their record. */
const WRITES = 2;
/** So often in a row, before the branch is pushed without the record, which is written afterwards then: that is sooner there. */
const PATIENCE = 3;
/** Milliseconds. After so long a time of planning, the branch is looked at once more: it is more likely to have moved than a look is dear. */
const LONG = 500;

/**
 * Milliseconds. What was planned for so long is published first, and the others after it: where planning is slow, something lands all the same, and
 * whoever is killed has not planned everything in vain.
 */
const ENOUGH = 10_000;

/** One look at the branch, one chain, one push. What fails by itself gets its result; throws what the push as a whole fails with. */
export async function pushRound(round: Round, members: readonly BatchMember[]): Promise<void> {
  const { git, clock } = round;
  const began = clock.now();
  const isFirst = round.since === null;
  if (isFirst) return lookedAt(round, members, { snapshot: round.snapshot, began, isFirst });
  // For its commits and their record: git starts while it is fetched.
  const end = git.kind === 'local' ? () => undefined : git.expectWrites(WRITES);
  try {
    await git.refresh();
    return await lookedAt(round, members, { snapshot: await round.observe(), began, isFirst });
  } finally {
    end();
  }
}

interface Looked {
  readonly snapshot: Snapshot;
  readonly began: number;
  readonly isFirst: boolean;
}

async function lookedAt(
  round: Round,
  members: readonly BatchMember[],
  { snapshot, began, isFirst }: Looked,
): Promise<void> {
  const { git, results, plans, signal, clock } = round;
  round.since ??= snapshot.base;
  // From here to the push, others may be faster: what can be done at the same time is.
  const bases = new Set(members.map(({ asked }) => plans.get(asked.id)?.planned.plan.base ?? snapshot.base));
  // An earlier round may have landed, and its answer have been lost.
  const [landed] = await Promise.all([
    isFirst ? new Map<RequestId, ObjectId>() : git.requestsSince({ tip: snapshot.base, after: round.since }),
    ...[...bases].map(async (base) => changedSince(round, base, snapshot)),
  ]);
  const chains: CommitChain[] = [];
  const drop = () => Promise.all(chains.splice(0).map((chain) => chain.drop()));
  let checked: Promise<void> | undefined;
  try {
    const [only] = members;
    // Nothing else keeps it waiting: git starts while it is planned.
    if (only && members.length === 1 && isFirst && !round.together)
      chains.push(git.beginChain({ parent: snapshot.base, requestId: only.asked.id }));
    const ready = await prepareAll(round, members, { snapshot, landed });
    if (round.together) requireAll(round);
    // Their plans are moved to where the branch is then.
    else if (isFirst && ready.length > 0 && clock.now() - began > LONG) {
      await drop();
      return await pushRound(
        round,
        ready.map(({ member }) => member),
      );
    }
    const { staged, written } = await stageAll(round, { snapshot, ready, chains });
    const last = staged.at(-1);
    if (last === undefined) return;
    const check = async () => {
      await written;
      await requireWritten(
        git,
        staged.flatMap(({ delivered }) => delivered.written),
      );
      await tellAll(staged, 'staged');
      await tellAll(staged, 'delivered');
      signal?.throwIfAborted();
    };
    const next = tipOf(last.delivered);
    const edit = { branch: snapshot.branch, expected: snapshot.base, next };
    checked = check();
    const recorded = await publishAll(round, edit, { staged, checked });
    // With what earlier attempts left behind that were killed.
    const ids = staged.map(({ request }) => request.id);
    const tidy = drop().then(() => git.deleteStaging(...ids));
    await Promise.all([verify(git, { ...last.delivered, published: true }), tidy]);
    const findings = await git.followUp({ branch: snapshot.branch, next });
    await recorded.finish();
    await tellAll(staged, 'verified');
    for (const each of staged) {
      const { id } = each.request;
      const value = completedOf(each, [...findings, ...recorded.findingsOf(id)]);
      results.set(id, { status: 'fulfilled', value });
    }
  } finally {
    await checked?.catch(() => undefined);
    await drop();
  }
}

interface Preparing {
  readonly snapshot: Snapshot;
  /** Those that the branch holds by now. */
  readonly landed: ReadonlyMap<RequestId, ObjectId>;
}

/** Those that may go ahead, with their plans; the others get their results. */
async function prepareAll(
  round: Round,
  members: readonly BatchMember[],
  { snapshot, landed }: Preparing,
): Promise<readonly Ready[]> {
  const { plans, signal, clock } = round;
  const began = clock.now();
  const ready: Ready[] = [];
  for (const member of members) {
    if (!round.together && ready.length > 0 && clock.now() - began > ENOUGH) break;
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
  return ready;
}

interface Publishing {
  readonly staged: readonly Staged[];
  /** Resolves when they may be published. */
  readonly checked: Promise<void>;
}

/** The branch and the records of what it gets, together where that is possible; else the branch alone, and they are written after it. */
async function publishAll(
  { git, record, recorder, turn, losses, wanted }: Round,
  edit: BranchEdit,
  { staged, checked }: Publishing,
): Promise<RecordedRollbacks> {
  const made = staged.map((each) => completedOf(each, []));
  const attempts = losses < PATIENCE ? RECORDED : 0;
  // Beside the look at what was written: nothing moves before that is over.
  const first = attempts > 0 ? record(made, { again: false }) : Promise.resolve(null);
  first.catch(() => undefined);
  await checked.catch(async (error: unknown) => {
    await (await first.catch(() => null))?.end('discarded');
    throw error;
  });
  // A resume deploys nothing.
  const deployed = staged.filter(({ request }) => !request.resume).map((each) => completedOf(each, []));
  const prepared = async () => (await recorder?.prepare(deployed)) ?? NOT_RECORDED;
  const told = () => tellAll(staged, 'published');
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const completed = await (attempt === 1 ? first : record(made, { again: true }));
    if (completed === null) break;
    const recorded = await prepared();
    try {
      await publishWith(git, edit, [completed, recorded.ride], told);
      return recorded;
    } catch (error) {
      // Another writer was faster there: the commits are as good as they were.
      if (!(await isRecordAlone(git, error, { edit, ref: completed.move.ref }))) throw error;
    }
    await turn?.();
  }
  const ids = staged.map(({ request }) => request.id);
  await wanted?.(ids, { refreshed: losses >= PATIENCE });
  const recorded = await prepared();
  await publishWith(git, edit, [recorded.ride], told);
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

function requireAll({ results }: Round): void {
  const obstacles = new Map<RequestId, unknown>();
  for (const [id, each] of results) if (each.status === 'rejected') obstacles.set(id, each.reason);
  if (obstacles.size > 0) throw new Obstructed(obstacles);
}

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

async function tellAll(staged: readonly Staged[], step: Step): Promise<void> {
  await Promise.all(
    staged.map(async ({ member, delivered }) => {
      const { commit, deliveryCommit, plan } = delivered;
      await member.onStep?.({ step, digest: plan.digest, commit, deliveryCommit });
    }),
  );
}
