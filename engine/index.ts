/**
 * The engine's public surface. `openEngine({ repo })` gives an `Engine`; `engine.rollbacks` is the only way to publish a rollback, and it
 * asks the policy of the branch. Nothing here prints, and errors are `BacktrailError`s: match on `code`. See docs/library.md.
 */
import { defaultSettings } from './defaults.ts';
import { type Engine, type EngineSettings, openInner } from './inner.ts';
import { createPrograms, sandboxOf } from './render/programs/index.ts';
import { createHosts } from './hosts/hosts.ts';
import type { Watch } from './live/watch/watch.ts';
import { BacktrailError } from './model/index.ts';
import { type Checkup, checkup as lookAt, type CheckupOptions } from './doctor/doctor.ts';

export type { Audits, Engine } from './inner.ts';
export type { Watch } from './live/watch/watch.ts';
export type { Recorded } from './reading.ts';

/** What an engine is opened with: the repository, and whatever should be otherwise than the defaults say. */
export type EngineOptions = Pick<EngineSettings, 'repo'> & Partial<EngineSettings>;

/**
 * Opens a repository for questions and rollbacks; close it afterwards. `repo` is a path or a URL. Defaults: the environment of the
 * process, mirrors of remotes in `~/.cache/backtrail`, and `Backtrail <backtrail@localhost>` (or git's `GIT_COMMITTER_*`) as the committer.
 *
 * @throws REPOSITORY_UNKNOWN, REPOSITORY_UNTRUSTED, REMOTE_UNAVAILABLE, REMOTE_DENIED, GIT_MISSING, PARTIAL_CLONE
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { env, cacheFolder, committer, clock } = defaultSettings(options.env);
  const inner = await openInner({
    ...options,
    env,
    cacheFolder: options.cacheFolder ?? cacheFolder,
    committer: options.committer ?? committer,
    clock: options.clock ?? clock,
  });
  const engine = {
    ...pick(inner, ENGINE),
    rollbacks: pick(inner.rollbacks, ROLLBACKS),
    requests: pick(inner.requests, REQUESTS),
    deployments: pick(inner.deployments, DEPLOYMENTS),
    audit: pick(inner.audit, AUDIT),
    live: pick(inner.live, LIVE),
  };
  watching.set(engine, () => inner.watch());
  return engine;
}

const watching = new WeakMap<Engine, () => Promise<Watch>>();

/**
 * Looks at the clusters that `BACKTRAIL_CLUSTERS` names, for a repository that was opened here: records what becomes of deployments, and asks for
 * automatic rollbacks in the name of whoever runs this, through the same gate as anybody. Whoever calls `look` says when.
 *
 * @throws INVALID_REQUEST for an engine that was not opened here
 */
export async function watchClusters(engine: Engine): Promise<Watch> {
  const watch = watching.get(engine);
  if (watch === undefined)
    throw new BacktrailError('INVALID_REQUEST', 'Clusters are watched by who opened the repository here.');
  return watch();
}

// Named one by one: what is not named here cannot be reached from outside.
const ENGINE = [
  'location',
  'identity',
  'environments',
  'survey',
  'uncovered',
  'history',
  'show',
  'compare',
  'log',
  'recurring',
  'asking',
  'holds',
  'recorded',
  'guard',
  'guardPush',
  'findRequest',
  'findRequests',
  'propose',
  'samplePlan',
  'destination',
  'ledgerFetch',
  'requireWriting',
  'writeConfig',
  'close',
] as const;
const ROLLBACKS = [
  'plan',
  'planMany',
  'request',
  'requestMany',
  'execute',
  'executeMany',
  'earlier',
] as const;
const REQUESTS = [
  'list',
  'ids',
  'show',
  'plan',
  'planIncident',
  'approve',
  'reject',
  'reviewMany',
  'cancel',
  'note',
  'ofEvent',
  'personId',
  'retry',
  'retryMany',
  'reconcile',
  'openSession',
  'closeSession',
  'session',
  'sessions',
  'inspect',
  'audit',
  'events',
  'overview',
] as const;

const AUDIT = ['verify', 'export'] as const;
const LIVE = ['status', 'ofRollback', 'drift'] as const;
const DEPLOYMENTS = ['events', 'record', 'list', 'show', 'restorable', 'exists'] as const;

function pick<T extends object, Name extends keyof T>(from: T, names: readonly Name[]): Pick<T, Name> {
  const picked: Partial<Pick<T, Name>> = {};
  for (const name of names) picked[name] = from[name];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each of the names was set
  return picked as Pick<T, Name>;
}

/**
 * What is missing here, and how to mend it. It needs no repository that can be opened, changes nothing, and never fails because of what
 * it finds.
 */
export async function checkup(
  options: Omit<CheckupOptions, 'programs' | 'hosts'> &
    Pick<EngineSettings, 'renderCommands'> & { readonly signal?: AbortSignal },
): Promise<Checkup> {
  const { env, renderCommands: allowed = [], signal = new AbortController().signal } = options;
  const hosts = createHosts(env, options.clock);
  const looking = lookAt({
    ...options,
    hosts,
    programs: createPrograms({
      path: env['PATH'] ?? '',
      allowed,
      signal,
      sandbox: sandboxOf(env['BACKTRAIL_RENDER_SANDBOX']),
    }),
  });
  try {
    return await looking;
  } finally {
    await hosts.close();
  }
}

export type { Live, LiveAsk } from './live/types.ts';
export type {
  DeploymentEvents,
  DeploymentPage,
  Deployments,
  DeploymentView,
  ObservedDeployment,
  RecordInput,
  Restorable,
} from './deployments/types.ts';
export { READERS as AUDIT_READERS } from './audit/types.ts';
export {
  type Problem as AuditProblem,
  type ProblemCode,
  PROBLEMS as AUDIT_PROBLEMS,
  type Verdict,
} from './audit/problems.ts';
export type {
  AuditReport,
  AuditRow,
  LedgerProblem,
  OutsideCommit,
  VerifyAsk,
} from './audit/types.ts';
export type {
  AuditExport,
  ConfigurationChange,
  DirectCommits,
  Duty,
  DutyFlag,
  ExportAsk,
  ExportedChange,
  ExportedVote,
  GlassReview,
  GlassSession,
  GlassUse,
  Holder,
  Holders,
  PolicyInForce,
  Signed,
} from './audit/export/types.ts';
export { DEPLOYMENT_SOURCES, DEPLOYMENT_STATUSES } from './model/deployment.ts';
export type { DeploymentSource, DeploymentStatus } from './model/deployment.ts';
export { DEPLOYMENT_TRANSITIONS } from './record/deployment-transitions.ts';
export { BacktrailError, FAILURES, isFailure } from './model/failure.ts';
export type { FailureCode, FailureDetails, FailureRule, Retry } from './model/failure.ts';
export type { RevisionSource } from './model/config.ts';
export { CHECKS, type CheckCode } from './model/checks.ts';
export type { Check, Finding, NoticeCode, Remedy } from './model/finding.ts';
export type { Severity } from './model/checks.ts';
export type { ObjectId, Person } from './model/git.ts';
export { AUTHENTICATIONS, NOTE_KINDS, REQUEST_STATUSES } from './model/ledger.ts';
export type {
  Arrived,
  Authentication,
  BreakGlassSession,
  LedgerRequest,
  Note,
  NoteKind,
  RequestProposal,
  Quorum,
  RequestStatus,
  Review,
  SessionId,
  Terms,
} from './model/ledger.ts';
export { recordable, requireReason, requireText } from './record/readable.ts';
export { emailKey, isPlainEmail } from './model/git.ts';
export { quotePath } from './model/path.ts';
export type {
  FieldChange,
  FileDifference,
  Impact,
  KeptPath,
  RevisionRef,
  ServiceDifference,
} from './model/plan.ts';
export { PERMISSIONS } from './model/policy.ts';
export type { Actor, EnvironmentName, Permission } from './model/policy.ts';
export { DRIFT_STATES, LIVE_SOURCES, LIVE_STATES } from './model/live.ts';
export type {
  Desired,
  Drift,
  DriftField,
  DriftObject,
  DriftState,
  LiveState,
  LiveStatus,
  Observation,
  RollbackLive,
} from './model/live.ts';
export type { Clock, Progress } from './model/ports.ts';
export {
  deriveRequestId,
  isIncidentId,
  isRequestId,
  isSessionId,
  makeRequestId,
} from './model/request.ts';
export type { RequestId } from './model/request.ts';
export { resultOf, STEPS } from './model/plan.ts';
export type { RollbackResult, Status, Step } from './model/plan.ts';
export { formatCoordinates, MODES } from './model/scope.ts';
export type { Coordinates, Mode, Scope } from './model/scope.ts';
export { spanText } from './holds/findings.ts';
export { localScopes } from './queries/local-scopes.ts';
export type { Recurring } from './queries/recurring.ts';
export { knownLedgers } from './git/ledger/last-seen.ts';
export type { Destination, LedgerFetch } from './git/open.ts';
export { shortenDiff } from './plan/changes.ts';
export type { HistoryEntry, RevisionChange } from './history/describe.ts';
export type { Identity } from './history/identity.ts';
export { parseTime } from './history/revision-name.ts';
export type { MaskedFile } from './history/show.ts';
export type { RollbackRecord } from './record/trailers.ts';

export { TRANSITIONS } from './record/transitions.ts';
export { asReviewed, planToAsk, toRequest } from './to-request.ts';
export { awaitedBy, awaitedIn } from './queries/awaited.ts';
export { findDeployment } from './deployments/find-deployment.ts';
export { foundIn } from './queries/found-in.ts';
export { findRequestId, findSessionId } from './queries/find-id.ts';
export type { GatedPlan, PlanAsk, PlannedAsk, RequestOptions, RollbackAsk, Rollbacks } from './rollbacks.ts';
export type { ExecuteAsk, ExecuteManyOptions } from './requests/execute-many.ts';
export { blockedError, isBlocked } from './rollback/blocked.ts';
export type { Checkup } from './doctor/doctor.ts';
export type { ExecuteOptions, StepEvent } from './rollback/execute.ts';
export type { ConfigText } from './rollback/observe.ts';
export type { RevisionDetails } from './rollback/planning/planned.ts';
export type { RollbackPlan } from './rollback/plan-value.ts';
export { isShapeName, KINDS, nearShapes, SHAPES } from './init/shapes.ts';
export type {
  ConfigWrite,
  Like,
  Proposed,
  ProposedLayout,
  Shape,
  ShapeName,
  Steering,
  WrittenConfig,
} from './init/init.ts';
export type {
  Comparison,
  EnvironmentEntry,
  Environments,
  History,
  LogEntry,
  NewPath,
  ScopeAsk,
  Shown,
} from './queries/queries.ts';
export type { Guarded, Violation } from './holds/guard.ts';
export type { HeldFieldView, Holds, HoldView } from './holds/list.ts';
export type { ResumeEntry } from './queries/resumes.ts';
export type { Notice } from './queries/with-repository.ts';
export type {
  Act,
  AuditEntry,
  EndedRollback,
  ExecuteRequestOptions,
  Identity as ActorIdentity,
  IncidentPlan,
  LedgerEvent,
  LedgerEvents,
  LedgerOverview,
  Repair,
  RequestPlan,
  Requests,
  RequestView,
  ReviewView,
  SessionView,
} from './requests/types.ts';
export { matchesEnvironment } from './policy/policy.ts';
export { requirePermit, whoCan } from './requests/gate/plan-gate.ts';
export type { Approval, Permit, PlanGate } from './policy/gate.ts';
export type { Requested } from './requests/request.ts';
