/** Opens a request that nobody has to agree to, executes it, and records that, all in one push. */
import { BacktrailError, type ObjectId, type RollbackResult } from '../../model/index.ts';
import type { ExecuteOptions } from '../../rollback/execute.ts';
import type { Planned } from '../../rollback/planning/planned.ts';
import { publishOnce } from '../../rollback/publish-once.ts';
import type { RideAlong } from '../../rollback/records.ts';
import type { Gate } from '../../policy/gate.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { isWaiting } from '../../record/transitions.ts';
import { type RequestContext, type Rules, rulesOf } from '../context.ts';
import { requireEligible } from '../gate/eligibility.ts';
import { rememberOwners } from '../gate/owners.ts';
import { type EventSteps, prepareInSteps } from '../ledger/prepare.ts';
import { type Proofs, proveRequest, unsignedProof } from '../ledger/proof.ts';
import { type LedgerSnapshot, openLedgerSnapshot, snapshotAt } from '../ledger/snapshot.ts';
import { requestOf } from '../many/member.ts';
import { type OpenInput, openingEntries } from '../open.ts';
import { completions } from '../outcome.ts';
import { requireWay } from '../pull-requests/way.ts';
import type { RequestView } from '../types.ts';
import { canJudge, proven, viewOf } from '../view.ts';

interface Opening {
  readonly input: OpenInput;
  readonly gate: Gate;
}

interface PublishedAtOnce {
  readonly view: RequestView;
  readonly result: RollbackResult;
}

/**
 * null where that cannot be: it has to be opened by itself then, and whoever executes it says what is in the way. Nothing has changed, unless the
 * answer of the push was lost. It is judged as a worker judges it, on the ledger as it will be; the push expects branch and ledger as they were looked at.
 */
export async function publishAtOnce(
  context: RequestContext,
  { input, gate }: Opening,
  options: ExecuteOptions,
): Promise<PublishedAtOnce | null> {
  const { planned, id } = input;
  if (!isPlain(input, gate) || (await isCheckedOut(context, planned))) return null;
  const rules = await rulesOf(context, planned.snapshot);
  const known = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  if ((await known.request(id)) !== null) return null;
  const place = { context, rules, ledgerSnapshot: known, taken: NOTHING_TAKEN };
  const entries = await openingEntries(place, input, gate);
  // What gives way to it may have a pull request, which is closed first.
  if (entries.length > 1) return null;
  const steps = await prepareInSteps(context, rules, known);
  try {
    const ledgerSnapshot = await steps.add(entries);
    return await publishOpened(context, { rules, ledgerSnapshot, input, steps }, options);
  } finally {
    await steps.drop();
  }
}

/** Neither an answer to others, nor one of several. */
const isPlain = ({ propose, follows, atomic, incident }: OpenInput, gate: Gate) =>
  !gate.needsApproval &&
  gate.session === null &&
  propose !== true &&
  follows === undefined &&
  atomic === undefined &&
  incident === undefined;

/** Files have to follow the branch: its records are written after it. */
const isCheckedOut = async ({ git }: RequestContext, { plan }: Planned) =>
  git.worktree !== null && git.kind === 'local' && (await git.checkedOut()) === plan.branch;

const NOTHING_TAKEN = { require: () => undefined, checked: <Events>(events: Events) => events };

interface Opened {
  readonly rules: Rules;
  /** With the request, which nobody else sees yet. */
  readonly ledgerSnapshot: LedgerSnapshot;
  readonly input: OpenInput;
  readonly steps: EventSteps;
}

async function publishOpened(
  context: RequestContext,
  { rules, ledgerSnapshot, input, steps }: Opened,
  options: ExecuteOptions,
): Promise<PublishedAtOnce | null> {
  const { git, cache } = context;
  const planned = asExecuted(input.planned);
  const file = await ledgerSnapshot.request(input.id);
  if (file === null || !isWaiting(file.state.status)) return null;
  rememberOwners(context, file.state, planned.plan);
  if (!canJudge(context, rules, file.state)) return null;
  requireWay(rules, planned.plan.owners, { isPush: true });
  const proofs = await proofsOf(context, ledgerSnapshot, file);
  const found = { context, rules, ledgerSnapshot, file, proofs, counts: proven };
  const request = requestOf(found, await requireEligible(found));
  let tip: ObjectId | null = null;
  const record = async (made: RollbackResult): Promise<RideAlong> => {
    await steps.add(await completions(context, [made])(ledgerSnapshot));
    const prepared = await steps.end();
    const end = async (outcome: 'moved' | 'discarded') => {
      if (outcome === 'moved') tip = prepared.move.next;
      await git.ledger.finish(prepared, outcome);
    };
    return { move: prepared.move, isRequired: true, end };
  };
  const result = await publishOnce({ ...context, ...options, request, planned, record });
  const after = await snapshotAt({ git, ref: rules.ref, cache }, tip);
  const done = await after.request(input.id);
  if (done === null) throw new BacktrailError('INTERNAL', `Request ${input.id} was not written.`);
  const view = await viewOf(context, { ledgerSnapshot: after, rules, file: done }, planned.plan.owners);
  return { view, result };
}

/** As a worker plans it: people alone see which version the target is. */
function asExecuted(planned: Planned): Planned {
  const { plan } = planned;
  return { ...planned, plan: { ...plan, target: { ...plan.target, version: null } } };
}

/** Of one event, which was written just now. */
async function proofsOf(
  context: RequestContext,
  ledgerSnapshot: LedgerSnapshot,
  file: RequestFile,
): Promise<Proofs> {
  if (await context.git.ledger.signs()) return proveRequest(context, ledgerSnapshot, file);
  const [event] = file.events;
  if (event === undefined || ledgerSnapshot.tip === null) return new Map();
  return new Map([[event.id, unsignedProof(ledgerSnapshot.tip, Date.parse(event.at))]]);
}
