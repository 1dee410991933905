/**
 * What became of what was proposed. The branch is the truth: what it holds is completed, whatever a host says. Then the approval: what voids it
 * closes the pull request first. Then the host: a pull request that is not there yet is opened, one that was closed or changed by others has failed,
 * one that may be merged is merged where the configuration asks for it.
 */
import {
  type BacktrailError,
  FAILURES,
  formatCoordinates,
  isFailure,
  type LedgerRequest,
  type RequestEvent,
  type RequestId,
  type RollbackResult,
} from '../../model/index.ts';
import { requireRequest } from '../ledger/require-request.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isProposed } from '../../record/transitions.ts';
import { prepare } from '../../rollback/batch/plans.ts';
import { beginRound, type Round } from '../../rollback/batch/round.ts';
import { stamp } from '../context.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { append, onRequest } from '../ledger/append.ts';
import { openLedgerSnapshot } from '../ledger/snapshot.ts';
import { proveRequest, readSignaturesOf } from '../ledger/proof.ts';
import { memberOf, REFUSALS } from '../many/member.ts';
import { completeAll, recordFailure, refuse } from '../outcome.ts';
import { isExpired } from '../review.ts';
import type { Problem, Repair } from '../types.ts';
import { canJudge, proven } from '../view.ts';
import { findLanded, type Landed } from './arrival.ts';
import { detailsAtHost, followAtHost, type HostLook, type HostStep, lookAtHost, openFor } from './at-host.ts';
import { byBranch, completeLanded } from './completed.ts';
import { answeredWith, type Following, isOfHost, type Looking, lookOf, restOf } from './looking.ts';
import { judgeArrival } from './merged.ts';
import { proposeAll } from './propose.ts';
import { closeLeftovers, takeBack } from './take-back.ts';
import { wayOf } from './way.ts';

interface Followed {
  readonly repairs: readonly Repair[];
  /** What stands in the way of following one; it is tried again at the next look. */
  readonly problems: readonly Problem[];
}

/** One that was closed on its host, and merged all the same, is completed too. */
const mayLand = ({ status, proposed }: LedgerRequest) =>
  proposed !== null && (status === 'approved' || status === 'failed');

/** `files`: open requests. */
export async function followProposed(following: Following, files: readonly RequestFile[]): Promise<Followed> {
  const proposed = files.filter(({ state }) => mayLand(state));
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
        repairs.push(...(await followGroup(following, look, { group, listed })));
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
): Promise<readonly Repair[]> {
  const found = await eligibilityOf(following, group);
  const voided = await voidedIn(following, look, found);
  if (voided.size > 0) return takeBackVoided(following, found, voided);
  const step = await followAtHost(following, look, { group, listed });
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

/** On the tip of now, and their pull request says so. Gives those that wait to be merged. */
async function proposeAnew(
  following: Following,
  found: readonly EligibilityInput[],
): Promise<readonly LedgerRequest[]> {
  const { context, rules } = following;
  const [first] = found;
  if (first === undefined) return [];
  const rule = await wayOf(context, rules, first.file.state);
  if (rule.via === 'push') return [];
  const { via } = rule;
  const made = await proposeAll(following, [{ via, members: found.map((each) => ({ found: each })) }]);
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

const repairOf = (
  { id: requestId, scope }: LedgerRequest,
  action: Repair['action'],
  what: string,
): Repair => ({
  requestId,
  action,
  detail: `${formatCoordinates(scope)}: ${what}`,
});

async function eligibilityOf(
  { context, rules, ledgerSnapshot }: Following,
  group: Group,
): Promise<readonly EligibilityInput[]> {
  await readSignaturesOf(context, ledgerSnapshot, group);
  return Promise.all(
    group.map(async (file) => ({
      context,
      rules,
      ledgerSnapshot,
      file,
      proofs: await proveRequest(context, ledgerSnapshot, file),
      counts: proven,
    })),
  );
}

/** Why it must not be merged any more: a reason, or that nothing is left to change. */
type Voided =
  | { readonly reason: BacktrailError }
  | { readonly unchanged: RollbackResult }
  | { readonly expired: true };

/** Looked at again when the tip moves, and once a minute: windows open and close, and keys are revoked. */
async function voidedIn(
  { context, rules, snapshot }: Following,
  look: Looking,
  found: readonly EligibilityInput[],
): Promise<ReadonlyMap<RequestId, Voided>> {
  const voided = new Map<RequestId, Voided>();
  for (const { file } of found)
    if (isExpired(context, rules, file.state)) voided.set(file.state.id, { expired: true });
  const judged = found.filter(({ file }) => canJudge(context, rules, file.state));
  const due = judged.filter(({ file }) => look.isDue(file.state, snapshot.base, context.clock.now()));
  if (due.length === 0) return voided;
  const members = due.map((each) => memberOf(each, undefined, { isPush: null }));
  const { recorder: _, ...rest } = context;
  const round: Round = {
    ...beginRound({ ...rest, members, snapshot, record: () => Promise.resolve(null) }),
    // A plan that is kept is not asked again whether a window has closed.
    plans: rules.policy.windows?.some(({ rollbacks }) => rollbacks === 'bound') ? new Map() : look.plans,
  };
  for (const [at, member] of members.entries()) {
    const state = due[at]?.file.state;
    if (state === undefined) continue;
    const { id } = state;
    try {
      const value = await prepare(round, snapshot, member);
      if (!('planned' in value)) voided.set(id, { unchanged: value });
      else {
        look.plans.set(id, value);
        look.checked(state, snapshot.base, context.clock.now());
      }
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (FAILURES[error.code].retry === 'never') voided.set(id, { reason: error });
      else if (error.code !== 'BRANCH_MOVED') throw error;
    }
  }
  return voided;
}

/** Closed first; then the event; then the others of its pull request are proposed by themselves. */
async function takeBackVoided(
  following: Following,
  found: readonly EligibilityInput[],
  voided: ReadonlyMap<RequestId, Voided>,
): Promise<readonly Repair[]> {
  const { context, rules } = following;
  const states = found.map(({ file }) => file.state);
  const group = found.map(({ file }) => file);
  const isAskedAgain = asksAgain(found, voided);
  let landed: ReadonlyMap<RequestId, Landed>;
  try {
    landed = await takeBack(context, rules, states, isAskedAgain ? 'draft' : 'closed');
  } catch (error) {
    if (isFailure(error) && error.code === 'MERGED_OTHERWISE') return failAll(following, group, error);
    throw error;
  }
  if (landed.size > 0) return complete(following, group, landed);
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

/** Whether people are asked about another plan now, and the same pull request is to bring that. */
function asksAgain(
  [one, ...others]: readonly EligibilityInput[],
  voided: ReadonlyMap<RequestId, Voided>,
): boolean {
  if (one === undefined || others.length > 0) return false;
  const why = voided.get(one.file.state.id);
  return (
    why !== undefined &&
    'reason' in why &&
    why.reason.code === 'PLAN_CHANGED' &&
    one.file.state.gate !== 'no-policy'
  );
}

/** A sentence. */
async function withdraw(found: EligibilityInput, why: Voided, isAskedAgain: boolean): Promise<string> {
  const { context, rules, file } = found;
  if ('unchanged' in why) {
    await completeAll(context, rules, [why.unchanged]);
    return 'The branch holds what it restores already; its pull request is closed.';
  }
  if ('expired' in why) {
    await append(context, rules, async (ledgerSnapshot) => {
      const { state } = await requireRequest(ledgerSnapshot, file.state.id);
      const event: RequestEvent = { ...stamp(context, context.committer), type: 'expired' };
      return isProposed(state) ? [onRequest(state.id, event)] : [];
    });
    return 'It expired before it was merged; its pull request is closed.';
  }
  const { reason } = why;
  // Reviewers are asked again for the same reason once: after that, it would stay approved with nothing to be merged.
  const isSaid = file.events.some((past) => past.type === 'reopened' && past.reason === reason.message);
  const isAsked = REFUSALS.has(reason.code) && !isSaid;
  const record = isAsked ? refuse(found, reason) : recordFailure(found, reason, {});
  await record.catch((error: unknown) => {
    if (!isFailure(error)) throw error;
  });
  return isAskedAgain
    ? `${reason.message} Approval is asked for again; until then its pull request cannot be merged.`
    : `${reason.message} Its pull request is closed.`;
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
        message: message.slice(0, 4000),
      };
      // Another worker may have made it anew.
      if (isProposed(state) && state.proposed?.commit === known.proposed?.commit)
        entries.push(onRequest(state.id, event));
    }
    return entries;
  });
  return group.map(({ state }) => repairOf(state, 'failed', message));
}
