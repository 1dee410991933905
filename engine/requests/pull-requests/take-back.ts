/** Before anything voids an approval whose pull request is open, that is closed: what was merged is completed, whatever was decided. */
import {
  BacktrailError,
  type CodeHost,
  isFailure,
  isProposedBranch,
  isRequestId,
  type LedgerRequest,
  PROPOSED_BRANCH,
  type PullRequest,
  type PullRequestDetails,
  type RequestId,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isOpen, isProposed } from '../../record/transitions.ts';
import type { RequestContext, Rules } from '../context.ts';
import { findLanded, type Landed } from './arrival.ts';
import { hostOf } from './host.ts';
import { type Following, lastProposed, sharingBranch } from './looking.ts';
import { judgeArrival } from './merged.ts';

/** `draft`: it is kept as one where the host has drafts, with its branch: people are asked about it again. */
export type Ending = 'closed' | 'draft';

/**
 * `states`: those that one branch brings. Gives those that were merged meanwhile; of the others nothing can be merged any more.
 *
 * @throws HOST_UNAVAILABLE, REMOTE_UNAVAILABLE, HOST_REFUSED: nothing is known then, and nothing may be written; MERGED_OTHERWISE: so it was
 */
export async function takeBack(
  context: RequestContext,
  rules: Rules,
  states: readonly LedgerRequest[],
  ending: Ending = 'closed',
): Promise<ReadonlyMap<RequestId, Landed>> {
  const waiting = states.flatMap(({ id, proposed }) => (proposed === null ? [] : [{ id, proposed }]));
  const [first] = waiting;
  const [state] = states;
  if (first === undefined || state === undefined) return new Map();
  const { proposed } = first;
  const ended =
    proposed.via === 'pull-request'
      ? await endAtHost(context, rules, state, ending)
      : { as: 'unknown' as const };
  if (ended.as === 'merged') return mergedMeanwhile(context, rules, states, ended.details);
  const landed = await landedNow(context, waiting);
  if (landed.size > 0 || ended.as === 'draft') return landed;
  const isClosed = ended.as === 'closed';
  await removeBranch(context, proposed, { isClosed });
  // Without the host's word, only what the branch holds after the branch of ours is gone says that nothing was merged.
  return isClosed ? landed : landedNow(context, waiting);
}

/** The same for one request, whoever shares its pull request; null also where it has none. */
export async function takeBackProposed(
  { context, rules, ledgerSnapshot }: Pick<Following, 'context' | 'rules' | 'ledgerSnapshot'>,
  file: RequestFile,
): Promise<Landed | null> {
  const { state } = file;
  if (state.status === 'pending') return takeBackDraft(context, rules, file);
  if (!isProposed(state)) return null;
  const sharing = await sharingBranch(ledgerSnapshot, state);
  const landed = await takeBack(
    context,
    rules,
    sharing.map((each) => each.state),
  );
  return landed.get(state.id) ?? null;
}

/** What reviewers are asked about again may have left its pull request open as a draft. A host that does not answer keeps nobody from deciding. */
async function takeBackDraft(
  context: RequestContext,
  rules: Rules,
  file: RequestFile,
): Promise<Landed | null> {
  const state = lastProposed(file);
  if (state === null) return null;
  try {
    const landed = await takeBack(context, rules, [state]);
    return landed.get(state.id) ?? null;
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/**
 * Of the open ones on the host, those of requests that are at their end: whoever ended them could not reach it, or was killed. `listed`: what is
 * followed is not among them. Best effort.
 */
export async function closeLeftovers(
  { context, rules, ledgerSnapshot }: Pick<Following, 'context' | 'rules' | 'ledgerSnapshot'>,
  listed: readonly PullRequest[],
): Promise<void> {
  for (const { branch } of listed) {
    const id = branch.slice(PROPOSED_BRANCH.length);
    if (!isProposedBranch(branch) || !isRequestId(id)) continue;
    const file = await ledgerSnapshot.request(id);
    if (file !== null && !isOpen(file.state.status)) await closeLeftOpen(context, rules, file);
  }
}

/** The same for one that had nothing to do when it was executed again. */
export async function closeLeftOpen(context: RequestContext, rules: Rules, file: RequestFile): Promise<void> {
  await takeBackDraft(context, rules, file);
}

async function landedNow(
  context: RequestContext,
  waiting: Parameters<typeof findLanded>[2],
): Promise<ReadonlyMap<RequestId, Landed>> {
  await context.git.refresh();
  return findLanded(context, await context.observe(), waiting);
}

async function mergedMeanwhile(
  context: RequestContext,
  rules: Rules,
  states: readonly LedgerRequest[],
  details: PullRequestDetails,
): Promise<ReadonlyMap<RequestId, Landed>> {
  const judged = await judgeArrival(context, rules, states, details);
  if (judged.kind === 'landed') return judged.landed;
  if (judged.kind === 'otherwise') throw judged.error;
  throw new BacktrailError(
    'HOST_UNAVAILABLE',
    `Pull request ${details.number} was merged, and the branch that was read does not hold it yet.`,
  );
}

type Ended =
  | { readonly as: Ending }
  | { readonly as: 'merged'; readonly details: PullRequestDetails }
  /** This machine may not ask the host: the branch is removed, which closes it too. */
  | { readonly as: 'unknown' };

async function endAtHost(
  context: RequestContext,
  rules: Rules,
  { link, proposed }: LedgerRequest,
  ending: Ending,
): Promise<Ended> {
  const { branch = '', tip = '' } = proposed ?? {};
  try {
    const { host, into } = await hostOf(context, rules, (await context.observe()).branch);
    const isDraft = ending === 'draft' && (await host.settings(into)).hasDrafts;
    const found = await endOne(host, await host.find(branch), isDraft);
    // Somebody may have opened another one for the branch, after ours.
    const linked = link !== null && link.number !== found?.number ? await host.read(link.number) : null;
    const own = linked?.branch === branch ? await endOne(host, linked, isDraft) : null;
    const ours = [own, found].find((each) => each?.state === 'merged' && isOfNow(each, { link, tip }));
    if (ours) return { as: 'merged', details: await host.read(ours.number) };
    return {
      as: isDraft && [found, own].some((each) => each?.isDraft && each.state === 'open') ? 'draft' : 'closed',
    };
  } catch (error) {
    if (isFailure(error) && (error.code === 'HOST_NOT_ALLOWED' || error.code === 'HOST_DENIED'))
      return { as: 'unknown' };
    throw error;
  }
}

/** An earlier one for the same branch may have been merged with something else. */
const isOfNow = (
  { number, head }: PullRequest,
  { link, tip }: { readonly link: LedgerRequest['link']; readonly tip: string },
) => number === link?.number || head === tip;

/** As the host has it then. @throws HOST_REFUSED where it stays open */
async function endOne(
  host: CodeHost,
  pull: PullRequest | null,
  isDraft: boolean,
): Promise<PullRequest | null> {
  if (pull?.state !== 'open') return pull;
  if (isDraft && (await madeDraft(host, pull))) {
    const now = await host.read(pull.number);
    if (now.state !== 'open' || now.isDraft) return now;
  }
  let refused: BacktrailError | null = null;
  try {
    await host.closePullRequest(pull.number);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'HOST_REFUSED') throw error;
    refused = error;
  }
  // Where it is merged, the branch says so.
  const now = await host.read(pull.number);
  if (now.state === 'open')
    throw refused ?? new BacktrailError('HOST_REFUSED', `Pull request ${pull.number} stays open.`);
  return now;
}

async function madeDraft(host: CodeHost, { number }: PullRequest): Promise<boolean> {
  try {
    await host.setDraft(number, true);
    return true;
  } catch (error) {
    if (isFailure(error) && error.code === 'HOST_REFUSED') return false;
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
