/** The engine with everything in it. `index.ts` gives of it what the public may have; tests look at its steps one by one. */
import {
  type Clock,
  type Clusters,
  type CodeHosts,
  NO_ARRIVALS,
  type ObjectId,
  type Person,
  type Progress,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from './model/index.ts';
import { type Destination, type KnownLines, type LedgerFetch, locationOf } from './git/open.ts';
import { openRegistries } from './images/open.ts';
import { createHosts } from './hosts/hosts.ts';
import type { Guarded } from './holds/guard.ts';
import { createPrograms, sandboxOf } from './render/programs/index.ts';
import { createReading, type Questions } from './reading.ts';
import { createRollbacks, type Rollbacks } from './rollbacks.ts';
import { blockedError, isBlocked } from './rollback/blocked.ts';
import { execute, type ExecuteOptions } from './rollback/execute.ts';
import type { ConfigText } from './rollback/observe.ts';
import type { Ask, Planned } from './rollback/planning/planned.ts';
import { planAsked } from './rollback/plan.ts';
import { withNotice, withPreview } from './rollback/planning/observed.ts';
import { planValue, type RollbackPlan } from './rollback/plan-value.ts';
import type { ConfigWrite, Proposed, Steering, WrittenConfig } from './init/init.ts';
import { type Notice, offlineNotice, type Opened, openRepository } from './queries/with-repository.ts';
import {
  type ArrivalsCache,
  type ArrivalsInput,
  observingArrivals,
  withArrivals,
} from './requests/arrivals/port.ts';
import type { Requests } from './requests/types.ts';
import type { InnerRequests } from './requests/inner-requests.ts';
import { createRequests } from './requests/index.ts';
import { createTrust } from './requests/ledger/trust.ts';
import type { AuditExport, ExportAsk } from './audit/export/types.ts';
import type { AuditReport, VerifyAsk } from './audit/types.ts';
import { lazyLive } from './live/lazy.ts';
import type { Live } from './live/types.ts';
import type { See } from './live/watch/open.ts';
import type { Watch } from './live/watch/watch.ts';
import { createDeployments } from './deployments/index.ts';
import { observing, withDeployments } from './deployments/port.ts';
import { createRecorder } from './deployments/rollbacks.ts';
import { createDeploymentCache } from './deployments/store.ts';
import type { Deployments } from './deployments/types.ts';
import { createBackground, type RequestContext } from './requests/context.ts';

/** All but `repo` may be left out of what the public opens an engine with. */
export interface EngineSettings {
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
  /** What is remembered of the history of repositories: engines that are given the same `new Map()` share it. */
  readonly lines?: KnownLines | undefined;
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
  /**
   * Sign all commits with the user's own SSH key, as `commit.sign` of the configuration does; a worker that executes what is asked for here
   * signs with its own.
   */
  readonly sign?: boolean | undefined;
  /** Opened in a pre-receive hook: what the push brings can be read. For `guardPush` alone. */
  readonly quarantine?: boolean | undefined;
  /** Where pull requests are opened. Where absent, the hosts that the file lists that `BACKTRAIL_HOSTS` of `env` names. */
  readonly hosts?: CodeHosts | undefined;
  /** For the ids of events. The platform's own where absent. */
  readonly random?: ((bytes: number) => Uint8Array) | undefined;
}

/**
 * One repository. Every question looks at the branch anew. Errors are BacktrailErrors; match on `code`.
 *
 * Those with a `reader` answer a person, and fail with PERMISSION_DENIED or TOKEN_TOO_NARROW for a scope that they may not read.
 *
 * Any of them can fail with CONFIG_MISSING, CONFIG_INVALID or BRANCH_UNKNOWN (what the branch is looked at by), REPOSITORY_UNKNOWN,
 * REMOTE_UNAVAILABLE, REMOTE_DENIED (where it is), OBJECT_MISSING, GIT_FAILED, GIT_TIMEOUT and REPOSITORY_LOCKED (what git says).
 */
export interface Engine extends Questions {
  /** The same for every way to name it: the top folder of a worktree, else the git directory; a URL as it was typed. */
  location(): string;
  /** Who the user's git configuration says they are; null where it says nothing. */
  identity(): Promise<Person | null>;
  /**
   * Which commits between two move what is held, and by whom. `head`: what HEAD is where absent; `base`: the commit before the oldest hold
   * that is in force at the head. Looks at the repository itself, not at its upstream.
   *
   * @throws REVISION_UNKNOWN, CONFIG_MISSING
   */
  guard(ask: { base?: string; head?: string }): Promise<Guarded>;
  /** The same for the lines that git gives a pre-receive hook: by configuration and holds of each ref's old value. @throws INVALID_REQUEST */
  guardPush(lines: string): Promise<Guarded>;
  /** The commit that executed a request earlier, or null. */
  findRequest(id: RequestId): Promise<ObjectId | null>;
  /** The same for many, on one look: those that the branch holds. */
  findRequests(ids: readonly RequestId[]): Promise<ReadonlyMap<RequestId, ObjectId>>;
  /**
   * Questions are answered without git for small local repositories; what writes is not.
   *
   * @throws GIT_MISSING
   */
  requireWriting(): void;
  /**
   * A configuration for the branch that HEAD names, from its tree.
   *
   * @throws BRANCH_UNKNOWN where there is none with a commit
   */
  propose(steering?: Steering): Promise<Proposed>;
  /** What a rollback would look like under that configuration; null where nothing that was looked at has an earlier revision. */
  samplePlan(config: string): Promise<RollbackPlan | null>;
  /** Where a branch is published; the branch that is meant where none is named. */
  destination(branch?: string): Promise<Destination>;
  /** null but for a clone whose own `git fetch` leaves the ledger at the remote: its name, and what changes that. */
  ledgerFetch(branch: string): Promise<LedgerFetch | null>;
  /**
   * Publishes a first configuration as a commit of its own: never one in the place of another.
   *
   * @throws CONFIG_PRESENT, CONFIG_INVALID, GIT_MISSING, and what publishing fails with
   */
  writeConfig(write: ConfigWrite): Promise<WrittenConfig>;
  /** Plan, request, execute: the only way to publish a rollback. */
  readonly rollbacks: Rollbacks;
  /** Requests in the ledger: looking at them, voting, and what else people do with them. */
  readonly requests: Requests;
  /** Records of what was deployed, and what became of it. */
  readonly deployments: Deployments;
  readonly audit: Audits;
  /** Whether clusters run what the branch holds. */
  readonly live: Live;
  /** Ends every process of it. Nothing may be asked afterwards. Safe to repeat. */
  close(): Promise<void>;
}

/** Whether what the branch says of its rollbacks is so. */
export interface Audits {
  /**
   * Makes every rollback of the branch again, from objects alone, and compares: tree, message, author, votes, manifests. Reads no cache and
   * trusts no record.
   *
   * @throws INTERRUPTED by its signal, REVISION_UNKNOWN, REVISION_INVALID, REVISION_NOT_ON_BRANCH, SCOPE_INVALID; GIT_MISSING, SHA256_UNSUPPORTED where the reader that is
   * asked for cannot read the repository
   */
  verify(ask?: VerifyAsk): Promise<AuditReport>;
  /**
   * Every change of a period, with who asked, agreed and executed, by which key and which policy, what it changed, and what `verify` says of it;
   * and a script that holds it against a clone with git and ssh-keygen alone. See docs/audit.md.
   *
   * @throws INVALID_REQUEST for a period that is none, and what `verify` fails with, but for ranges
   */
  export(ask: ExportAsk): Promise<AuditExport>;
}

/** How a watch looks at clusters: as the operator's file says, unless said otherwise. */
interface WatchOptions {
  readonly clusters?: Clusters;
  readonly see?: See;
  /** Milliseconds that never go back. */
  readonly monotonic?: () => number;
}

/** With what is not for the public, as it asks no one. */
export interface InnerEngine extends Engine {
  /** What asks clusters is loaded with the first watch. */
  watch(options?: WatchOptions): Promise<Watch>;
  plan(ask: Ask): Promise<Planned>;
  /** Executes a confirmed plan here and now, whatever any policy says. */
  execute(request: RollbackRequest, options?: ExecuteOptions): Promise<RollbackResult>;
  readonly requests: InnerRequests;
}

/** Milliseconds. */
const BEGUN_MS = 10;

export async function openInner(options: EngineSettings): Promise<InnerEngine> {
  const { repo, committer, clock, onNotice = () => undefined } = options;
  const config = options.config ?? null;
  const stop = new AbortController();
  const programs = createPrograms({
    path: options.env['PATH'] ?? '',
    allowed: options.renderCommands ?? [],
    sandbox: sandboxOf(options.env['BACKTRAIL_RENDER_SANDBOX']),
    signal: stop.signal,
  });
  const opened = await openRepository({ ...options, location: repo, config, onNotice });
  // Questions see what is recorded of deployments.
  const repository: typeof opened = {
    ...opened,
    ask: (question) =>
      opened.ask((snapshot, place) =>
        question(withDeployments(portOf(place), withArrivals(arrivalsOf(place), snapshot)), place),
      ),
  };
  const { allowedSigners = null, random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)) } =
    options;
  const registries = openRegistries(options.env, clock);
  const hosts = options.hosts ?? createHosts(options.env, clock);
  const left = createBackground();
  const { background } = left;
  const ledgered = { programs, registries, hosts, config, committer, clock, random, background };
  const trust = createTrust(allowedSigners);
  const deployments = { cache: createDeploymentCache(), scans: new Map<string, Promise<string | null>>() };
  const portOf = (opened: Opened) => ({
    git: opened.git,
    cache: deployments.cache,
    open: () => place(opened),
  });
  const arrived: ArrivalsCache = new Map();
  const arrivalsOf = (opened: Opened): ArrivalsInput => ({
    git: opened.git,
    cache: arrived,
    context: () => place(opened),
  });
  const observeArrivals = async (opened: Opened) => {
    const snapshot = withArrivals(arrivalsOf(opened), await opened.observe());
    const { of } = (await snapshot.arrivals?.on(snapshot.base)) ?? NO_ARRIVALS;
    return { tip: snapshot.base, arrived: of };
  };
  const place = async (opened: Opened): Promise<RequestContext> => {
    const observe = observing(portOf(opened), observingArrivals(arrivalsOf(opened), opened.observe));
    const context = { ...ledgered, git: opened.git, observe, ...(await trust(opened.git)) };
    return { ...context, recorder: createRecorder({ ...deployments, context }) };
  };
  const open: Parameters<typeof createRequests>[0] = (work, how) =>
    repository.work(async (opened) => {
      const { git } = opened;
      await left.ended();
      if (how === undefined) return work(await place(opened));
      let end: (() => void) | undefined;
      // Made ready while it is fetched, and not before that has begun.
      const isFetched = git.kind !== 'local' && how.writes > 0;
      const timer = isFetched && setTimeout(() => (end = git.expectWrites(how.writes)), BEGUN_MS);
      try {
        const [context] = await Promise.all([place(opened), git.refresh()]);
        return await work(context);
      } finally {
        if (timer) clearTimeout(timer);
        end?.();
      }
    });
  const requests = createRequests(open, (away) => onNotice(offlineNotice(away, clock)));
  const reading = createReading({ repository, place, config, clock, env: options.env, onNotice });
  const rollbacks = createRollbacks({
    repository,
    requests,
    programs,
    registries,
    clock,
    committer,
    random,
    sign: options.sign === true,
    place,
  });
  return {
    requests,
    deployments: createDeployments({ ...deployments, open }),
    rollbacks,
    watch: async (how = {}) => {
      const { openWatch } = await import('./live/watch/open.ts');
      const { see = (await import('./live/watch/see.ts')).see } = how;
      const { createClusters } = await import('./live/clusters/clusters.ts');
      const clusters = how.clusters ?? createClusters({ env: options.env, clock, signal: stop.signal });
      const monotonic = how.monotonic ?? (() => performance.now());
      return openWatch({ ...deployments, open, door: rollbacks, clusters, see, clock, monotonic, random });
    },
    audit: {
      verify: (ask = {}) =>
        repository.ask(async (snapshot, opened) => {
          if (opened.offline !== null) onNotice(opened.offline);
          await reading.requireAuditor(snapshot, opened, ask);
          const { verify } = await import('./audit/verify.ts');
          const { env, onProgress } = options;
          const context = await place(opened);
          return verify({ snapshot, context, env, onProgress, signal: ask.signal }, ask);
        }),
      export: (ask) =>
        repository.ask(async (snapshot, opened) => {
          if (opened.offline !== null) onNotice(opened.offline);
          const { exportAudit } = await import('./audit/export/export.ts');
          const { env, onProgress } = options;
          const context = await place(opened);
          return exportAudit({ snapshot, context, env, onProgress }, ask);
        }),
    },
    live: lazyLive({ answer: reading.answer, env: options.env, clock, signal: stop.signal }),
    location: () => locationOf(repository.git()),
    identity: () => repository.git().identity(),
    ...reading.questions,
    plan: (ask) =>
      repository.ask(async (snapshot, { git, offline }) =>
        withNotice(await withPreview(git, await planAsked(snapshot, ask, { programs, clock })), offline),
      ),
    guard: async (ask) => (await import('./queries/guard.ts')).guard(repository.git(), ask, clock.now()),
    guardPush: async (lines) =>
      (await import('./queries/guard.ts')).guardPush(repository.git(), lines, clock.now()),
    findRequest: (requestId) =>
      repository.work(async (opened) => {
        await opened.git.refresh();
        const { tip, arrived } = await observeArrivals(opened);
        const commit = arrived.get(requestId)?.commit.id;
        return commit ?? opened.git.findRequest({ tip, base: null, requestId });
      }),
    findRequests: (ids) =>
      repository.work(async (opened) => {
        await opened.git.refresh();
        const { tip, arrived } = await observeArrivals(opened);
        const all = new Map(await opened.git.requestsSince({ tip, after: null }));
        for (const [id, { commit }] of arrived) all.set(id, commit.id);
        const wanted = new Set(ids);
        return new Map([...all].filter(([id]) => wanted.has(id)));
      }),
    requireWriting: () => repository.git().requireWriting(),
    propose: (steering = {}) =>
      repository.work(async ({ git }) => {
        const { proposeConfig } = await import('./init/init.ts');
        await git.refresh();
        return proposeConfig(git, steering);
      }),
    samplePlan: (text) =>
      repository.work(async ({ git }) => {
        const { samplePlan } = await import('./init/init.ts');
        const planned = await samplePlan(git, { text, programs, clock });
        return planned && planValue(planned, { revisions: true });
      }),
    destination: (branch) =>
      repository.work(async ({ git, observe }) => git.destination(branch ?? (await observe()).branch)),
    ledgerFetch: (branch) => repository.work(({ git }) => git.ledgerFetch(branch)),
    writeConfig: (write) =>
      repository.work(async ({ git }) => {
        const { writeConfig } = await import('./init/init.ts');
        return writeConfig({ ...write, git, committer, clock });
      }),
    execute: (request, executeOptions = {}) =>
      repository.work((opened) =>
        execute({ ...opened, ...executeOptions, programs, request, committer, clock }),
      ),
    close: async () => {
      stop.abort();
      await left.ended();
      await repository.close();
      await hosts.close();
    },
  };
}

export interface Confirmation {
  readonly id: RequestId;
  readonly reason: string;
  readonly author: Person;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly allowRemoval?: boolean;
}

/** The request that executes exactly this plan. A blocked plan gives the error of its first blocking finding. */
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
    hold: plan.holds?.placed ? { seconds: plan.holds.placed.seconds } : null,
    resume: plan.resumes === undefined ? undefined : true,
  };
}
