/**
 * Whether the commits of a branch of ours are what was approved, and say so: whoever may write to the ledger could name others there, and whoever may
 * push the branch could put any names into their messages.
 */
import {
  BacktrailError,
  FAILURES,
  isFailure,
  type LogCommit,
  type ObjectId,
  type Proposed,
  type RequestEvent,
} from '../../model/index.ts';
import { identity } from '../../git/store/identity.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { manifestsMessage } from '../../rollback/deliver.ts';
import { layoutAt } from '../../rollback/observe.ts';
import { recorded } from '../../rollback/stage.ts';
import { makeSnapshot, type Snapshot } from '../../snapshot/snapshot.ts';
import { rulesOf } from '../context.ts';
import { type EligibilityInput, requireEligible } from '../gate/eligibility.ts';
import { rememberOwners } from '../gate/owners.ts';
import { requestOf } from '../many/member.ts';
import { approvedAs } from './standing/approved-as.ts';
import { differingFrom, type Meant, meantOn, subjectOf } from './arrival.ts';

/**
 * That the branch is these commits on their base, which the branch that they are for holds already; that each of them changes what it was approved to
 * change; and that its message is the one that the request, its votes and the configuration of that base make. `snapshot`: as the branch is now.
 *
 * @throws LEDGER_TAMPERED
 */
export async function requireProved(snapshot: Snapshot, group: readonly EligibilityInput[]): Promise<void> {
  const commits = new Map<ObjectId, LogCommit>();
  for (const found of group) {
    const { proposed } = found.file.state;
    if (proposed === null) throw unproved(found.file);
    for (const commit of await commitsOf(snapshot, found, proposed)) commits.set(commit.id, commit);
  }
  const { history, base: tip } = snapshot;
  for (const { file } of group) {
    let at: ObjectId | undefined = file.state.proposed?.tip;
    let steps = 0;
    for (; at !== undefined && commits.has(at); steps += 1) at = commits.get(at)?.parents[0];
    if (steps !== commits.size || at === undefined || at !== file.state.proposed?.base) throw unproved(file);
    if (!(await history.isOnLine(tip, at))) throw unproved(file);
  }
}

async function commitsOf(
  snapshot: Snapshot,
  found: EligibilityInput,
  proposed: Proposed,
): Promise<readonly LogCommit[]> {
  const { context, file } = found;
  const { commit, deliveryCommit } = proposed;
  const ids = deliveryCommit === null ? [commit] : [commit, deliveryCommit];
  const [revert, delivery] = await context.git.inspect(ids);
  if (revert === undefined || revert.parents.length !== 1) throw unproved(file);
  const meant = await meantOn(context, snapshot, file.state, revert);
  const isMeant =
    meant !== null &&
    differingFrom(revert, meant.revert).length === 0 &&
    (delivery === undefined
      ? meant.delivery.size === 0
      : delivery.parents.join() === commit && differingFrom(delivery, meant.delivery).length === 0);
  if (!isMeant || !(await isSaid(snapshot, found, { proposed, meant, revert, delivery })))
    throw unproved(file);
  return delivery === undefined ? [revert] : [revert, delivery];
}

interface Written {
  readonly proposed: Proposed;
  /** By the configuration of now. */
  readonly meant: Meant;
  readonly revert: LogCommit;
  readonly delivery: LogCommit | undefined;
}

/** A host that merges is given the messages of the ledger, and may keep nothing of the commits. */
async function isSaid(
  snapshot: Snapshot,
  found: EligibilityInput,
  { proposed, meant, revert, delivery }: Written,
): Promise<boolean> {
  const { context, file } = found;
  const { messages, base } = proposed;
  try {
    const layout = await layoutAt(context.git, base, snapshot);
    const there = makeSnapshot({ ...snapshot, base, layout });
    // What is found out there is not what holds now.
    const cache = { ...context.cache, owners: new Map() };
    const pinned = { ...context, cache, observe: () => Promise.resolve(there) };
    if (layout === snapshot.layout) rememberOwners(pinned, file.state, meant.planned.plan);
    const judged = { ...found, context: pinned, rules: await rulesOf(pinned, there) };
    const provenance = approvedAs(
      { reviews: file.state.reviews, proofs: found.proofs },
      await requireEligible(judged),
      revert.trailers,
    );
    const planned =
      layout === snapshot.layout
        ? meant.planned
        : (await meantOn(context, there, file.state, revert))?.planned;
    if (provenance === null || planned === undefined) return false;
    const committer = file.events.findLast(isProposing)?.actor ?? context.committer;
    const into = { request: requestOf(judged, provenance), committer };
    const { record, message } = recorded(into, planned);
    const { name, email } = identity(into.request.author);
    if (revert.author.name !== name || revert.author.email !== email) return false;
    if (messages.revert !== message.text || !(await holds(revert, message.text))) return false;
    if (delivery === undefined) return messages.delivery === null;
    const { text } = manifestsMessage(into, { ...planned, commit: revert.id, record });
    return messages.delivery === text && (await holds(delivery, text));
  } catch (error) {
    // It may not have gone ahead there.
    if (isFailure(error) && FAILURES[error.code].retry === 'never') return false;
    throw error;
  }
}

const isProposing = ({ type }: RequestEvent) => type === 'proposed';

async function holds({ subject, trailers }: LogCommit, message: string): Promise<boolean> {
  const { readTrailers } = await import('../../git/reader/message.ts');
  return subject === subjectOf(message) && trailers.join('\n') === readTrailers(message).join('\n');
}

function unproved({ state }: RequestFile): BacktrailError {
  return new BacktrailError(
    'LEDGER_TAMPERED',
    `The ledger names a branch for request ${state.id} that holds something else than what was approved.`,
  );
}
