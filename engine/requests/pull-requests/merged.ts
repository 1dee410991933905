/** What a host calls merged, judged by what the branch holds: as it was proposed, as it would be planned there, or otherwise. */
import {
  type Arrival,
  BacktrailError,
  isFailure,
  type LedgerRequest,
  type LogCommit,
  type ObjectId,
  type Proposed,
  type PullRequestDetails,
  type RequestId,
} from '../../model/index.ts';
import { changeDigest, sumOf } from '../../record/change-digest.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { RequestContext, Rules } from '../context.ts';
import { findLanded, judgeMerged, type Landed, subjectOf } from './arrival.ts';
import { hostOf } from './host.ts';

export type MergedAs =
  | { readonly kind: 'landed'; readonly landed: ReadonlyMap<RequestId, Landed> }
  | { readonly kind: 'otherwise'; readonly error: BacktrailError }
  /** What was fetched may be behind the host for a moment. */
  | { readonly kind: 'unseen' };

/** Milliseconds: so long after the host said so, what it names has to be on the branch. */
const UNSEEN_FOR = 10 * 60_000;

/** `states`: what one pull request brings. Looks at the branch as it is now. */
export async function judgeArrival(
  context: RequestContext,
  rules: Rules,
  states: readonly LedgerRequest[],
  details: PullRequestDetails,
): Promise<MergedAs> {
  const { git, clock } = context;
  await git.refresh();
  const snapshot = await context.observe();
  const waiting = states.flatMap(({ id, proposed }) => (proposed === null ? [] : [{ id, proposed }]));
  const landed = await findLanded(context, snapshot, waiting);
  if (landed.size > 0) return { kind: 'landed', landed };
  const { mergeCommit: commit, into } = details;
  const line = commit === null ? [] : await snapshot.history.firstParents(snapshot.base);
  if (commit === null || !line.includes(commit)) {
    if (into !== (await git.destination(snapshot.branch)).branch)
      return { kind: 'otherwise', error: mergedOtherwise(details, `into ${into}`) };
    const isOld = clock.now() - Date.parse(details.updatedAt) >= UNSEEN_FOR;
    const error = mergedOtherwise(
      details,
      `in ${commit?.slice(0, 10) ?? 'no commit'}, which ${into} does not hold`,
    );
    return isOld ? { kind: 'otherwise', error } : { kind: 'unseen' };
  }
  return judgeCommits(context, rules, { snapshot, states, details, commit });
}

interface Judging {
  readonly snapshot: Snapshot;
  readonly states: readonly LedgerRequest[];
  readonly details: PullRequestDetails;
  readonly commit: ObjectId;
}

/** One commit for all of them; or, where the host has rebased them, as many as were proposed. */
async function judgeCommits(
  context: RequestContext,
  rules: Rules,
  { snapshot, states, details, commit }: Judging,
): Promise<MergedAs> {
  const [last] = await context.git.inspect([commit]);
  const isMerge = (last?.parents.length ?? 0) > 1;
  const together = last === undefined ? [] : [[last]];
  const count = states.reduce((sum, { proposed }) => sum + (proposed?.deliveryCommit ? 2 : 1), 0);
  if (!isMerge && last !== undefined && count > 1) {
    const rebased = await consecutive(context, snapshot, commit, count);
    if (rebased !== null) together.push([...rebased]);
  }
  let differing: readonly string[] = [];
  for (const [at, commits] of together.entries()) {
    const written = summed(commits);
    const judged = await judgeMerged(context, snapshot, { written, requests: states });
    if (at === 0) differing = judged.differing;
    if (!judged.isOurs) continue;
    const isRebased = at > 0 || (count === 1 && states.some((state) => isSubjectOf(state, written)));
    const made = isMerge ? 'merge' : isRebased ? 'rebase' : 'squash';
    const how = (await isQueued(context, rules, snapshot)) ? 'queue' : made;
    return { kind: 'landed', landed: asFound(context, { states, written, how }) };
  }
  const where = `in ${commit.slice(0, 10)}`;
  return { kind: 'otherwise', error: mergedOtherwise(details, where, differing) };
}

const isSubjectOf = ({ proposed }: LedgerRequest, { subject }: LogCommit) =>
  subject === subjectOf(proposed?.messages.revert ?? '');

/** The newest so many commits of the line up to `commit`, oldest first; null where one of them is a merge. */
async function consecutive(
  { git }: RequestContext,
  snapshot: Snapshot,
  commit: ObjectId,
  count: number,
): Promise<readonly LogCommit[] | null> {
  const line = await snapshot.history.firstParents(snapshot.base);
  const at = line.indexOf(commit);
  const commits = await git.inspect(line.slice(at, at + count));
  if (commits.length !== count || commits.some(({ parents }) => parents.length !== 1)) return null;
  return commits.toReversed();
}

/** As if they were one commit: the last of them, on what the first one is on. */
function summed(commits: readonly LogCommit[]): LogCommit {
  const [first] = commits;
  const last = commits.at(-1);
  if (first === undefined || last === undefined) throw new BacktrailError('INTERNAL', 'No commit is judged.');
  return { ...last, parents: first.parents, changes: sumOf(commits.map(({ changes }) => changes)) };
}

/** The ledger has to name what it is known by on the branch: the host wrote other files than were proposed. */
function asFound(
  { git }: Pick<RequestContext, 'git'>,
  { states, written, how }: { states: readonly LedgerRequest[]; written: LogCommit; how: Arrival },
): ReadonlyMap<RequestId, Landed> {
  const whole = changeDigest(git.hasher, written.changes);
  const [base = written.id] = written.parents;
  return new Map(
    states.flatMap(({ id, proposed }) => {
      if (proposed === null) return [];
      const { id: commit } = written;
      const { revert, delivery } = proposed.change;
      const found: Proposed = {
        ...proposed,
        base,
        commit,
        deliveryCommit: null,
        tip: commit,
        change: { revert, delivery, whole },
        ...(states.length > 1 && { together: whole }),
      };
      return [[id, { commit, deliveryCommit: null, how, proposed: found }]];
    }),
  );
}

async function isQueued(context: RequestContext, rules: Rules, { branch }: Snapshot): Promise<boolean> {
  try {
    const { host, into } = await hostOf(context, rules, branch);
    return (await host.settings(into)).hasQueue;
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

function mergedOtherwise(
  { number }: PullRequestDetails,
  where: string,
  differing: readonly string[] = [],
): BacktrailError {
  const what = differing.length === 0 ? '' : ` It differs in ${differing.join(', ')}.`;
  return new BacktrailError(
    'MERGED_OTHERWISE',
    `Pull request ${number} was merged ${where}, and not as it was proposed.${what}`,
    { details: { differing } },
  );
}
