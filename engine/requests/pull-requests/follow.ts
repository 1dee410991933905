/**
 * What became of what was proposed. The branch is the truth: what it holds is completed, whatever a host says. Then the approval: what voids it
 * closes the pull request first. Then the host: a pull request that is not there yet is opened, one that was closed or changed by others has failed,
 * one that may be merged is merged where the configuration asks for it.
 */
import {
  type BacktrailError,
  formatCoordinates,
  isFailure,
  type LedgerRequest,
  type PublishRule,
  type RequestEvent,
  type RequestId,
  type RequestStatus,
  type RollbackResult,
} from '../../model/index.ts';
import { requireRequest } from '../ledger/require-request.ts';
import { redact } from '../../model/failure.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isProposed } from '../../record/transitions.ts';
import { stamp } from '../context.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { append } from '../ledger/append.ts';
import { onRequest } from '../ledger/entries.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';
import type { Problem, Repair } from '../types.ts';
import { findLanded, type Landed } from './arrival.ts';
import { detailsAtHost, followAtHost, type HostLook, type HostStep, lookAtHost, openFor } from './at-host.ts';
import { byBranch, completeLanded } from './completed.ts';
import {
  answeredWith,
  type Following,
  isOfHost,
  lastProposed,
  type Looking,
  lookOf,
  restOf,
} from './looking.ts';
import { judgeArrival } from './merged.ts';
import { type ProposalGroup, proposeAll } from './propose.ts';
import { handToPush, otherWays, pushedInstead } from './standing/another-way.ts';
import { isBorneOut, isMadeAnewTooOften, notBorneOut, ownBranchAt, unjudged } from './standing/borne-out.ts';
import { lookAtBranch } from './standing/own-branch.ts';
import { asksAgain, eligibilityOf, type Voided, voidedIn, withdraw } from './standing/voided.ts';
import { closeLeftovers, type Ending, takeBack } from './take-back.ts';
import { wayOf } from './way.ts';

interface Followed {
  readonly repairs: readonly Repair[];
  /** What stands in the way of following one; it is tried again at the next look. */
  readonly problems: readonly Problem[];
}

/** One that was closed on its host, and merged all the same, is completed too. */
const LANDING: ReadonlySet<RequestStatus> = new Set(['approved', 'failed', 'pending']);

/** As it was proposed: also where reviewers are asked again, and a draft of it is open. */
function waitingOf(file: RequestFile): readonly RequestFile[] {
  const state = LANDING.has(file.state.status) ? lastProposed(file) : null;
  return state === null || (file.state.proposed === null && state.status !== 'pending')
    ? []
    : [{ ...file, state }];
}

/** `files`: open requests. */
export async function followProposed(following: Following, files: readonly RequestFile[]): Promise<Followed> {
  const proposed = files.flatMap(waitingOf);
  if (proposed.length === 0) return { repairs: [], problems: [] };
  const { context, snapshot } = following;
  const landed = await findLanded(
    context,
    snapshot,
    proposed.flatMap(({ state: { id, proposed } }) => (proposed === null ? [] : [{ id, proposed }])),
  );
  const repairs: Repair[] = [];
  const problems: Problem[] = [];
  const look = lookOf(context);
  const done = proposed.filter(({ state }) => landed.has(state.id));
  if (done.length > 0) repairs.push(...(await complete(following, done, landed)));
  const groups = byBranch(proposed.filter(({ state }) => !landed.has(state.id) && isProposed(state)));
  const { listed, problem } = await lookAtHost(following, look, groups);
  if (listed !== null) await closeLeftovers(following, notFollowed(listed, groups));
  // One that does not answer is not waited for once more for each.
  let silent = problem?.code === 'HOST_UNAVAILABLE' ? problem : null;
  for (const group of groups) {
    const [first] = group;
    if (first === undefined) continue;
    const isAtHost = first.state.proposed?.via === 'pull-request';
    const now = context.clock.now();
    const rest = following.isAsked ? null : restOf(look, first.state, now);
    let error = isAtHost ? (silent ?? rest?.error ?? null) : null;
    if (error === null)
      try {
        const followed = await followGroup(following, look, { group, listed });
        repairs.push(...followed.repairs);
        problems.push(...followed.problems);
        answeredWith(look, first.state, { error: null, now });
        if (isAtHost) error = problem;
      } catch (thrown) {
        if (!isFailure(thrown)) throw thrown;
        error = thrown;
        if (isAtHost && isOfHost(thrown)) answeredWith(look, first.state, { error, now });
        if (thrown.code === 'HOST_UNAVAILABLE') silent = thrown;
      }
    for (const { state } of group) if (error !== null) problems.push(problemOf(state.id, error));
  }
  return { repairs, problems };
}

function notFollowed(listed: NonNullable<HostLook['listed']>, groups: readonly Group[]) {
  const followed = new Set(groups.flat().map(({ state }) => state.proposed?.branch));
  return [...listed.values()].filter(({ branch }) => !followed.has(branch));
}

const problemOf = (requestId: RequestId, { code, message }: BacktrailError): Problem => ({
  requestId,
  code,
  message,
});

/** What the host says of it is recorded where it answers. */
async function complete(
  following: Following,
  files: readonly RequestFile[],
  landed: ReadonlyMap<RequestId, Landed>,
): Promise<readonly Repair[]> {
  const { context, rules } = following;
  const completing = [];
  for (const group of byBranch(files)) {
    const [first] = group;
    const said = first === undefined ? null : await detailsAtHost(following, first.state);
    for (const { state } of group) {
      const found = landed.get(state.id);
      if (found)
        completing.push({
          state,
          landed: said?.hasQueue ? { ...found, how: 'queue' as const } : found,
          details: said?.details,
        });
    }
  }
  const results = await completeLanded(context, rules, completing);
  return results.map((result) => completedRepair(result));
}

const completedRepair = ({ requestId, scope, commit }: RollbackResult): Repair => ({
  requestId,
  action: 'completed',
  detail: `The rollback of ${scope} was merged, in ${(commit ?? '').slice(0, 10)}.`,
});

type Group = readonly RequestFile[];

async function followGroup(
  following: Following,
  look: Looking,
  { group, listed }: { readonly group: Group; readonly listed: HostLook['listed'] },
): Promise<Followed> {
  const repaired = (repairs: readonly Repair[]): Followed => ({ repairs, problems: [] });
  const found = await eligibilityOf(following, group);
  const voided = await voidedIn(following, look, found);
  if (voided.size > 0) return repaired(await takeBackVoided(following, found, voided));
  const ways = await otherWays(following, group);
  if (ways !== null) return repaired(await goOtherWays(following, found, ways));
  const isAlone = group[0]?.state.proposed?.via === 'branch';
  const borneOut = await isBorneOut(following, look, found);
  // What was closed, and is gone with its branch, its host tells of.
  if (borneOut === 'no' || (borneOut === 'unseen' && (isAlone || group[0]?.state.link === null)))
    return replaceAll(following, found);
  if (borneOut === 'outdated' || borneOut === 'partial')
    return repaired(await take(following, found, { kind: 'anew', why: ANEW[borneOut] }));
  const [first] = group;
  if (borneOut === 'unjudged' && first?.state.link === null) throw unjudged(first);
  const isProved = borneOut === 'yes';
  const step = isAlone
    ? await lookAtBranch(following, look, group)
    : await followAtHost(following, look, { found, isProved, listed });
  return repaired(await take(following, found, step));
}

const ANEW = {
  outdated: 'Its branch was made anew: by the configuration of now it brings other files.',
  partial: 'Another rollback of its pull request was taken back.',
};

async function take(
  following: Following,
  found: readonly EligibilityInput[],
  step: HostStep,
): Promise<readonly Repair[]> {
  const group = found.map(({ file }) => file);
  switch (step.kind) {
    case 'waits':
      return [];
    case 'opened':
      return group.map(({ state }) => repairOf(state, 'proposed', `Its pull request is open: ${step.url}.`));
    case 'merged':
      return afterMerge(following, group, step);
    case 'failed':
      return failAll(following, group, step.error);
    case 'anew': {
      const made = await proposeAnew(following, found);
      return made.map((state) => repairOf(state, 'proposed', step.why));
    }
  }
}

/** On the tip of now, and their pull request says so. Gives those that wait to be merged. `from`: as in `ProposalGroup`. */
async function proposeAnew(
  following: Following,
  found: readonly EligibilityInput[],
  from?: ProposalGroup['from'],
): Promise<readonly LedgerRequest[]> {
  const { context, rules } = following;
  const [first] = found;
  if (first === undefined) return [];
  const rule = await wayOf(context, rules, first.file.state);
  if (rule.via === 'push') return [];
  const { via } = rule;
  const members = found.map((each) => ({ found: each }));
  const made = await proposeAll(following, [{ via, members, ...(from !== undefined && { from }) }]);
  const proposed = [...made].flatMap(([id, each]) =>
    each.status === 'fulfilled' && each.value.status === 'proposed' ? [id] : [],
  );
  const [failed] = [...made.values()].filter((each) => each.status === 'rejected');
  if (proposed.length === 0 && failed) throw failed.reason;
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const files = await Promise.all(proposed.map((id) => requireRequest(ledgerSnapshot, id)));
  if (via === 'pull-request')
    for (const group of byBranch(files))
      await openFor({ ...following, ledgerSnapshot, snapshot: await context.observe() }, group, rule);
  return files.map(({ state }) => state);
}

/** What the ledger names is not what was approved: each is proposed by itself, on the branch that has its name. */
async function replaceAll(following: Following, found: readonly EligibilityInput[]): Promise<Followed> {
  const { context } = following;
  const [repairs, problems]: [Repair[], Problem[]] = [[], []];
  for (const each of found) {
    const { file } = each;
    problems.push(problemOf(file.state.id, notBorneOut(file)));
    if (isMadeAnewTooOften(context, file)) continue;
    try {
      const made = await proposeAnew(following, [each], await ownBranchAt(context, file));
      const why = 'Its branch was made anew: the one that the ledger named does not hold what was approved.';
      repairs.push(...made.map((state) => repairOf(state, 'proposed', why)));
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code === 'PULL_REQUEST_CHANGED') repairs.push(...(await failAll(following, [file], error)));
      else problems.push(problemOf(file.state.id, error));
    }
  }
  return { repairs, problems };
}

/** The configuration alone decides: what was proposed is closed, and what it may be merged as no more is pushed, or proposed the other way. */
async function goOtherWays(
  following: Following,
  found: readonly EligibilityInput[],
  ways: readonly PublishRule[],
): Promise<readonly Repair[]> {
  const { context, rules } = following;
  const group = found.map(({ file }) => file);
  const states = group.map(({ state }) => state);
  const landed = await takeBackAll(following, group, 'closed');
  if ('repairs' in landed) return landed.repairs;
  const isPush = (_: unknown, at: number) => ways[at]?.via === 'push';
  const pushed = states.filter(isPush);
  await handToPush({ context, rules }, pushed);
  const made = await proposeAnew(
    following,
    found.filter((each, at) => !isPush(each, at)),
  );
  return [
    ...pushed.map((state) => repairOf(state, 'withdrawn', pushedInstead().message)),
    ...made.map((state) =>
      repairOf(state, 'proposed', 'The configuration publishes it another way by now; it was proposed anew.'),
    ),
  ];
}

const repairOf = (
  { id: requestId, scope }: LedgerRequest,
  action: Repair['action'],
  what: string,
): Repair => ({
  requestId,
  action,
  detail: `${formatCoordinates(scope)}: ${what}`,
});

/** Closed first; then the event; then the others of its pull request are proposed by themselves. */
async function takeBackVoided(
  following: Following,
  found: readonly EligibilityInput[],
  voided: ReadonlyMap<RequestId, Voided>,
): Promise<readonly Repair[]> {
  const group = found.map(({ file }) => file);
  const isAskedAgain = asksAgain(found, voided);
  const taken = await takeBackAll(following, group, isAskedAgain ? 'draft' : 'closed');
  if ('repairs' in taken) return taken.repairs;
  const repairs: Repair[] = [];
  for (const each of found) {
    const { state } = each.file;
    const why = voided.get(state.id);
    if (why === undefined) continue;
    repairs.push(repairOf(state, 'withdrawn', await withdraw(each, why, isAskedAgain)));
  }
  await proposeAnew(
    following,
    found.filter(({ file }) => !voided.has(file.state.id)),
  );
  return repairs;
}

/** `repairs`: it was merged meanwhile, as it was proposed or otherwise. */
async function takeBackAll(
  following: Following,
  group: Group,
  ending: Ending,
): Promise<{ readonly repairs: readonly Repair[] } | { readonly isOver: true }> {
  const { context, rules } = following;
  const states = group.map(({ state }) => state);
  try {
    const landed = await takeBack(context, rules, states, ending);
    return landed.size > 0 ? { repairs: await complete(following, group, landed) } : { isOver: true };
  } catch (error) {
    if (isFailure(error) && error.code === 'MERGED_OTHERWISE')
      return { repairs: await failAll(following, group, error) };
    throw error;
  }
}

/** The host says that it is merged; what the branch holds decides. */
async function afterMerge(
  following: Following,
  group: Group,
  { details, method }: Pick<Extract<HostStep, { kind: 'merged' }>, 'details' | 'method'>,
): Promise<readonly Repair[]> {
  const { context, rules } = following;
  const states = group.map(({ state }) => state);
  const judged = await judgeArrival(context, rules, states, details);
  if (judged.kind === 'unseen') return [];
  if (judged.kind === 'otherwise') return failAll(following, group, judged.error);
  // A squash of one commit looks as if it was rebased.
  const { landed } = judged;
  const isSquash = (how: Landed['how']) => how === 'rebase' && method === 'squash';
  return complete(
    following,
    group.filter(({ state }) => landed.has(state.id)),
    new Map(
      [...landed].map(([id, one]) => [id, isSquash(one.how) ? { ...one, how: 'squash' as const } : one]),
    ),
  );
}

async function failAll(
  { context, rules }: Following,
  group: Group,
  error: BacktrailError,
): Promise<readonly Repair[]> {
  const { code, message } = error;
  await append(context, rules, async (ledgerSnapshot) => {
    const entries = [];
    for (const { state: known } of group) {
      const { state } = await requireRequest(ledgerSnapshot, known.id);
      const event: RequestEvent = {
        ...stamp(context, context.committer),
        type: 'failed',
        code,
        message: redact(message).slice(0, 4000),
      };
      // Another worker may have made it anew.
      if (isProposed(state) && state.proposed?.commit === known.proposed?.commit)
        entries.push(onRequest(state.id, event));
    }
    return entries;
  });
  return group.map(({ state }) => repairOf(state, 'failed', message));
}
