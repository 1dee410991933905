/** One rollback from its confirmed request to its verified commit. Idempotent: the branch shows whether it is done already. */
import {
  type ArrivedChange,
  BacktrailError,
  type Clock,
  type CommitMessage,
  formatCoordinates,
  isFailure,
  type ObjectId,
  type Person,
  type Programs,
  type RequestId,
  type RepositoryReader,
  type RollbackRequest,
  type RollbackResult,
  type Step,
  resultOf,
} from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { readDelivery, readResume, readRollback } from '../record/read.ts';
import { cleanValue, type RollbackRecord } from '../record/trailers.ts';
import { samePerson } from '../policy/policy.ts';
import { isObserved } from '../plan/checks/registry.ts';
import { blockedError, isBlocked } from './blocked.ts';
import { deliver } from './deliver.ts';
import type { Observe } from './observe.ts';
import { planRequested, renderedDigest, requireOnLine } from './plan.ts';
import type { Planned } from './planning/planned.ts';
import { publish } from './publish.ts';
import { NOT_RECORDED, type RideAlong, type RollbackRecorder } from './records.ts';
import { signOf, stage } from './stage.ts';
import { verify } from './verify.ts';
import { requireWritten } from './written.ts';

export interface StepEvent {
  readonly step: Step;
  readonly digest: string;
  readonly commit?: ObjectId;
  readonly deliveryCommit?: ObjectId | null;
}

export interface ExecuteInput {
  readonly git: GitRepository;
  readonly observe: Observe;
  readonly programs: Programs;
  readonly request: RollbackRequest;
  readonly committer: Person;
  readonly clock: Clock;
  readonly onStep?: (event: StepEvent) => Promise<void> | void;
  /** Aborted: the current step is finished, then the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Snapshot and plan for the first attempt, if they were made already. */
  readonly prepared?: { readonly snapshot: Snapshot; readonly planned: Planned };
  /** A pull request brought it: it is only reported. */
  readonly arrived?: ArrivedChange;
  /** Records what was deployed. */
  readonly recorder?: RollbackRecorder;
  /**
   * A record of these results that can move together with the branch; null where there is none. `again`: another writer was faster there.
   *
   * @throws Obstructed where one of them was withdrawn meanwhile
   */
  readonly record?: (
    results: readonly RollbackResult[],
    options: { readonly again: boolean },
  ) => Promise<RideAlong | null>;
  /**
   * Asked before the branch is pushed without such a record; absent: nobody can have withdrawn them. `refreshed`: what the last look at the branch
   * brought is enough.
   *
   * @throws Obstructed
   */
  readonly wanted?: (ids: readonly RequestId[], options: { readonly refreshed: boolean }) => Promise<void>;
  /** Called with every plan right before it is written; throws if it must not be executed. */
  readonly authorize?: (planned: Planned) => Promise<void>;
}

export type ExecuteOptions = Pick<ExecuteInput, 'onStep' | 'signal'>;

const ATTEMPTS = 8;
/** So often is the branch pushed together with its record: later, that is written afterwards. */
const RECORDED = 4;

export async function execute(input: ExecuteInput): Promise<RollbackResult> {
  const { git, request, clock } = input;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOnce(input, attempt, attempt === 1 ? input.prepared : undefined);
    } catch (error) {
      await git.deleteStaging(request.id);
      if (!isFailure(error) || error.code !== 'BRANCH_MOVED' || attempt === ATTEMPTS) throw error;
      await clock.sleep(20 * 2 ** attempt);
    }
  }
}

async function attemptOnce(
  input: ExecuteInput,
  attempt: number,
  prepared: ExecuteInput['prepared'],
): Promise<RollbackResult> {
  const { git, request, signal } = input;
  if (!prepared) await git.refresh();
  const snapshot = prepared?.snapshot ?? (await input.observe());
  const done = input.arrived
    ? doneBy(input.arrived, request, request.base ?? snapshot.base)
    : await findDone(git, snapshot, request);
  // An attempt killed after publishing left its staging refs behind.
  if (done) await git.deleteStaging(request.id);
  if (done) return report(input, snapshot.branch, done);
  if (!prepared && request.base !== null) await requireOnLine(snapshot, request.base, 'base');
  const planned =
    prepared?.planned ??
    (await planRequested(
      snapshot,
      request,
      { programs: input.programs, clock: input.clock },
      { asks: 'since' },
    ));
  const nothing = requireConfirmed(request, planned);
  if (nothing) await git.deleteStaging(request.id);
  const { branch, base } = snapshot;
  if (nothing) {
    const findings = await git.followUp({ branch, next: base });
    return outcomeOf(request, planned, 'unchanged', { findings });
  }
  await input.authorize?.(planned);
  await git.requireKey(signOf(request, planned));
  const step = async (event: StepEvent) => {
    await input.onStep?.(event);
    signal?.throwIfAborted();
  };
  const { digest } = planned.plan;
  await step({ step: 'planned', digest });
  const staged = await stage(input, planned);
  const { commit } = staged;
  await step({ step: 'staged', digest, commit });
  const delivered = await deliver(input, staged);
  await requireWritten(git, delivered.written);
  const { deliveryCommit } = delivered;
  await step({ step: 'delivered', digest, commit, deliveryCommit });
  const made = outcomeOf(request, planned, 'completed', { commit, deliveryCommit, findings: [] });
  const completed = attempt > RECORDED ? null : await input.record?.([made], { again: attempt > 1 });
  if (!completed) await input.wanted?.([request.id], { refreshed: attempt > RECORDED });
  const recorded = (await recorderOf(input)?.prepare([made])) ?? NOT_RECORDED;
  const published = await publish(git, request.id, delivered, [completed ?? null, recorded.ride]);
  // The rollback is published: an abort now would only hide that.
  await input.onStep?.({ step: 'published', digest, commit, deliveryCommit });
  await Promise.all([verify(git, published), git.deleteStaging(request.id)]);
  const findings = [...(await git.followUp({ branch, next: deliveryCommit ?? commit }))];
  await recorded.finish();
  findings.push(...recorded.findingsOf(request.id));
  await input.onStep?.({ step: 'verified', digest, commit, deliveryCommit });
  return outcomeOf(request, planned, 'completed', { commit, deliveryCommit, findings });
}

/** A resume deploys nothing. */
const recorderOf = ({ request, recorder }: ExecuteInput) => (request.resume ? undefined : recorder);

/** True if the scope already equals the target. @throws PLAN_CHANGED if it is not the plan that was confirmed */
export function requireConfirmed(request: RollbackRequest, planned: Planned): boolean {
  const { plan } = planned;
  if (isBlocked(plan)) throw blockedError(plan);
  if (plan.files.length === 0) return true;
  const { rendered } = request;
  const sameManifests = rendered === undefined || rendered === renderedDigest(planned);
  if (plan.digest === request.digest && sameManifests) return false;
  const message = `What a ${request.resume ? 'resume' : 'rollback'} of ${formatCoordinates(request.scope)} would change is no longer what was confirmed.`;
  throw new BacktrailError('PLAN_CHANGED', message, {
    details: { confirmed: request.digest, now: plan.digest },
  });
}

interface Done {
  readonly commit: ObjectId;
  readonly deliveryCommit: ObjectId | null;
  readonly base: ObjectId;
  readonly digest: string;
}

/** Looks on the branch for a commit of this request. */
async function findDone(
  git: RepositoryReader,
  snapshot: Snapshot,
  request: RollbackRequest,
): Promise<Done | null> {
  const commit = await git.findRequest({ tip: snapshot.base, base: request.base, requestId: request.id });
  if (commit === null) return null;
  const line = await snapshot.history.firstParents(snapshot.base);
  const next = line[line.indexOf(commit) - 1];
  const messages = await git.messages(next === undefined ? [commit] : [commit, next]);
  return readDone({ commit, next, messages, request, base: request.base ?? snapshot.base });
}

interface DoneInput {
  readonly commit: ObjectId;
  /** The one after it on the line. */
  readonly next: ObjectId | undefined;
  readonly messages: ReadonlyMap<ObjectId, CommitMessage>;
  readonly request: RollbackRequest;
  /** Where the commit does not say which. */
  readonly base: ObjectId;
}

/** @throws REQUEST_EXISTS where it is another rollback */
export function readDone({ commit, next, messages, request, base }: DoneInput): Done {
  const trailers = messages.get(commit)?.trailers ?? [];
  const delivery = next === undefined ? null : readDelivery(messages.get(next)?.trailers ?? []);
  // Of a delivery that a host has rebased, the commit that it names is no longer that of the rollback.
  const delivers = delivery?.record.of === commit || delivery?.record.requestId === request.id;
  return {
    commit,
    deliveryCommit: next !== undefined && delivers ? next : null,
    ...whatIsDone(trailers, request, base),
  };
}

/** @throws as `readDone` */
function doneBy(
  { commit, deliveryCommit, trailers }: ArrivedChange,
  request: RollbackRequest,
  base: ObjectId,
): Done {
  return { commit: commit.id, deliveryCommit, ...whatIsDone(trailers, request, base) };
}

function whatIsDone(
  trailers: readonly string[],
  request: RollbackRequest,
  base: ObjectId,
): Pick<Done, 'base' | 'digest'> {
  const claim = readRollback(trailers);
  if (claim !== null) requireSame(claim.record, request);
  const resumed = readResume(trailers)?.record;
  if (claim !== null ? request.resume : !request.resume || resumed?.plan !== request.digest)
    throw otherKind(request);
  return { base: claim?.record.base ?? base, digest: claim?.record.plan ?? request.digest };
}

/** A rollback is no resume, nor is a resume of something else. */
function otherKind({ id }: RollbackRequest): BacktrailError {
  return new BacktrailError(
    'REQUEST_EXISTS',
    `A commit of the branch has the id ${id}, and is not what is asked for.`,
    {
      details: { requestId: id },
    },
  );
}

/** The same id may have been used for two different rollbacks. @throws REQUEST_EXISTS */
function requireSame(record: RollbackRecord, { id, scope, target, author }: RollbackRequest): void {
  const same =
    formatCoordinates(record) === formatCoordinates(scope) &&
    record.mode === scope.mode &&
    record.target === target &&
    samePerson(record.author, cleanValue(author.email));
  if (same) return;
  throw new BacktrailError(
    'REQUEST_EXISTS',
    `Another rollback has the id ${id}: of ${formatCoordinates(record)}, by ${record.author}.`,
    { details: { requestId: id } },
  );
}

async function report(input: ExecuteInput, branch: string, done: Done): Promise<RollbackResult> {
  const { git, request, onStep } = input;
  const { commit, deliveryCommit, base, digest } = done;
  // After a crash, the local branch may not have been updated to what was published.
  const findings = await git.followUp({ branch, next: deliveryCommit ?? commit });
  const result = resultOf({ ...request, base, digest }, 'completed', { commit, deliveryCommit, findings });
  // Whoever published it may have been killed before it was recorded.
  const recorded = (await recorderOf(input)?.prepare([result])) ?? NOT_RECORDED;
  await recorded.ride?.end('discarded');
  await recorded.finish();
  await onStep?.({ step: 'verified', digest, commit, deliveryCommit });
  return { ...result, findings: [...findings, ...recorded.findingsOf(request.id)] };
}

export function outcomeOf(
  request: RollbackRequest,
  { plan: { base, digest, findings } }: Planned,
  status: RollbackResult['status'],
  outcome: Pick<RollbackResult, 'findings'> & Partial<Pick<RollbackResult, 'commit' | 'deliveryCommit'>>,
): RollbackResult {
  return resultOf({ ...request, base, digest }, status, {
    ...outcome,
    findings: [...findings.filter(({ code }) => !isObserved(code)), ...outcome.findings],
  });
}
