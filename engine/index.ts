/** The engine's only door. It prints nothing and reads no environment, clock or randomness of its own. */
import {
  type Clock,
  formatCoordinates,
  type ObjectId,
  type Person,
  type Progress,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from './model/index.ts';
import { knownLedgers } from './git/ledger/last-seen.ts';
import { type Destination, type GitRepository, type LedgerFetch, locationOf } from './git/open.ts';
import { checkup as lookAt, type Checkup, type CheckupOptions } from './doctor/doctor.ts';
import { createPrograms, sandboxOf } from './render/programs/index.ts';
import { execute, type StepEvent } from './rollback/execute.ts';
import { type Ask, planAsked, type Planned, withPreview } from './rollback/plan.ts';
import type { ConfigText } from './rollback/observe.ts';
import {
  type ConfigWrite,
  proposeConfig,
  type Proposed,
  samplePlan,
  type Steering,
  writeConfig,
  type WrittenConfig,
} from './init/init.ts';
import { type Notice, openRepository } from './queries/with-repository.ts';
import * as queries from './queries/queries.ts';
import type { Requests } from './requests/types.ts';
import { createRequests } from './requests/index.ts';
import { createTrust } from './requests/ledger/trust.ts';
import { blockedError, isBlocked } from './rollback/blocked.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

export * from './model/index.ts';
export type { HistoryEntry, RevisionChange } from './history/describe.ts';
export type { Identity } from './history/identity.ts';
export { parseTime } from './history/revision-name.ts';
export type { MaskedFile } from './history/show.ts';
export type { RollbackRecord } from './record/trailers.ts';
export type { Checkup } from './doctor/doctor.ts';
export type { StepEvent } from './rollback/execute.ts';
export type { Destination } from './git/open.ts';
export type { ConfigText } from './rollback/observe.ts';
export type { Notice } from './queries/with-repository.ts';
export type { Ask, Planned, RevisionDetails } from './rollback/plan.ts';
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
export { isShapeName, KINDS, nearShapes, SHAPES } from './init/init.ts';
export type { Delivery } from './render/planned/render.ts';
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
export type {
  Act,
  Approval,
  AuditEntry,
  CarryOutOptions,
  Gate,
  Identity as ActorIdentity,
  Repair,
  Repeated,
  Requests,
  RequestView,
  ReviewView,
  SessionView,
} from './requests/types.ts';
export { shortenDiff } from './plan/changes.ts';
export { TRANSITIONS } from './record/transitions.ts';
export { blockedError, isBlocked, knownLedgers };

export interface EngineOptions {
  /** Path or URL of the repository. */
  readonly repo: string;
  /** A configuration from outside the repository; else `.backtrail/config.yaml` at the branch tip. */
  readonly config?: ConfigText;
  /** The environment for git's own use: PATH, HOME, ssh agent. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where mirrors of remote repositories live. */
  readonly cacheFolder: string;
  readonly committer: Person;
  readonly clock: Clock;
  /**
   * Where the remote cannot be reached, questions are answered from the mirror, and `onNotice` says since when it is not
   * up to date (a plan has that among its findings). Without it they fail with REMOTE_UNAVAILABLE, as `execute` and
   * `findRequest` always do.
   */
  readonly offline?: boolean | undefined;
  /** Bytes of all mirrors together: beyond it those that were not used for the longest time are removed. */
  readonly cacheLimit?: number | undefined;
  /** How far a fetch is; null when it has ended. */
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /**
   * What `delivery.command` of a configuration may run: `helm` any command of that program, `helm template {directory}` exactly
   * this one, `all` whatever it says. Nothing where absent. Kustomize needs no permission.
   */
  readonly renderCommands?: readonly string[] | 'all' | undefined;
  /**
   * Path of the list of keys that are trusted (`ssh-keygen(1)`, ALLOWED SIGNERS), for people by their email. Where absent, the one
   * that the user's own settings of git name, if any.
   */
  readonly allowedSigners?: string | null | undefined;
  /** For the ids of events. The platform's own where absent. */
  readonly random?: ((bytes: number) => Uint8Array) | undefined;
}

export interface ExecuteOptions {
  readonly onStep?: (event: StepEvent) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

/** One repository. Every question looks at the branch anew. Errors are BacktrailErrors; match on `code`. */
export interface Engine {
  /** The same for every way to name it: the top folder of a worktree, else the git directory; a URL as it was typed. */
  location(): string;
  /** Who the user's git configuration says they are; null where it says nothing. */
  identity(): Promise<Person | null>;
  environments(): Promise<readonly queries.EnvironmentEntry[]>;
  /** The same, with the files that cannot be taken apart. */
  survey(): Promise<queries.Environments>;
  /** What has come since the configuration was last changed, and no scope holds: new environments, and siblings of what the layout takes. */
  uncovered(): Promise<readonly queries.NewPath[]>;
  history(ask: queries.ScopeAsk & { limit: number }): Promise<queries.History>;
  show(ask: queries.ScopeAsk & { revision: string }): Promise<queries.Shown>;
  compare(ask: queries.ScopeAsk & { from: string; to?: string }): Promise<queries.Comparison>;
  log(ask: { scope?: string; limit: number }): Promise<queries.LogEntry[]>;
  plan(ask: Ask): Promise<Planned>;
  /** The commit that carried out a request earlier, or null. */
  findRequest(id: RequestId): Promise<ObjectId | null>;
  /** GIT_MISSING where there is no git: everything above answers for small local repositories, `execute` does not. */
  requireWriting(): void;
  /** A configuration for the branch that HEAD names, from its tree. BRANCH_UNKNOWN where there is none with a commit. */
  propose(steering?: Steering): Promise<Proposed>;
  /** What a rollback would look like under that configuration; null where nothing that was looked at has an earlier revision. */
  samplePlan(config: string): Promise<Planned | null>;
  /** Where a branch is published; the branch that is meant where none is named. */
  destination(branch?: string): Promise<Destination>;
  /** null but for a clone whose own `git fetch` leaves the ledger at the remote: its name, and what changes that. */
  ledgerFetch(branch: string): Promise<LedgerFetch | null>;
  /** Publishes a first configuration as a commit of its own. CONFIG_PRESENT where the branch has one. */
  writeConfig(write: ConfigWrite): Promise<WrittenConfig>;
  /** Carries a confirmed plan out here and now, without a record in the ledger. */
  execute(request: RollbackRequest, options?: ExecuteOptions): Promise<RollbackResult>;
  /** Requests in the ledger. */
  readonly requests: Requests;
  close(): Promise<void>;
}

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { repo, committer, clock, onNotice = () => undefined } = options;
  const config = options.config ?? null;
  const stop = new AbortController();
  const programs = createPrograms({
    path: options.env['PATH'] ?? '',
    allowed: options.renderCommands ?? [],
    sandbox: sandboxOf(options.env['BACKTRAIL_RENDER_SANDBOX']),
    signal: stop.signal,
  });
  const repository = await openRepository({ ...options, location: repo, config, onNotice });
  const answer = <Value>(question: (snapshot: Snapshot) => Promise<Value>) =>
    repository.ask(async (snapshot, { git, offline }) => {
      const notice = offline ?? (await notRead(git, snapshot));
      if (notice !== null) onNotice(notice);
      return question(snapshot);
    });
  const { allowedSigners = null, random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)) } =
    options;
  const ledgered = { programs, config, committer, clock, random };
  const trust = createTrust(options.env, allowedSigners);
  return {
    requests: createRequests((work) =>
      repository.work(async (opened) => work({ ...ledgered, ...opened, ...(await trust()) })),
    ),
    location: () => locationOf(repository.git()),
    identity: () => repository.git().identity(),
    environments: () => answer(async (snapshot) => (await queries.environments(snapshot)).environments),
    survey: () => answer((snapshot) => queries.environments(snapshot)),
    uncovered: () => answer((snapshot) => queries.uncovered(snapshot)),
    history: (ask) => answer((snapshot) => queries.history(snapshot, ask)),
    show: (ask) => answer((snapshot) => queries.show(snapshot, ask, clock.now())),
    compare: (ask) => answer((snapshot) => queries.compare(snapshot, ask, clock.now())),
    log: (ask) => answer((snapshot) => queries.log(snapshot, ask)),
    plan: (ask) =>
      repository.ask(async (snapshot, { git, offline }) =>
        withFinding(await withPreview(git, await planAsked(snapshot, ask, { programs, clock })), offline),
      ),
    findRequest: (requestId) =>
      repository.work(async ({ git, observe }) => {
        await git.refresh();
        return git.findRequest({ tip: (await observe()).base, base: null, requestId });
      }),
    requireWriting: () => repository.git().requireWriting(),
    propose: (steering = {}) =>
      repository.work(async ({ git }) => {
        await git.refresh();
        return proposeConfig(git, steering);
      }),
    samplePlan: (text) => repository.work(({ git }) => samplePlan(git, { text, programs, clock })),
    destination: (branch) =>
      repository.work(async ({ git, observe }) => git.destination(branch ?? (await observe()).branch)),
    ledgerFetch: (branch) => repository.work(({ git }) => git.ledgerFetch(branch)),
    writeConfig: (write) => repository.work(({ git }) => writeConfig({ ...write, git, committer, clock })),
    execute: (request, { onStep, signal } = {}) =>
      repository.work((opened) =>
        execute({
          ...opened,
          programs,
          request,
          committer,
          clock,
          ...(onStep && { onStep }),
          ...(signal && { signal }),
        }),
      ),
    close: async () => {
      stop.abort();
      await repository.close();
    },
  };
}

/** What is missing here, and how to mend it; it needs no repository that can be opened, and changes nothing. */
export function checkup(
  options: Omit<CheckupOptions, 'programs'> &
    Pick<EngineOptions, 'renderCommands'> & { readonly signal?: AbortSignal },
): Promise<Checkup> {
  const { env, renderCommands: allowed = [], signal = new AbortController().signal } = options;
  return lookAt({
    ...options,
    programs: createPrograms({
      path: env['PATH'] ?? '',
      allowed,
      signal,
      sandbox: sandboxOf(env['BACKTRAIL_RENDER_SANDBOX']),
    }),
  });
}

/** A clone that is read alone may be behind its upstream. */
async function notRead(git: GitRepository, { branch, base }: Snapshot): Promise<Notice | null> {
  if (git.kind !== 'local') return null;
  const code = 'UPSTREAM_NOT_READ' as const;
  const finding = (await git.preview({ branch, base, paths: [] })).find((finding) => finding.code === code);
  return finding ? { ...finding, code } : null;
}

function withFinding(planned: Planned, notice: Notice | null): Planned {
  if (notice === null) return planned;
  return { ...planned, plan: { ...planned.plan, findings: [...planned.plan.findings, notice] } };
}

export interface Confirmation {
  readonly id: RequestId;
  readonly reason: string;
  readonly author: Person;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly allowRemoval?: boolean;
}

/** The request that carries out exactly this plan. A blocked plan gives the error of its first blocking finding. */
export function confirmPlan(
  { plan }: Planned,
  { id, reason, author, now, allowRemoval }: Confirmation,
): RollbackRequest {
  if (isBlocked(plan)) throw blockedError(plan);
  return {
    id,
    scope: plan.scope,
    target: plan.target.commit,
    base: plan.base,
    digest: plan.digest,
    reason,
    author,
    requestedAt: new Date(Math.floor(now / 1000) * 1000).toISOString(),
    allowRemoval: allowRemoval ?? false,
  };
}

/** `acme/production/api-gateway` */
export const scopeName = formatCoordinates;
