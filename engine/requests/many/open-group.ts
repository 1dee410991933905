/** Opens the requests of a group: all of them at once, or none. */
import {
  BacktrailError,
  formatCoordinates,
  isFailure,
  type Person,
  type Plan,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from '../../model/index.ts';
import { publishRuleFor } from '../../layout/configuration/publish.ts';
import type { Gate } from '../../policy/gate.ts';
import { samePerson } from '../../policy/policy.ts';
import { tryChain } from '../../rollback/batch/chain.ts';
import { Obstructed } from '../../rollback/batch/round.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { RequestContext, Rules } from '../context.ts';
import { append } from '../ledger/append.ts';
import type { Entry } from '../ledger/entries.ts';
import type { LedgerSnapshot } from '../ledger/snapshot.ts';
import { type OpenInput, openingEntries, requireSameRollback } from '../open.ts';
import { type TakenBack, takingBack } from '../pull-requests/standing/taking-back.ts';
import type { RequestView } from '../types.ts';
import { viewsOf } from '../view.ts';
import { filesOf } from './plan-many.ts';

interface Requested extends RollbackResult {
  readonly request: RequestView | null;
}

/** What is to be done for what is asked. */
export interface Decided {
  readonly run: () => Promise<Requested>;
  /** null: there is nothing to open. */
  readonly opening: Opening | null;
}

interface Opening {
  readonly input: OpenInput;
  readonly gate: Gate;
  readonly request: RollbackRequest;
  readonly finish: (view: RequestView) => Requested;
}

interface Place {
  readonly context: RequestContext;
  /** The same, with the branch as the plans were made on it. */
  readonly looked: RequestContext;
  readonly snapshot: Snapshot;
  readonly rules: Rules;
}

type Settled = PromiseSettledResult<Requested>[];

/**
 * In the order of the asks. Where one cannot be asked for, or where they cannot be published on top of each other as they were planned, none is.
 * What there is nothing to do for belongs to no group.
 */
export async function openTogether(
  place: Place,
  asks: readonly { readonly id: RequestId; readonly incident?: string; readonly author: Person }[],
  decided: readonly PromiseSettledResult<Decided>[],
): Promise<Settled> {
  if (asks.length === 0) return [];
  const [{ incident, author } = { incident: undefined, author: { email: '' } }] = asks;
  const isOfOne = (ask: (typeof asks)[number]) =>
    ask.incident === incident && samePerson(ask.author.email, author.email);
  if (incident === undefined || !asks.every(isOfOne))
    throw new BacktrailError(
      'INVALID_REQUEST',
      'What is published together belongs to one incident, and is asked for by one person.',
    );
  const failed = decided.find((each) => each.status === 'rejected');
  if (failed !== undefined) return noneOf(decided, notAsked(failed.reason));
  const openings = decided.map((each) => (each.status === 'fulfilled' ? each.value.opening : null));
  const present = openings.filter((opening) => opening !== null);
  try {
    for (const { input } of present) requirePushed(place.rules, input.planned.plan);
    await requireChain(place, present);
    const views = present.length === 0 ? new Map<RequestId, RequestView>() : await openAll(place, present);
    return await Promise.allSettled(
      decided.map(async (each, index): Promise<Requested> => {
        if (each.status === 'rejected') throw each.reason;
        const opening = openings[index] ?? null;
        if (opening === null) return each.value.run();
        const view = views.get(opening.input.id);
        if (view !== undefined) return opening.finish(view);
        throw new BacktrailError('INTERNAL', `Request ${opening.input.id} was not written.`);
      }),
    );
  } catch (reason) {
    if (!isFailure(reason)) throw reason;
    return noneOf(decided, reason);
  }
}

const noneOf = (decided: readonly PromiseSettledResult<Decided>[], reason: unknown): Settled =>
  decided.map((each) => (each.status === 'rejected' ? each : { status: 'rejected', reason }));

function notAsked(cause: unknown): unknown {
  if (!isFailure(cause)) return cause;
  const { code, message, hint, details } = cause;
  return new BacktrailError(
    code,
    `It is published with others or not at all, and one of them cannot be asked for: ${message}`,
    { hint, details, cause },
  );
}

/** Two pull requests cannot be merged at once. @throws PLAN_BLOCKED */
function requirePushed({ publish }: Rules, { scope, owners }: Plan): void {
  if (publishRuleFor(publish, owners).via === 'push') return;
  throw new BacktrailError(
    'PLAN_BLOCKED',
    `The rollback of ${formatCoordinates(scope)} is proposed as a pull request, and cannot be published in one push with others.`,
    { hint: 'Ask for them without `atomic`, or name one scope that holds all of it.' },
  );
}

/** @throws PLAN_BLOCKED where one of them would not do, on top of the others, what was confirmed */
async function requireChain({ looked, snapshot }: Place, openings: readonly Opening[]): Promise<void> {
  const members = openings.map(({ input: { planned }, request }) => ({
    asked: request,
    authorize: () => Promise.resolve(request),
    planned,
    request,
  }));
  try {
    await tryChain({ ...looked, snapshot, record: () => Promise.resolve(null) }, members);
  } catch (error) {
    if (!(error instanceof Obstructed)) throw error;
    const [[id, reason] = []] = error.obstacles;
    const scope = openings.find(({ input }) => input.id === id)?.input.planned.plan.scope;
    const name = scope === undefined ? 'One of them' : `The rollback of ${formatCoordinates(scope)}`;
    throw new BacktrailError(
      'PLAN_BLOCKED',
      `${name} would change something else after the others than what was confirmed: they overlap, and cannot be published together.`,
      {
        hint: 'Leave one of them out, name one scope that holds both, or ask for them without `atomic`.',
        details: { requestId: id },
        cause: reason,
      },
    );
  }
}

async function openAll(
  { context, rules }: Place,
  openings: readonly Opening[],
): Promise<ReadonlyMap<RequestId, RequestView>> {
  const ids = openings.map(({ input }) => input.id);
  const [first = ''] = ids;
  const inputs = openings.map(({ input, gate }, index) => ({
    input: { ...input, atomic: { first, ...(index === 0 && { members: ids }) } },
    gate,
  }));
  const decide = (taken: TakenBack) => async (ledgerSnapshot: LedgerSnapshot) => {
    const known = await filesOf(ledgerSnapshot, ids);
    for (const { input } of inputs) {
      const file = known.get(input.id);
      if (file !== undefined) requireSameRollback(file, input, rules);
    }
    const [{ state } = { state: null }] = known.values();
    const isSame = [...known.values()].every((file) => file.state.atomic?.first === first);
    const members = known.get(first)?.state.atomic?.members ?? [];
    if (state !== null && isSame && String(members) === String(ids) && known.size === ids.length) return [];
    if (state !== null) throw otherGroup(state.id);
    const entries: Entry[] = [];
    for (const { input, gate } of inputs)
      entries.push(...(await openingEntries({ context, rules, ledgerSnapshot, taken }, input, gate)));
    return taken.checked(entries);
  };
  const { ledgerSnapshot } = await takingBack(context, (taken) => append(context, rules, decide(taken)));
  const files = [...(await filesOf(ledgerSnapshot, ids)).values()];
  const views = await viewsOf(context, { ledgerSnapshot, rules, files });
  return new Map(views.map((view) => [view.id, view]));
}

function otherGroup(id: RequestId): BacktrailError {
  return new BacktrailError(
    'REQUEST_EXISTS',
    `Request ${id} was asked for before, and not together with exactly these.`,
    { hint: 'Give the incident file another id to ask for all of them again.', details: { requestId: id } },
  );
}
