/** A confirmed plan becomes a request of the ledger, or, where nothing asks for one, a commit at once. */
import {
  type AutomaticCause,
  BacktrailError,
  type CheckCode,
  type EventId,
  formatCoordinates,
  isFailure,
  isIncidentId,
  isObjectId,
  isRequestId,
  type LedgerRequest,
  type ObjectId,
  type Person,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
  type Scope,
  type Status,
  resultOf,
} from '../model/index.ts';
import { requireScope } from '../layout/scope.ts';
import { blockedError, isBlocked } from '../rollback/blocked.ts';
import { execute, type ExecuteOptions } from '../rollback/execute.ts';
import { asBrought } from './at-once/as-brought.ts';
import { publishAtOnce } from './at-once/publish.ts';
import type { Planned, ScopeAsk } from '../rollback/planning/planned.ts';
import { planRequested, renderedDigest, requireOnLine } from '../rollback/plan.ts';
import { resolveScope } from '../rollback/planning/asked-scope.ts';
import { withVersion } from '../rollback/planning/since-target.ts';
import { wishOf } from '../rollback/hold-wish.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { RequestView } from './types.ts';
import { openLedgerSnapshot } from './ledger/snapshot.ts';
import { requireIdle, requireUntaken, takeScope } from './busy.ts';
import { requireGate } from './gate/gate.ts';
import { blockedInFlight } from './gate/in-flight.ts';
import { lookOnce, settleAll } from './many/look-once.ts';
import { type Decided, openTogether } from './many/open-group.ts';
import { repeated } from './repeated.ts';
import { openRequest, requireReason, requireTarget } from './open.ts';
import { type RequestContext, type Rules, rulesOf, timeOf } from './context.ts';
import { viewOf } from './view.ts';

/** A plan that was looked at, and why it is to be executed. */
export interface RequestAsk extends ScopeAsk {
  /** The plan's `target`: a full commit id. */
  readonly target: ObjectId;
  /** The plan's `digest`. */
  readonly digest: string;
  /** Digest of the manifests that were looked at; the plan's `gate.rendered`. Where absent, they are not compared. */
  readonly rendered?: string | null;
  /** The plan's `base`: where to look for what this id did already. The whole history is searched where absent. */
  readonly base?: ObjectId;
  readonly reason: string;
  readonly author: Person;
  /** The same again is the same rollback. */
  readonly id: RequestId;
  /** The id was made for this call: nothing can have been done under it before. */
  readonly fresh?: boolean;
  readonly allowRemoval?: boolean;
  /** Codes of checks that are overridden where they block; only those that do are recorded. */
  readonly overrides?: readonly CheckCode[];
  readonly wholeFile?: boolean;
  readonly hold?: boolean;
  readonly holdFor?: string;
  readonly resume?: boolean;
  /** Its commits are signed, also where the configuration does not say so. */
  readonly sign?: boolean;
  /** It waits for an approval also where no policy asks for one. */
  readonly propose?: boolean;
  /** Nobody asks for it but a worker that observes the cluster. */
  readonly automatic?: AutomaticCause;
  /** A record in the ledger also where no policy asks for one, so that a worker can execute it. */
  readonly ledger?: boolean;
  /** The failed request that this one takes up. */
  readonly follows?: RequestId;
  /** The id of the incident file that asks for it. */
  readonly incident?: string;
  /** The id of the event that opens it; a new one where absent. */
  readonly event?: EventId;
}

/** What came of it so far. `status`: `pending`, it waits for approval; `approved`, `execute` is next; otherwise it is over. */
export interface Requested extends RollbackResult {
  /** As the ledger has it; null: it has no record but its commit on the branch. */
  readonly request: RequestView | null;
}

export interface RequestingOptions extends ExecuteOptions {
  /**
   * It is published by this process where nobody has to agree and that can be, in the push that opens it; else it is opened as any other. Records of
   * deployments count as the last look brought them: plan right before it.
   */
  readonly atOnce?: boolean;
}

export async function requestRollback(
  context: RequestContext,
  ask: RequestAsk,
  { atOnce = false, ...options }: RequestingOptions = {},
): Promise<Requested> {
  context.git.requireWriting();
  const tried = atOnce ? await tryAtOnce(context, ask, options) : NOT_TRIED;
  if (tried.requested !== null) return tried.requested;
  await context.git.refresh();
  const again = tried.isUnknown ? { ...ask, fresh: false } : ask;
  return (await decideRequest(brought(context), again, options, context)).run();
}

/** The events of the ledger, and the commits of the branch. */
const WRITES = 2;

interface Tried {
  readonly requested: Requested | null;
  /** Something may have been published, and the answer was lost. */
  readonly isUnknown: boolean;
}

const brought = (context: RequestContext): RequestContext => ({ ...context, git: asBrought(context.git) });

const NOT_TRIED: Tried = { requested: null, isUnknown: false };

/**
 * Decided on branch and ledger as they were looked at last, whenever that was: the push expects just these. Whatever is in the way is said, and
 * recorded, by the request that is opened by itself then.
 */
async function tryAtOnce(context: RequestContext, ask: RequestAsk, options: ExecuteOptions): Promise<Tried> {
  const looked = brought(context);
  const end = context.git.kind === 'local' ? () => undefined : context.git.expectWrites(WRITES);
  let release = () => {};
  try {
    const { opening } = await decideRequest(looked, ask, options);
    if (opening === null) return NOT_TRIED;
    const { id, planned } = opening.input;
    release = takeScope(context, { id, scope: planned.plan.scope });
    const published = await publishAtOnce(looked, opening, options);
    if (!published) return NOT_TRIED;
    const { view, result } = published;
    return { requested: { ...result, request: view }, isUnknown: false };
  } catch (error) {
    // The ledger says that it is completed, and another look would say no more.
    const isGone = isFailure(error) && error.code === 'VERIFY_FAILED';
    if (!isFailure(error) || isGone || options.signal?.aborted === true) throw error;
    return { requested: null, isUnknown: true };
  } finally {
    release();
    end();
  }
}

/**
 * The same for many that are to be executed by workers: one look at the branch and one at the ledger. All are planned and decided first, then
 * opened at the same moment, so that they share a commit of the ledger and a push. Each has its own result.
 */
export async function requestMany(
  context: RequestContext,
  asks: readonly RequestAsk[],
  { atomic = false }: ManyOptions = {},
): Promise<readonly PromiseSettledResult<Requested>[]> {
  context.git.requireWriting();
  await context.git.refresh();
  const snapshot = await context.observe();
  const bases = asks.map(({ base }) => base ?? null);
  const look = await lookOnce(context, snapshot, { bases, count: asks.length });
  const decided = await settleAll(asks, (ask) =>
    decideRequest(look.context, { ...ask, ledger: true }, {}, context),
  );
  if (atomic)
    return openTogether({ context, looked: look.context, snapshot, rules: look.rules }, asks, decided);
  return Promise.allSettled(
    decided.map((each) => (each.status === 'fulfilled' ? each.value.run() : Promise.reject(each.reason))),
  );
}

export interface ManyOptions {
  /** They are published in one push, or none of them; all name the same incident. */
  readonly atomic?: boolean;
}

/**
 * What is to be done for what is asked, decided and not done yet. `acting`: with what it is done, where that is not what it was decided with.
 *
 * @throws whatever stands in the way of it
 */
async function decideRequest(
  context: RequestContext,
  ask: RequestAsk,
  { onStep, signal }: ExecuteOptions = {},
  acting: RequestContext = context,
): Promise<Decided> {
  // By name: nothing else of what a caller gives may take the place of the engine's own.
  const options: ExecuteOptions = { ...(onStep && { onStep }), ...(signal && { signal }) };
  const { git, clock } = context;
  requireForm(ask);
  const snapshot = await context.observe();
  const scope = await scopeOf(snapshot, ask);
  requireUntaken(context, { id: ask.id, scope });
  const { id, author, target, digest, allowRemoval = false, overrides = [], base = null } = ask;
  // With a mirror that was damaged, this may be the second try.
  const fresh = ask.fresh === true && !git.renewed;
  const asked: RollbackRequest = {
    id,
    scope,
    target,
    base,
    digest,
    reason: ask.reason,
    author,
    requestedAt: timeOf(clock.now()),
    allowRemoval,
    overrides,
    ...(ask.resume === true && { resume: true }),
    ...(typeof ask.rendered === 'string' && { rendered: ask.rendered }),
  };
  const rules = await rulesOf(context, snapshot);
  if (!fresh) {
    const arrived = (await snapshot.arrivals?.on(snapshot.base))?.of.get(id);
    const done = arrived?.commit.id ?? (await git.findRequest({ tip: snapshot.base, base, requestId: id }));
    // What is on the branch is only reported.
    if (done !== null) {
      // Anybody whose commits come to the branch can name an id: the commit has to hold what is asked for.
      const { fields, wholeFile, hold, holdFor, resume } = ask;
      const holding = { ...(hold !== undefined && { hold }), ...(holdFor !== undefined && { holdFor }) };
      const kind = resume === true ? { resume } : holding;
      const wish = {
        scope: ask.scope,
        to: target,
        allowRemoval,
        overrides,
        ...(fields && { fields }),
        ...kind,
      };
      await repeated(context, { id, ask: { ...wish, wholeFile: wholeFile === true }, author });
      const run = async () => {
        const result = await execute({ ...acting, ...options, request: asked, ...(arrived && { arrived }) });
        return { ...result, request: await knownRequest(acting, rules, id) };
      };
      return { run, opening: null };
    }
  }
  if (base !== null) await requireOnLine(snapshot, base, 'base');
  const hold = ask.resume === true ? null : wishOf(ask);
  const planned = await planRequested(snapshot, { ...asked, hold }, context, { asks: 'read' });
  const placed = planned.plan.holds?.placed;
  requireSamePlan(planned, asked);
  // What does not block is not overridden: it must not cover what comes later.
  const request: RollbackRequest = {
    ...asked,
    ...((ask.sign === true || rules.sign) && { sign: true }),
    hold: placed ? { seconds: placed.seconds } : null,
    overrides: planned.plan.overrides,
  };
  const { ledger = false, follows, automatic } = ask;
  const own = automatic === undefined ? {} : { automatic: { ...automatic, allowRemoval } };
  // What was to be decided on by a person stays so when it is asked for again.
  const followed = follows === undefined ? null : await knownRequest(context, rules, follows);
  const propose = ask.propose === true || followed?.propose === true;
  const sign = ask.sign === true || followed?.sign === true;
  const nothing = planned.plan.files.length === 0;
  if (!nothing) requireReason(ask.reason);
  const gate = nothing
    ? null
    : await requireGate(context, rules, { planned, author, propose, ledger, ...own });
  const inFlight = gate?.ledgered ? await blockedInFlight(context, rules, planned, { id, overrides }) : [];
  // A request that the ledger knows goes on there, whatever is asked for this time.
  const known = fresh ? null : await knownRequest(context, rules, id);
  if (known !== null && gate !== null) requireOpen(known);
  if (known === null && gate !== null) await requireIdle(context, rules, { id, scope });
  if (gate === null || (!gate.ledgered && known === null)) {
    const authorize = async (again: Planned) => {
      if (again === planned) return;
      const now = await requireGate(acting, await rulesOf(acting, again.snapshot), {
        planned: again,
        author,
      });
      if (now.ledgered) throw policyCame(scope);
    };
    const prepared = { snapshot, planned };
    const run = async () => ({
      ...(await execute({ ...acting, ...options, request, prepared, authorize })),
      request: null,
    });
    return { run, opening: null };
  }
  const input = {
    planned: await withVersion(planned),
    author,
    id,
    reason: ask.reason,
    allowRemoval,
    overrides: [...new Set([...planned.plan.overrides, ...inFlight])].sort(),
    askedOverrides: overrides,
    propose,
    sign,
    ...(ask.follows !== undefined && { follows: ask.follows }),
    ...(automatic && { automatic }),
    ...(ask.incident !== undefined && { incident: ask.incident }),
    ...(ask.event !== undefined && { event: ask.event }),
  };
  const finish = (view: RequestView) => ({ ...standing(view, planned), request: view });
  const run = async () => finish(await openRequest(acting, rules, input, gate));
  return { run, opening: { input, gate, request, finish } };
}

/** What a caller without types can get wrong. */
function requireForm({ id, target, digest, base, incident }: RequestAsk): void {
  requireTarget(target);
  if (!isObjectId(target) || (base !== undefined && !isObjectId(base)))
    throw new BacktrailError('REVISION_INVALID', 'A request names its target by a full commit id.', {
      hint: 'Give the `target` and the `base` of the plan.',
    });
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new BacktrailError('INVALID_REQUEST', 'A request needs the digest of the plan that was looked at.');
  if (!isRequestId(id))
    throw new BacktrailError('INVALID_REQUEST', 'The id of a request is rbk- and 26 characters.', {
      hint: '`deriveRequestId` makes one of any hash.',
    });
  if (incident !== undefined && !(typeof incident === 'string' && isIncidentId(incident)))
    throw new BacktrailError(
      'INVALID_REQUEST',
      'The id of an incident is one line of at most 200 characters, all of which can be seen.',
    );
}

/** Fields as a plan gives them are taken as they are; those that people type are looked up. */
async function scopeOf(snapshot: Snapshot, ask: RequestAsk): Promise<Scope> {
  const { fields = [], wholeFile } = ask;
  const whole = wholeFile === true ? { wholeFile } : {};
  const { mode: _, fields: __, ...coordinates } = await resolveScope(snapshot, { scope: ask.scope });
  const given: Scope =
    fields.length > 0
      ? { mode: 'field', ...coordinates, fields: [...new Set(fields)].sort() }
      : { mode: coordinates.service === undefined ? 'full' : 'service', ...coordinates };
  try {
    requireScope(snapshot.layout, given);
    return { ...given, ...whole };
  } catch {
    return { ...(await resolveScope(snapshot, ask)), ...whole };
  }
}

/** @throws PLAN_CHANGED, or the code of a blocking finding */
function requireSamePlan(planned: Planned, { scope, digest, rendered, resume }: RollbackRequest): void {
  const { plan } = planned;
  if (isBlocked(plan)) throw blockedError(plan);
  if (plan.files.length === 0) return;
  const same = rendered === undefined || rendered === renderedDigest(planned);
  if (plan.digest === digest && same) return;
  throw new BacktrailError(
    'PLAN_CHANGED',
    `What a ${resume ? 'resume' : 'rollback'} of ${formatCoordinates(scope)} would change is no longer what was confirmed.`,
    { details: { confirmed: digest, now: plan.digest } },
  );
}

function policyCame(scope: Scope): BacktrailError {
  return new BacktrailError(
    'AWAITING_APPROVAL',
    `A policy for ${formatCoordinates(scope)}, or another way of publishing, has come to the branch; nothing was published.`,
    { hint: 'Plan it again, and ask for it.' },
  );
}

async function knownRequest(
  context: RequestContext,
  rules: Rules,
  id: RequestId,
): Promise<RequestView | null> {
  const ledgerSnapshot = await openLedgerSnapshot(context.git, rules.ref, context.cache);
  const file = await ledgerSnapshot.request(id);
  return file && viewOf(context, { ledgerSnapshot, rules, file });
}

const CLOSED: ReadonlySet<LedgerRequest['status']> = new Set([
  'rejected',
  'superseded',
  'expired',
  'cancelled',
]);

function requireOpen({ id, status }: RequestView): void {
  if (CLOSED.has(status)) throw new BacktrailError('REQUEST_CLOSED', `Request ${id} is ${status}.`);
}

const OPEN: readonly Status[] = ['pending', 'approved', 'executing'];

/** Where a request of the ledger stands. */
function standing(view: RequestView, { plan: { findings } }: Planned): RollbackResult {
  const { status, result } = view;
  if (status === 'completed' && result !== null && result.status !== 'failed')
    return resultOf(view, result.status, result);
  return resultOf(view, OPEN.find((open) => open === status) ?? 'failed', { findings });
}
