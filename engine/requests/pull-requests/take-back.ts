/** Before anything voids an approval whose pull request is open, that is closed: what was merged is completed, whatever was decided. */
import { BacktrailError, isFailure, type LedgerRequest, type RequestId } from '../../model/index.ts';
import { type RequestContext, type Rules, stamp } from '../context.ts';
import { type Entry, onRequest } from '../ledger/append.ts';
import { isProposed } from '../../record/transitions.ts';
import { findLanded, type Landed } from './arrival.ts';
import { hostOf } from './host.ts';
import { type Following, sharingBranch } from './looking.ts';

/**
 * `states`: those that one branch brings. Gives those that were merged meanwhile; of the others nothing can be merged any more.
 *
 * @throws HOST_UNAVAILABLE, REMOTE_UNAVAILABLE: nothing is known then, and nothing may be written
 */
export async function takeBack(
  context: RequestContext,
  rules: Rules,
  states: readonly LedgerRequest[],
): Promise<ReadonlyMap<RequestId, Landed>> {
  const waiting = states.flatMap(({ id, proposed }) => (proposed === null ? [] : [{ id, proposed }]));
  const [first] = waiting;
  const [state] = states;
  if (first === undefined || state === undefined) return new Map();
  const { proposed } = first;
  const isClosed = proposed.via === 'pull-request' && (await closeAtHost(context, rules, state));
  const landed = await landedNow(context, waiting);
  if (landed.size > 0) return landed;
  await removeBranch(context, proposed, { isClosed });
  // Without the host's word, only what the branch holds after the branch of ours is gone says that nothing was merged.
  return isClosed ? landed : landedNow(context, waiting);
}

interface TakenBack {
  /** It was merged meanwhile; null: it was not. */
  readonly landed: Landed | null;
  /** For those that shared its pull request, with the event that voids it: a worker proposes them anew. */
  readonly others: readonly Entry[];
}

/** The same for one request, whoever shares its pull request. Does nothing where it has none. */
export async function takeBackProposed(
  { context, rules, ledgerSnapshot }: Pick<Following, 'context' | 'rules' | 'ledgerSnapshot'>,
  state: LedgerRequest,
): Promise<TakenBack> {
  if (!isProposed(state)) return { landed: null, others: [] };
  const sharing = (await sharingBranch(ledgerSnapshot, state)).map((file) => file.state);
  const landed = await takeBack(context, rules, sharing);
  const left = sharing.filter(({ id }) => id !== state.id && !landed.has(id));
  const message = `Its pull request was closed, as ${state.id} was to be merged with it no more.`;
  const others = left.flatMap(({ id }) => [
    onRequest(id, { ...by(context), type: 'failed', code: 'PULL_REQUEST_CLOSED', message }),
    onRequest(id, { ...by(context), type: 'retried' }),
  ]);
  return { landed: landed.get(state.id) ?? null, others };
}

const by = (context: RequestContext) => stamp(context, context.committer);

async function landedNow(
  context: RequestContext,
  waiting: Parameters<typeof findLanded>[2],
): Promise<ReadonlyMap<RequestId, Landed>> {
  await context.git.refresh();
  return findLanded(context, await context.observe(), waiting);
}

/** false where this machine may not ask the host: the branch is removed, which closes it too. */
async function closeAtHost(
  context: RequestContext,
  rules: Rules,
  { link, proposed }: LedgerRequest,
): Promise<boolean> {
  try {
    const { branch } = await context.observe();
    const { host } = await hostOf(context, rules, branch);
    const number = link?.number ?? (await host.find(proposed?.branch ?? ''))?.number;
    if (number !== undefined)
      await host.closePullRequest(number).catch((error: unknown) => {
        // It is merged: the branch says so.
        if (!isFailure(error) || error.code !== 'HOST_REFUSED') throw error;
      });
    return true;
  } catch (error) {
    if (isFailure(error) && (error.code === 'HOST_NOT_ALLOWED' || error.code === 'HOST_DENIED')) return false;
    throw error;
  }
}

/** Also what somebody else has pushed there: the pull request keeps it, and would bring it otherwise. */
async function removeBranch(
  { git }: RequestContext,
  { branch, tip }: { readonly branch: string; readonly tip: string },
  { isClosed }: { readonly isClosed: boolean },
): Promise<void> {
  const remove = (expected: string) => git.propose({ moves: [{ branch, expected, next: null }] });
  try {
    await remove(tip);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'BRANCH_MOVED') {
      if (isClosed && isFailure(error)) return;
      throw error;
    }
    const at = await git.proposedAt(branch);
    if (at !== null && !isClosed) await remove(at);
  }
}

/** Where it was merged before it could be taken back. */
export function alreadyMerged({ id }: LedgerRequest, { commit }: Landed): BacktrailError {
  return new BacktrailError(
    'REQUEST_CLOSED',
    `Request ${id} was merged meanwhile, in ${commit.slice(0, 10)}: it is completed.`,
    { hint: 'Ask for a rollback of it where it is not wanted any more.', details: { requestId: id, commit } },
  );
}
