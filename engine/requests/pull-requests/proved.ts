/** Whether the commits of a branch of ours are what was approved: whoever may write to the ledger could name others there. */
import { BacktrailError, type LogCommit, type ObjectId, type Proposed } from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { differingFrom, meantOn, subjectOf } from './arrival.ts';
import type { Following } from './looking.ts';

/**
 * That the branch is these commits on their base, which the branch that they are for holds already, and that each of them changes what it was
 * approved to change.
 *
 * @throws LEDGER_TAMPERED
 */
export async function requireProved(
  following: Pick<Following, 'context' | 'snapshot'>,
  group: readonly RequestFile[],
): Promise<void> {
  const commits = new Map<ObjectId, LogCommit>();
  for (const file of group) {
    const { proposed } = file.state;
    if (proposed === null) throw unproved(file);
    for (const commit of await commitsOf(following, file, proposed)) commits.set(commit.id, commit);
  }
  const { history, base: tip } = following.snapshot;
  for (const file of group) {
    let at: ObjectId | undefined = file.state.proposed?.tip;
    let steps = 0;
    for (; at !== undefined && commits.has(at); steps += 1) at = commits.get(at)?.parents[0];
    if (steps !== commits.size || at === undefined || at !== file.state.proposed?.base) throw unproved(file);
    if (!(await history.isOnLine(tip, at))) throw unproved(file);
  }
}

async function commitsOf(
  { context, snapshot }: Pick<Following, 'context' | 'snapshot'>,
  file: RequestFile,
  { commit, deliveryCommit, messages }: Proposed,
): Promise<readonly LogCommit[]> {
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
  if (!isMeant || !(await isSaid(revert, messages.revert))) throw unproved(file);
  if (delivery !== undefined && !(await isSaid(delivery, messages.delivery ?? ''))) throw unproved(file);
  return delivery === undefined ? [revert] : [revert, delivery];
}

/** A host that merges is given this message, and may keep nothing of the commits. */
async function isSaid({ subject, trailers }: LogCommit, message: string): Promise<boolean> {
  const { readTrailers } = await import('../../git/reader/message.ts');
  return subject === subjectOf(message) && trailers.join('\n') === readTrailers(message).join('\n');
}

function unproved({ state }: RequestFile): BacktrailError {
  return new BacktrailError(
    'LEDGER_TAMPERED',
    `The ledger names a branch for request ${state.id} that holds something else than what was approved.`,
  );
}
