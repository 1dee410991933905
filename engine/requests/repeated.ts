/** A rollback that is asked for again with the id of an earlier one. */
import {
  BacktrailError,
  FAILURES,
  formatCoordinates,
  type HoldTerms,
  isFailure,
  type LogCommit,
  type ObjectId,
  type Person,
  type RequestId,
} from '../model/index.ts';
import { spanText } from '../holds/findings.ts';
import { compileLayout } from '../layout/layout.ts';
import { makeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import { samePerson } from '../policy/policy.ts';
import type { RequestFile } from '../record/ledger-file.ts';
import { readResume, readRollback } from '../record/read.ts';
import { cleanValue } from '../record/trailers.ts';
import { blockedError, isBlocked } from '../rollback/blocked.ts';
import { readOwnConfig } from '../rollback/observe.ts';
import type { Ask, Planned } from '../rollback/planning/planned.ts';
import { planAsked } from '../rollback/plan.ts';
import { arrivedOf } from './arrivals/arrived-of.ts';
import type { Repeated } from './types.ts';
import { openLedgerSnapshot } from './ledger/snapshot.ts';
import { type RequestContext, type Rules, rulesOf } from './context.ts';
import { restoresFiles } from './restored.ts';
import { viewOf } from './view.ts';

export interface Asking {
  readonly id: RequestId;
  readonly ask: Ask;
  /** null: whoever asked for it. */
  readonly author: Person | null;
}

/** What is on record of the first one. */
interface Earlier {
  readonly scope: string;
  readonly author: string;
  readonly base: ObjectId;
  readonly digest: string;
  /** The hold that it placed, `unknown` where only the file of the hold says how long it lasts. */
  readonly hold: HoldTerms | null | 'unknown';
  /** ISO 8601: what `@2h` counted from. */
  readonly at: string;
}

/**
 * The earlier rollback with this id, from the ledger or else from anywhere on the branch's line; null where there is none. What is asked
 * for is planned again on the commit that the earlier one was planned on, at its time: the same digest is the same rollback, however its
 * target is written. REQUEST_EXISTS for any other, and for another person's.
 */
export async function repeated(
  context: RequestContext,
  asking: Asking,
  snapshots: Snapshots = new Map(),
): Promise<Repeated | null> {
  const snapshot = await context.observe();
  const rules = await rulesOf(context, snapshot);
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const file = await ledgerSnapshot.request(asking.id);
  const published = await onBranch(context, snapshot, asking.id);
  if (file !== null) {
    if (published !== null) await requireAfterBase(context, snapshot, file, published);
    const planned = await requireSameRollback(
      { context, rules, snapshot, snapshots },
      asking,
      openedAs(file),
    );
    // What is removed or overridden is no part of the digest, and only the first one may have allowed it.
    const { allowRemoval, overrides } = file.state;
    const isDone = published !== null || (await arrivedOf(context, file.state)) !== null;
    if (!isDone && (allowRemoval || overrides) && isBlocked(planned.plan)) throw blockedError(planned.plan);
    return {
      planned: await withDestination(context, planned),
      request: await viewOf(context, { ledgerSnapshot, rules, file }, planned.plan.owners),
    };
  }
  if (published === null) return null;
  const planned = await requireSameRollback({ context, rules, snapshot, snapshots }, asking, published);
  await requireRestored(context, asking, published, planned);
  return { planned: await withDestination(context, planned), request: null };
}

async function withDestination({ git }: RequestContext, planned: Planned): Promise<Planned> {
  return { ...planned, destination: await git.destination(planned.plan.branch) };
}

function openedAs({ state, events }: RequestFile): Earlier {
  const [opened] = events;
  // It may have been planned again since, on another base.
  const { base, digest } = opened?.type === 'opened' ? opened.terms : state;
  const { author, createdAt, hold = null } = state;
  return { scope: formatCoordinates(state.scope), author: author.email, base, digest, hold, at: createdAt };
}

/** Who may write the ledger alone must not have it done once more: whoever executes it looks behind its base only. */
async function requireAfterBase(
  { git }: RequestContext,
  { base: tip }: Snapshot,
  { state: { id, base } }: RequestFile,
  { commit }: Published,
): Promise<void> {
  if ((await git.findRequest({ tip, base, requestId: id })) === null) throw tampered(commit, id);
}

/** Anybody whose commits come to the branch can write a message: what the commit does to the files is what counts. */
async function requireRestored(
  context: RequestContext,
  { id }: Asking,
  { commit }: Published,
  { plan: { files } }: Planned,
): Promise<void> {
  if (!(await restoresFiles(context, commit, files))) throw tampered(commit, id);
}

function tampered(commit: ObjectId, id: RequestId): BacktrailError {
  return new BacktrailError(
    'LEDGER_TAMPERED',
    `Commit ${commit} of the branch names request ${id}, and is not the rollback that was asked for.`,
  );
}

interface Published extends Earlier {
  readonly commit: ObjectId;
}

/** The oldest commit of the whole line that executes it. */
async function onBranch(
  { git }: RequestContext,
  { base }: Snapshot,
  id: RequestId,
): Promise<Published | null> {
  const found = (await git.history.recorded(base)).flatMap((commit) => publishedBy(commit, id));
  return found.at(-1) ?? null;
}

function publishedBy({ id: commit, parents, trailers, time }: LogCommit, id: RequestId): Published[] {
  const resumed = readResume(trailers)?.record;
  const [parent] = parents;
  if (resumed?.requestId === id && parent !== undefined) {
    const { author, plan: digest } = resumed;
    return [{ commit, scope: 'a resume', author, base: parent, digest, hold: null, at: time }];
  }
  const record = readRollback(trailers)?.record;
  if (record?.requestId !== id) return [];
  const { author, base, plan: digest } = record;
  const hold = record.holds === undefined ? null : 'unknown';
  return [{ commit, scope: formatCoordinates(record), author, base, digest, hold, at: time }];
}

/** By the commit that something was planned on: for whoever looks at many. */
export type Snapshots = Map<ObjectId, Promise<Snapshot>>;

interface Where {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly snapshot: Snapshot;
  readonly snapshots: Snapshots;
}

async function requireSameRollback(
  where: Where,
  { id, ask, author }: Asking,
  earlier: Earlier,
): Promise<Planned> {
  const other = new BacktrailError(
    'REQUEST_EXISTS',
    earlier.scope === '' || earlier.author === ''
      ? `A commit of the branch names the id ${id}, and does not say which rollback it is.`
      : `Another rollback has the id ${id}: of ${earlier.scope}, by ${earlier.author}.`,
    { details: { requestId: id, scope: earlier.scope, author: earlier.author } },
  );
  if (author !== null && !samePerson(cleanValue(author.email), earlier.author, where.rules.policy))
    throw other;
  const { history, base: tip } = where.snapshot;
  const planned = await planAtBase(where, asThen(ask, earlier), earlier).catch(async (error: unknown) => {
    if (!isFailure(error)) throw error;
    // What could not be planned then was not asked for then; a commit may name any base.
    const isOther =
      FAILURES[error.code].status < 500 ||
      (error.code === 'OBJECT_MISSING' && !(await history.firstParents(tip)).includes(earlier.base));
    throw isOther ? other : error;
  });
  if (planned.plan.digest !== earlier.digest) throw other;
  return planned;
}

/** Whether to hold was decided then, where it is left open now. */
function asThen(ask: Ask, { hold }: Earlier): Ask {
  if (ask.resume || ask.hold !== undefined || ask.holdFor !== undefined || hold === 'unknown') return ask;
  if (hold === null) return { ...ask, hold: false };
  return { ...ask, hold: true, ...(hold.seconds !== null && { holdFor: spanText(hold.seconds) }) };
}

/** As it would have been planned there and then, by the configuration of that commit. */
async function planAtBase(where: Where, ask: Ask, { base, at }: Earlier): Promise<Planned> {
  const { context, snapshots } = where;
  const then = snapshots.get(base) ?? snapshotAt(where, base);
  snapshots.set(base, then);
  return planAsked(await then, ask, { programs: context.programs, clock: { now: () => Date.parse(at) } });
}

async function snapshotAt({ context, snapshot }: Where, base: ObjectId): Promise<Snapshot> {
  const config = context.config === null ? await readOwnConfig(context.git, base) : null;
  const layout = config === null ? snapshot.layout : compileLayout(config);
  return makeSnapshot({ ...snapshot, base, layout });
}
