/** Executes the requests of a group in one push, or none of them; what becomes of them is written together, too. */
import {
  BacktrailError,
  FAILURES,
  formatCoordinates,
  isFailure,
  type LedgerRequest,
  type RequestEvent,
  type RequestId,
  type RollbackResult,
} from '../../model/index.ts';
import { hasPermission } from '../../policy/policy.ts';
import { redact } from '../../model/failure.ts';
import { Obstructed } from '../../rollback/batch/round.ts';
import { executeTogether } from '../../rollback/batch/together.ts';
import { stamp } from '../context.ts';
import { type EligibilityInput, leftToOthers } from '../gate/eligibility.ts';
import { ownersOf } from '../gate/owners.ts';
import { proveRequest, readSignaturesOf } from '../ledger/proof.ts';
import { appendIfWaiting, completeAll, UNRECORDED } from '../outcome.ts';
import { replan, replannedEvent } from '../replan.ts';
import { publishedAfter } from '../restored.ts';

import type { ExecuteRequestOptions } from '../types.ts';
import { canJudge } from '../view.ts';
import { groupOf, nameOf, obstacleIn } from './group.ts';
import { recordTogether, wantedBy } from './record-together.ts';
import { arrivedOf } from '../arrivals/arrived-of.ts';
import { isPublished, memberOf, recorded } from './member.ts';

interface GroupOptions extends Omit<ExecuteRequestOptions, 'onStep'> {
  readonly onSteps: ReadonlyMap<RequestId, ExecuteRequestOptions['onStep']>;
  /** Awaited before each push but the first: a host may take only so many. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** Something was pushed since the ledger was read. */
  readonly isOld?: boolean;
}

type Results = Map<RequestId, PromiseSettledResult<RollbackResult>>;

/**
 * `one`: a request of the group that waits to be executed. Gives the results of all that are left to be executed: all of them are done, or all have
 * failed, each with what stands in its way or in that of another. Those that the branch holds already are not among them.
 */
export async function executeGroup(one: EligibilityInput, options: GroupOptions): Promise<Results> {
  let left: readonly EligibilityInput[] = [one];
  try {
    const found = await findLeft(one, options);
    left = found.left;
    if (found.held !== null) return allOf(left, () => found.held);
    return await publishAll(left, options);
  } catch (error) {
    const reasons = reasonsOf(left, error);
    await record(left, { error, reasons }, options).catch((failure: unknown) => {
      if (!isFailure(failure)) throw failure;
    });
    return allOf(left, (id) => reasons.get(id));
  }
}

const allOf = (left: readonly EligibilityInput[], reasonOf: (id: RequestId) => unknown): Results =>
  new Map(left.map(({ file: { state } }) => [state.id, { status: 'rejected', reason: reasonOf(state.id) }]));

interface Left {
  /** Not on the branch yet. */
  readonly left: readonly EligibilityInput[];
  /** Others have to agree first: that is no failure of any. */
  readonly held: BacktrailError | null;
}

/** Every request of the group that is to be executed. */
async function findLeft(
  one: EligibilityInput,
  { actor, onTrust }: Pick<GroupOptions, 'actor' | 'onTrust'>,
): Promise<Left> {
  const { context, ledgerSnapshot } = one;
  const files = (await groupOf(ledgerSnapshot, one.file.state)) ?? [one.file];
  await readSignaturesOf(context, ledgerSnapshot, files);
  const { base } = await context.observe();
  const bases = files.map(({ state }) => state.base);
  const published = await publishedAfter(context.git, base, bases);
  const left: EligibilityInput[] = [];
  for (const file of files) {
    const { state } = file;
    const arrived = await arrivedOf(context, state);
    const isThere = arrived !== null || published.has(state.id);
    if (isThere && (await isPublished(context, state, arrived))) continue;
    const found = { ...one, file, proofs: await proveRequest(context, ledgerSnapshot, file) };
    // That there was nothing to do for it is a claim of the ledger.
    if (state.status === 'completed') await recorded(found);
    else left.push(found);
  }
  const obstacle = obstacleIn(left.map(({ file }) => file));
  if (obstacle?.code === 'AWAITING_APPROVAL') return { left, held: obstacle };
  if (obstacle !== null) throw obstacle;
  for (const { file } of left) {
    const { state } = file;
    const held = await heldBy(one, state, { actor, onTrust });
    if (held !== null) return { left, held };
  }
  return { left, held: null };
}

type Running = { readonly [Key in 'actor' | 'onTrust']: GroupOptions[Key] | undefined };

/** Who runs this may not, or cannot judge it: another one may. */
async function heldBy(
  { context, rules }: EligibilityInput,
  state: LedgerRequest,
  { actor, onTrust }: Running,
): Promise<BacktrailError | null> {
  const owners = actor === undefined ? [] : await ownersOf(context, state);
  const denied = owners.find((owner) => actor && !hasPermission(rules.policy, actor, 'deploy', owner));
  if (denied !== undefined && actor !== undefined)
    return new BacktrailError(
      'PERMISSION_DENIED',
      `${actor.email} may not execute a rollback of ${formatCoordinates(denied)}.`,
    );
  if (onTrust === true || canJudge(context, rules, state)) return null;
  return new BacktrailError('IDENTITY_UNVERIFIED', NO_KEYS, { hint: KEYS_HINT });
}

const NO_KEYS = 'Nobody’s approval of these can be judged: no key is trusted here.';
const KEYS_HINT = 'Name the list of keys that this worker trusts with BACKTRAIL_ALLOWED_SIGNERS=FILE.';

async function publishAll(
  left: readonly EligibilityInput[],
  { onSteps, signal, turn, isOld = false }: GroupOptions,
): Promise<Results> {
  const [one] = left;
  if (one === undefined) return new Map();
  const { context, rules } = one;
  const written = new Set<RequestId>();
  const results = await executeTogether({
    ...context,
    members: left.map((found) => memberOf(found, onSteps.get(found.file.state.id))),
    snapshot: await context.observe(),
    record: recordTogether(one, written, { isOld }),
    wanted: wantedBy(one),
    ...(signal && { signal }),
    turn,
  });
  const done = [...results.values()].flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const unrecorded = done.filter(({ requestId }) => !written.has(requestId));
  if (unrecorded.length > 0) await turn?.();
  await completeAll(context, rules, unrecorded);
  return new Map(results);
}

/** What each of them fails with: its own obstacle, or what stands in the way of another one, or of the push. */
function reasonsOf(left: readonly EligibilityInput[], error: unknown): ReadonlyMap<RequestId, unknown> {
  const obstacles = error instanceof Obstructed ? error.obstacles : null;
  const [first] = obstacles ?? [];
  const other = left.find(({ file }) => file.state.id === first?.[0])?.file.state;
  const shared = first === undefined || other === undefined ? error : becauseOf(other, first[1]);
  return new Map(left.map(({ file: { state } }) => [state.id, obstacles?.get(state.id) ?? shared] as const));
}

function becauseOf(other: LedgerRequest, reason: unknown): unknown {
  if (!isFailure(reason)) return reason;
  const { code, message, hint, details } = reason;
  return new BacktrailError(
    code,
    `It is published with others or not at all, and ${nameOf(other)} stands in the way: ${message}`,
    { hint, details: { ...details, requestId: other.id }, cause: reason },
  );
}

interface Failed {
  readonly error: unknown;
  readonly reasons: ReadonlyMap<RequestId, unknown>;
}

/** What became of each, in one append. Where those that stand in the way only wait for reviewers again, the others stay approved. */
async function record(
  left: readonly EligibilityInput[],
  { error, reasons }: Failed,
  { willRetry, turn }: GroupOptions,
): Promise<void> {
  const [one] = left;
  const causes = error instanceof Obstructed ? error.obstacles : reasons;
  for (const reason of causes.values()) {
    if (!isFailure(reason) || UNRECORDED.has(reason.code)) return;
    if (FAILURES[reason.code].retry !== 'never' && willRetry === true) return;
  }
  if (one === undefined) return;
  const events = new Map<RequestId, RequestEvent>();
  for (const found of left) {
    const { id } = found.file.state;
    const reason = causes.get(id);
    const event = isFailure(reason) ? await eventOf(found, reason) : null;
    if (event !== null) events.set(id, event);
  }
  if ([...events.values()].some(({ type }) => type === 'failed'))
    for (const { file, context } of left) {
      const [{ id }, reason] = [file.state, reasons.get(file.state.id)];
      if (!events.has(id) && isFailure(reason)) events.set(id, failedEvent(context, reason));
    }
  if (events.size > 0) await turn?.();
  const written = left.flatMap(({ file }) => {
    const event = events.get(file.state.id);
    return event === undefined ? [] : [{ id: file.state.id, event, seen: file.events.length }];
  });
  await appendIfWaiting(one.context, one.rules, written);
}

/** As for a request of its own; null where that was said before. */
async function eventOf(found: EligibilityInput, reason: BacktrailError): Promise<RequestEvent | null> {
  const { context, file } = found;
  const { state, events } = file;
  if ((await leftToOthers(found, reason)) !== null) return null;
  if (reason.code === 'AWAITING_APPROVAL') {
    const { message } = reason;
    const said = events.some((past) => past.type === 'reopened' && past.reason === message);
    return said ? null : { ...stamp(context, context.committer), type: 'reopened', reason: message };
  }
  if (reason.code === 'PLAN_CHANGED' && state.gate !== 'no-policy')
    return replannedEvent(context, state, await replan(context, state));
  return failedEvent(context, reason);
}

function failedEvent(context: EligibilityInput['context'], { code, message }: BacktrailError): RequestEvent {
  return {
    ...stamp(context, context.committer),
    type: 'failed',
    code,
    message: redact(message).slice(0, 4000),
  };
}
