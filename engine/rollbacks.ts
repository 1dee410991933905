/** The only door to a change: plan, request, execute. Every way in is a translation of these calls. */
import {
  type Actor,
  type AutomaticCause,
  BacktrailError,
  type Clock,
  type Coordinates,
  type EventId,
  isFailure,
  makeRequestId,
  type ImageRegistries,
  type ObjectId,
  type Person,
  type Plan,
  type Programs,
  type RequestId,
  type RollbackResult,
} from './model/index.ts';
import { inOrder, readOverrides, unusedOverrides } from './plan/checks/registry.ts';
import type { Ask } from './rollback/planning/planned.ts';
import { planAsked } from './rollback/plan.ts';
import { withFindings, withNotice, withPreview, withPushTest } from './rollback/planning/observed.ts';
import { planValue, type RollbackPlan } from './rollback/plan-value.ts';
import type { Notice, Opened, Repository } from './queries/with-repository.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import { knownRequests, lookOnce, settleAll } from './requests/many/look-once.ts';
import { asBrought } from './requests/at-once/as-brought.ts';
import { againOnce } from './requests/many/asked-again.ts';
import type { ExecuteRequestOptions, RequestView } from './requests/types.ts';
import type { ExecuteAsk, ExecuteManyOptions } from './requests/execute-many.ts';
import type { InnerRequests } from './requests/inner-requests.ts';
import { readableBy, type Reading } from './reading.ts';
import { type RequestContext, rulesOf } from './requests/context.ts';
import type { PlanGate } from './policy/gate.ts';
import { previewWay } from './requests/pull-requests/preview.ts';
import { permitOf, planGate } from './requests/gate/plan-gate.ts';
import { blockedError, isBlocked } from './rollback/blocked.ts';
import type { ManyOptions, RequestAsk, Requested, RequestingOptions } from './requests/request.ts';

interface RollbackInput {
  /** `[tenant/]environment[/service]`, or the names one by one. */
  readonly scope: string | Coordinates;
  /** Short names of the configuration, `path#selector`, or as a plan gives them; with any, the mode is `field`. */
  readonly fields?: readonly string[];
  /** Restore the files that hold the selected parts as whole files, with everything else in them. */
  readonly wholeFile?: boolean;
  /** Remove what did not exist at the target. */
  readonly allowRemoval?: boolean;
  /**
   * Codes of checks that may block and are to let it go ahead all the same (docs/checks.md), and `allow-removal`. Needs the permission
   * `deploy`. One that does not block is not recorded.
   */
  readonly override?: readonly string[];
  /**
   * Keep automation from moving what is restored, by a hold in the same commit. Where absent: where the restored fields show that automation
   * moves them (markers, annotations).
   */
  readonly hold?: boolean;
  /** How long it is held, as `7d`; until it is resumed where absent. */
  readonly holdFor?: string;
  /** Lift the holds of the scope, or of the fields, in place of a rollback; `target` is where a plan of it was made. */
  readonly resume?: boolean;
  /** Who asks. Where absent, whom git's configuration names, else the committer of this engine. */
  readonly author?: Person;
  /** To be decided on by a person: it needs one approval also where no policy asks for any. */
  readonly propose?: boolean;
  /** A record in the ledger also where no policy asks for one, so that a worker can execute it. */
  readonly ledger?: boolean;
  /**
   * Nobody asks for it but a worker that observes the cluster. Where the policy exempts such requests, it needs no approval if the records bear it
   * out: see docs/live.md.
   */
  readonly automatic?: AutomaticCause;
}

export interface PlanAsk extends RollbackInput, Reading {
  /** A revision: `v12`, a commit id, `previous`, `last-successful`, `@2h`, a tag, …; `previous` where absent. */
  readonly to?: string;
  /** With time, author and subject of what there is now and of the target. */
  readonly revisions?: boolean;
  /** Asks by a dry run whether this identity may push (PUSH_DENIED): `here`, because this process is to publish; `worker`: another one is. */
  readonly pushTest?: 'here' | 'worker';
}

/** A plan, and what stands between it and its execution. */
export interface GatedPlan extends RollbackPlan {
  readonly gate: PlanGate;
}

/** What there is under the id of a rollback: one of the three. */
export interface PlannedAsk {
  /** The commit of the branch that executed it. */
  readonly done: ObjectId | null;
  /** As the ledger has it. */
  readonly request: RequestView | null;
  readonly plan: GatedPlan | null;
}

/** A plan that someone looked at, and why it is to be executed. */
export interface RollbackAsk extends RollbackInput {
  /** The plan's `target`: a full commit id, also as `{ commit }`. */
  readonly target: ObjectId | { readonly commit: ObjectId };
  /** The plan's `digest`. */
  readonly digest: string;
  /** The plan's `gate.rendered`: also the manifests have to be those that were looked at. */
  readonly rendered?: string | null;
  /** The plan's `base`. With an `id` of an earlier time, what it did is looked for from there on, else in the whole history. */
  readonly base?: ObjectId;
  /** Becomes part of the record. */
  readonly reason: string;
  /** `rbk-` and 26 characters (`makeRequestId`, `deriveRequestId`): the same again is the same rollback. A new one where absent. */
  readonly id?: RequestId;
  /** A failed request, in whose place this one is. */
  readonly follows?: RequestId;
  /** The id of an incident that it belongs to: one line of at most 200 characters. `requests.list` and `planIncident` find it by that. */
  readonly incident?: string;
  /** The id of the event that opens it in the ledger (`evt-` and 26 characters): `requests.ofEvent` finds it by that. A new one where absent. */
  readonly event?: EventId;
}

export interface RequestOptions extends RequestingOptions {
  /** Called with the request's id before anything is written; needed where the engine makes the id. */
  readonly onId?: (id: RequestId) => void;
}

export interface Rollbacks {
  /**
   * What a rollback would change, and what stands between it and its execution. Writes nothing. A plan that is blocked is a plan, with
   * findings of severity `block`; what its asker may do is in `gate.may`.
   *
   * @throws SCOPE_INVALID, TENANT_UNKNOWN, ENVIRONMENT_UNKNOWN, SERVICE_UNKNOWN, FIELD_INVALID, FIELD_UNKNOWN, FIELD_OUT_OF_SCOPE,
   * REVISION_INVALID, REVISION_UNKNOWN, REVISION_NOT_ON_BRANCH, CONFIG_MISSING, CONFIG_INVALID, REPOSITORY_UNKNOWN, REMOTE_UNAVAILABLE
   */
  plan(ask: PlanAsk): Promise<GatedPlan>;
  /**
   * The same for many, in their order, on one look at the branch and at the ledger; each fails alone. What is done under an id already, or asked
   * for, by whomever, is not planned again; REQUEST_EXISTS, LEDGER_TAMPERED where that is another rollback. `reader`: in whose name they would be
   * asked for; what they may not read is not planned.
   *
   * @throws what stands in the way of all of them, such as CONFIG_MISSING
   */
  planMany(
    asks: readonly (Omit<PlanAsk, 'author'> & { readonly id: RequestId })[],
    reader: Person,
  ): Promise<readonly PromiseSettledResult<PlannedAsk>[]>;
  /**
   * Plans again on the tip, compares the digest, and asks policy and permission. Where the branch has a policy for what changes, or
   * `propose` or `ledger` asks for a record, it opens a request in the ledger: `status` is `pending` (it waits for approvals) or
   * `approved` (`execute` executes it, here or in a worker). Otherwise it is executed at once, and `request` is null. With `atOnce`, one that nobody has
   * to agree to is opened and executed by one push, where that can be, and `completed` then.
   *
   * @throws PLAN_CHANGED, HOLD_UNKNOWN (a resume of what is not held), PERMISSION_DENIED, IDENTITY_UNVERIFIED (it has to be signed), PLACE_DIFFERS, POLICY_UNSATISFIABLE, REASON_REQUIRED, REQUEST_EXISTS, REQUEST_CLOSED, FORBIDDEN (a
   * configuration from outside where a record is needed), GIT_MISSING, the code of a blocking finding, and what publishing fails with
   * (BRANCH_MOVED, WORKTREE_DIRTY, REMOTE_REJECTED, REMOTE_UNAVAILABLE, …)
   */
  request(ask: RollbackAsk, options?: RequestOptions): Promise<Requested>;
  /**
   * The same for many that workers are to execute, as with `ledger: true`: they are opened in one commit of the ledger and one push. Results are in
   * the order of `asks`; each fails alone. Rejects with INVALID_REQUEST, SCOPE_INVALID where an ask has no proper form, and with what stands in
   * the way of all of them. `atomic`: all are opened, and later published in one push, or none of them; all name the same `incident`. What stands in the way of
   * one stands in the way of all: PLAN_BLOCKED where they overlap so that one would undo another, REQUEST_EXISTS where a part was asked for before.
   */
  requestMany(
    asks: readonly RollbackAsk[],
    options?: ManyOptions,
  ): Promise<readonly PromiseSettledResult<Requested>[]>;
  /**
   * Executes an approved request, as a worker does: keys and votes are judged again, by the policy and the keys of now. Safe to
   * repeat, in any process, at any time.
   *
   * @throws REQUEST_UNKNOWN, AWAITING_APPROVAL, PLAN_CHANGED (reviewers are asked again then), REQUEST_CLOSED, IDENTITY_UNVERIFIED,
   * PERMISSION_DENIED, FORBIDDEN, LEDGER_TAMPERED, and what publishing fails with
   */
  execute(id: RequestId, options?: ExecuteRequestOptions): Promise<RollbackResult>;
  /**
   * The same for many at once, oldest first: one chain of commits and one push, or as few as it takes. Each of them keeps its own commits and
   * result, and fails alone. Rejects only with what stands in the way of all of them, such as REMOTE_UNAVAILABLE.
   */
  executeMany(
    asks: readonly ExecuteAsk[],
    options?: ExecuteManyOptions,
  ): Promise<ReadonlyMap<RequestId, PromiseSettledResult<RollbackResult>>>;
  /**
   * The earlier rollback with this id, wherever on the branch's line or in the ledger, as it was planned then; null where there is none.
   * Reads only.
   *
   * @throws REQUEST_EXISTS where it was for another scope, target or fields, or another person's
   */
  earlier(
    ask: PlanAsk & { readonly id: RequestId },
  ): Promise<{ readonly plan: RollbackPlan; readonly request: RequestView | null } | null>;
}

/** Where something is planned. */
interface PlanPlace extends Pick<Opened, 'git'> {
  readonly snapshot: Snapshot;
  readonly offline: Notice | null;
}

export interface RollbacksInput {
  readonly repository: Repository;
  readonly requests: InnerRequests;
  readonly programs: Programs;
  readonly registries: ImageRegistries;
  readonly clock: Clock;
  readonly committer: Person;
  readonly random: (bytes: number) => Uint8Array;
  /** What is asked for is signed by whoever executes it. */
  readonly sign: boolean;
  /** What acts of the ledger need besides the repository. */
  readonly place: (opened: Pick<RequestContext, 'git' | 'observe'>) => Promise<RequestContext>;
}

export function createRollbacks(input: RollbacksInput): Rollbacks {
  const { repository, requests, clock, committer, random, sign, place } = input;
  const authorOf = async ({ author }: RollbackInput) =>
    author === undefined ? ((await repository.git().identity()) ?? committer) : personOf(author);
  const askedOf = async ({ target, ...ask }: RollbackAsk): Promise<RequestAsk> => ({
    ...requestAskOf(ask),
    target: targetOf(target),
    author: await authorOf(ask),
    id: ask.id ?? makeRequestId(clock.now(), random(10)),
    // A new id has no earlier rollback; one that was given is always looked up.
    fresh: ask.id === undefined,
    ...(sign && { sign }),
  });
  const planOn = async (
    { snapshot, git, offline }: PlanPlace,
    ask: PlanAsk,
    open: () => Promise<RequestContext>,
  ): Promise<GatedPlan> => {
    const { propose = false, ledger = false, pushTest } = ask;
    const asked = askOf(ask);
    const { overrides = [] } = asked;
    if (ask.reader !== undefined) {
      const { policy } = await rulesOf(await open(), snapshot);
      readableBy({ policy, layout: snapshot.layout }, ask).require(asked.scope);
    }
    const planned = await withPreview(git, await planAsked(snapshot, asked, input));
    const noted = withNotice(planned, offline);
    const { automatic } = ask;
    const judged = {
      planned: noted,
      author: await authorOf(ask),
      propose,
      ledger,
      overrides,
      ...(automatic && {
        automatic: { ...automatic, isForeseen: true, allowRemoval: asked.allowRemoval === true },
      }),
    };
    const gated = await planGate(open, judged);
    // What waits for others is published later, and by whoever executes it then.
    const isHere = pushTest === 'here' && !gated.gate.needsApproval;
    const tested = pushTest ? await withPushTest(git, gated.planned, isHere) : gated.planned;
    const isBreakGlass = gated.gate.session !== null;
    const way =
      gated.judged && (await previewWay({ ...gated.judged, plan: tested.plan, isHere, isBreakGlass }));
    const found = way === null ? tested : withFindings(tested, way.findings);
    const gate = await closedBy(found.plan, gated.gate);
    const { findings } = gated;
    const value = planValue(found, { revisions: ask.revisions === true });
    const { quorum: need, approvers, rules } = gate;
    const waits = gate.needsApproval && gate.may.request.allowed && !value.unchanged;
    return {
      ...value,
      ...(way && { publish: way.publish }),
      findings: inOrder([...value.findings, ...findings, ...unusedOverrides(found.plan, overrides)]),
      ...(waits && { approval: { need, have: 0, approvers, ...(rules && { rules }) } }),
      gate,
    };
  };
  return {
    plan: (ask) =>
      repository.ask(
        (snapshot, { offline, ...opened }) =>
          planOn({ snapshot, offline, git: opened.git }, ask, () =>
            // The look at the branch brings the ledger as well.
            place(offline === null ? { ...opened, git: asBrought(opened.git) } : opened),
          ),
        { early: true },
      ),
    planMany: (asks, reader) =>
      repository.ask(async (snapshot, { offline, ...opened }) => {
        const look = await lookOnce(await place(opened), snapshot, { bases: [null], count: asks.length });
        const ids = asks.map(({ id }) => id);
        const known = await knownRequests(look, ids, personOf(reader));
        const requireSame = await againOnce(look, ids);
        const { git } = look.context;
        // Asked for with the first plan: where all are known already nobody would wait for them, nor hear that they failed.
        const head = onceFor(() => git.checkedOut());
        const destination = onceFor(() => git.destination(snapshot.branch));
        // A configuration from outside says nothing about who may read what the branch has.
        const reading = look.context.config === null ? { reader } : {};
        const pinned = { ...git, checkedOut: head, destination };
        return settleAll(asks, async ({ id, ...ask }): Promise<PlannedAsk> => {
          const done = look.published.get(id) ?? null;
          const request = known.get(id) ?? null;
          if (isFailure(request)) throw request;
          if (done !== null || request !== null) {
            await requireSame({ id, ask: askOf(ask), request });
            return { done, request: done === null ? request : null, plan: null };
          }
          const plan = await planOn(
            { snapshot, offline, git: pinned },
            { ...ask, author: reader, ...reading },
            () => Promise.resolve(look.context),
          );
          return { done, request, plan };
        });
      }),
    request: async (ask, options) => {
      const asked = await askedOf(ask);
      options?.onId?.(asked.id);
      return requests.request(asked, options);
    },
    requestMany: async (asks, options) => {
      const asked: RequestAsk[] = [];
      for (const ask of asks) asked.push(await askedOf(ask));
      return requests.requestMany(asked, { atomic: options?.atomic === true });
    },
    execute: (id, options) => requests.executeRequest(id, options),
    executeMany: (asks, options) => requests.executeRequests(asks, options),
    earlier: async ({ id, ...ask }) => {
      const found = await requests.repeated({ id, ask: askOf(ask), author: await authorOf(ask) });
      if (found === null) return null;
      return {
        plan: planValue(found.planned, { revisions: ask.revisions === true }),
        request: found.request,
      };
    },
  };
}

/** What a person may do with a plan that was found to be blocked after the rules were asked. */
async function closedBy(plan: Plan, gate: PlanGate): Promise<PlanGate> {
  if (!isBlocked(plan) || !gate.may.request.allowed) return gate;
  const request = await permitOf(() => Promise.reject(blockedError(plan)));
  return { ...gate, may: { ...gate.may, request, execute: request } };
}

/** TARGET_REQUIRED where there is none, as a caller without types can leave it. */
function targetOf(target: RollbackAsk['target'] | undefined): ObjectId {
  const commit: unknown = typeof target === 'object' ? target?.commit : target;
  return typeof commit === 'string' ? commit : '';
}

/** Read once: what is checked is what is recorded. */
function personOf(author: Partial<Actor> | null): Actor {
  const { name, email, only, authenticated } = author ?? {};
  if (typeof name === 'string' && typeof email === 'string')
    return {
      name,
      email,
      ...(only !== undefined && { only }),
      ...(authenticated !== undefined && { authenticated }),
    };
  throw new BacktrailError('INVALID_REQUEST', 'An author is a name and an email address.');
}

/** @throws INVALID_REQUEST for what is not a list, and for what cannot be overridden */
function allowedBy({ allowRemoval = false, override = [] }: RollbackInput) {
  if (!Array.isArray(override) || override.some((name) => typeof name !== 'string'))
    throw new BacktrailError('INVALID_REQUEST', '`override` is a list of names.');
  const read = readOverrides(override);
  return { allowRemoval: allowRemoval || read.allowRemoval, overrides: read.codes };
}

function askOf(ask: Omit<PlanAsk, 'author' | 'propose' | 'revisions'>): Ask {
  const { scope, to, fields = [], wholeFile = false, hold, holdFor, resume } = ask;
  requireScopeForm(scope);
  return {
    scope,
    ...(to !== undefined && { to }),
    fields,
    wholeFile,
    ...allowedBy(ask),
    ...(hold !== undefined && { hold }),
    ...(holdFor !== undefined && { holdFor }),
    ...(resume === true && { resume }),
  };
}

function requireScopeForm(scope: unknown): void {
  if (typeof scope === 'string' || (typeof scope === 'object' && scope !== null)) return;
  throw new BacktrailError('SCOPE_INVALID', 'A scope is [tenant/]environment[/service].');
}

function requestAskOf(ask: Omit<RollbackAsk, 'target'>): Omit<RequestAsk, 'target' | 'author' | 'id'> {
  const { override: _, author: __, id: ___, ...rest } = ask;
  requireScopeForm(rest.scope);
  return { ...rest, ...allowedBy(ask) };
}

function onceFor<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let asked: Promise<Value> | null = null;
  return () => (asked ??= ask());
}
