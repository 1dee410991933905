/** The engine's only door. It prints nothing and reads no environment, clock or randomness of its own. */
import {
  type Clock,
  formatCoordinates,
  type ObjectId,
  type Person,
  type RequestId,
  type RollbackRequest,
  type RollbackResult,
} from './model/index.ts';
import { execute, type StepEvent } from './steps/execute.ts';
import { type GitRepository, openPlace } from './git/open.ts';
import type { Snapshot } from './plan/snapshot.ts';
import { namingMerge } from './steps/merged.ts';
import { branchMeant, type ConfigText, createObserve } from './steps/observe.ts';
import { type Ask, planAsked, type Planned, withPreview } from './steps/plan.ts';
import * as queries from './steps/queries.ts';
import { blockedError, isBlocked } from './steps/blocked.ts';

export * from './model/index.ts';
export type { HistoryEntry, RevisionChange } from './plan/describe.ts';
export type { Identity } from './plan/identity.ts';
export type { ShownFile } from './plan/show.ts';
export type { RollbackRecord } from './record/trailers.ts';
export type { StepEvent } from './steps/execute.ts';
export type { ConfigText } from './steps/observe.ts';
export type { Ask, Planned } from './steps/plan.ts';
export type { Delivery } from './steps/render.ts';
export type { Comparison, EnvironmentEntry, History, LogEntry, ScopeAsk, Shown } from './steps/queries.ts';
export { blockedError, isBlocked };

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
  environments(): Promise<queries.EnvironmentEntry[]>;
  history(ask: queries.ScopeAsk & { limit: number }): Promise<queries.History>;
  show(ask: queries.ScopeAsk & { revision: string }): Promise<queries.Shown>;
  compare(ask: queries.ScopeAsk & { from: string; to?: string }): Promise<queries.Comparison>;
  log(ask: { scope?: string; limit: number }): Promise<queries.LogEntry[]>;
  plan(ask: Ask): Promise<Planned>;
  /** The commit that carried out a request earlier, or null. */
  findRequest(id: RequestId): Promise<ObjectId | null>;
  /** GIT_MISSING where there is no git: everything above answers for small local repositories, `execute` does not. */
  requireWriting(): void;
  execute(request: RollbackRequest, options?: ExecuteOptions): Promise<RollbackResult>;
  close(): Promise<void>;
}

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { repo, env, cacheFolder, committer, clock } = options;
  const place = await openPlace({ location: repo, env, cacheFolder });
  const outside = options.config ?? null;
  const work = once(async () => {
    const branch = place.git.kind === 'local' ? await branchMeant(place.git, outside) : null;
    const git = branch === null ? place.git : await place.throughUpstream(branch);
    return { git, observe: createObserve(git, outside) };
  });
  const look = async () => {
    const { git, observe } = await work();
    await git.refresh();
    return observe();
  };
  const answer = async <Value>(question: (snapshot: Snapshot, git: GitRepository) => Promise<Value>) => {
    const snapshot = await look();
    const { git } = await work();
    return question(snapshot, git).catch(async (error: unknown) => {
      throw await namingMerge(git, snapshot, error);
    });
  };
  return {
    location: () =>
      place.git.kind === 'local' ? (place.git.worktree ?? place.git.directory) : place.git.location,
    identity: () => place.git.identity(),
    environments: async () => queries.environments(await look()),
    history: async (ask) => queries.history(await look(), ask),
    show: async (ask) => answer((snapshot) => queries.show(snapshot, ask)),
    compare: async (ask) => answer((snapshot) => queries.compare(snapshot, ask)),
    log: async (ask) => queries.log(await look(), ask),
    plan: async (ask) => answer(async (snapshot, git) => withPreview(git, await planAsked(snapshot, ask))),
    findRequest: async (requestId) =>
      answer(({ base: tip }, git) => git.findRequest({ tip, base: null, requestId })),
    requireWriting: () => place.git.requireWriting(),
    execute: async (request, { onStep, signal } = {}) =>
      execute({
        ...(await work()),
        request,
        committer,
        clock,
        ...(onStep && { onStep }),
        ...(signal && { signal }),
      }),
    async close() {
      const opened = await work.begun()?.catch(() => null);
      await (opened?.git ?? place.git).close();
    },
  };
}

/** Done when it is first asked for; after a failure, done again the next time. */
function once<T>(make: () => Promise<T>): { (): Promise<T>; begun(): Promise<T> | null } {
  let made: Promise<T> | null = null;
  const get = () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  return Object.assign(get, { begun: () => made });
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
