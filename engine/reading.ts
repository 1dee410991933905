/** Questions, and what a person may see of their answers: what `policy.permissions` lets them read. */
import {
  BacktrailError,
  type Clock,
  type Coordinates,
  type EnvironmentName,
  isFailure,
  type Person,
  type Policy,
} from './model/index.ts';
import type { Judged } from './audit/listed.ts';
import type { VerifyAsk } from './audit/types.ts';
import type { GitRepository } from './git/open.ts';
import type { Holds } from './holds/list.ts';
import { type Layout, parseScope } from './layout/layout.ts';
import { hasPermission } from './policy/policy.ts';
import * as queries from './queries/queries.ts';
import { type Recurring, recurring } from './queries/recurring.ts';
import type { ResumeEntry } from './queries/resumes.ts';
import type { Notice, Opened, Repository } from './queries/with-repository.ts';
import { type RequestContext, rulesOf } from './requests/context.ts';
import { type AskingFor, askingFor } from './requests/gate/asking.ts';
import { requirePermission } from './requests/gate/permissions.ts';
import type { ConfigText } from './rollback/observe.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** Of a question. */
export interface Reading {
  /** Whose permission to `read` is asked: refused for a scope that they may not read, and lists are without it. Absent: nobody's. */
  readonly reader?: Person | undefined;
}

/** What one person may read. */
export interface Readable {
  /** Whether it may be told of at all. */
  readonly has: (environment: EnvironmentName) => boolean;
  /** Of a name such as `acme/production/api`. */
  readonly hasScope: (scope: string) => boolean;
  /** Whether any environment is kept from them. */
  readonly isAll: boolean;
  /** @throws PERMISSION_DENIED, TOKEN_TOO_NARROW, SCOPE_INVALID */
  readonly require: (scope: string | Coordinates | undefined) => void;
}

export function readableBy(
  { policy, layout }: { readonly policy: Policy; readonly layout: Layout },
  { reader }: Reading,
): Readable {
  const has = (environment: EnvironmentName) =>
    reader === undefined || hasPermission(policy, reader, 'read', environment);
  return {
    has,
    hasScope: (scope) => has(namesOf(scope, layout.hasTenant)),
    // `**` alone matches what has no name.
    isAll: has({ environment: '' }),
    require(scope) {
      if (reader === undefined || scope === undefined) return;
      const { tenant, environment } = typeof scope === 'string' ? parseScope(layout, scope) : scope;
      requirePermission(policy, reader, 'read', { ...(tenant !== undefined && { tenant }), environment });
    },
  };
}

function namesOf(scope: string, hasTenant: boolean): EnvironmentName {
  const [first = '', second = ''] = scope.split('/');
  return hasTenant ? { tenant: first, environment: second } : { environment: first };
}

/** Files that cannot be read belong to nobody: they are told to whoever may read everything. */
function readableEnvironments(readable: Readable, found: queries.Environments): queries.Environments {
  const environments = found.environments.filter((each) => readable.has(each));
  return { ...found, environments, findings: readable.isAll ? found.findings : [] };
}

/** @throws PERMISSION_DENIED where an environment is kept from them */
function requireAll(readable: Readable, { environments }: queries.Environments): void {
  for (const { tenant, environment } of environments)
    readable.require({ ...(tenant !== undefined && { tenant }), environment });
  if (!readable.isAll && environments.length === 0)
    throw new BacktrailError('PERMISSION_DENIED', 'You may not read everything here.');
}

/** Questions that answer a person: see `Engine`. */
export interface Questions {
  /** What the layout finds: tenants, environments, services, by name. */
  environments(ask?: Reading): Promise<readonly queries.EnvironmentEntry[]>;
  /** The same, with the files that cannot be taken apart. */
  survey(ask?: Reading): Promise<queries.Environments>;
  /** What has come since the configuration was last changed, and no scope holds: new environments, and siblings of what the layout takes. */
  uncovered(): Promise<readonly queries.NewPath[]>;
  /**
   * Revisions of a scope, newest first, at most `limit` of them, from before a version where one is named; `total` is how many there are.
   *
   * @throws SCOPE_INVALID, TENANT_UNKNOWN, ENVIRONMENT_UNKNOWN, SERVICE_UNKNOWN, FIELD_UNKNOWN, FIELD_INVALID
   */
  history(ask: queries.HistoryAsk & Reading): Promise<queries.History>;
  /**
   * What a scope holds at a revision, masked.
   *
   * @throws as `history`, and REVISION_INVALID, REVISION_UNKNOWN, REVISION_NOT_ON_BRANCH
   */
  show(ask: queries.ScopeAsk & Reading & { revision: string }): Promise<queries.Shown>;
  /**
   * How a scope differs between two revisions; from one to what it holds now where `to` is absent.
   *
   * @throws as `show`
   */
  compare(ask: queries.ScopeAsk & Reading & { from: string; to?: string }): Promise<queries.Comparison>;
  /** Rollbacks on the branch, newest first, by what their commits record. */
  log(ask: Reading & { scope?: string; limit: number }): Promise<queries.LogEntry[]>;
  /** Scopes that went back to the same revision again and again lately (`checks.recurring`), the most frequent first. */
  recurring(ask: Reading & { scope?: string; limit: number }): Promise<Recurring[]>;
  /** The same, with the resumes on the branch: as many of each at most. */
  recorded(
    ask: Reading & {
      scope?: string;
      limit: number;
      /** `next` of another page. INVALID_REQUEST where it is none. */
      after?: string;
      /** Makes the newest 50 of each again, as an audit does, and looks for what the branch does not hold any more. Needs git. */
      judged?: boolean;
    },
  ): Promise<Recorded>;
  /**
   * Whether the reader may ask for a rollback of the environment of a scope, and who may.
   *
   * @throws SCOPE_INVALID, PERMISSION_DENIED where they may not read it
   */
  asking(ask: Reading & { scope: string }): Promise<AskingFor>;
  /** What is held, newest first; of a scope and its services, or all. @throws SCOPE_INVALID */
  holds(ask: Reading & { scope?: string }): Promise<Holds>;
}

/** Rollbacks and resumes of the Git log. `unlisted`: what neither list has, such as what the ledger says that the branch holds, and it does not. */
export type Recorded = Judged<queries.LogEntry, ResumeEntry> & {
  /** `after` of the next page; null: this is the last one. */
  readonly next: string | null;
};

interface ReadingInput {
  readonly repository: Pick<Repository, 'ask'>;
  readonly place: (opened: Opened) => Promise<RequestContext>;
  /** From outside the repository. */
  readonly config: ConfigText | null;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onNotice: (notice: Notice) => void;
}

/** The questions of an engine, each answered with what its reader may see. */
export function createReading({ repository, place, config, clock, env, onNotice }: ReadingInput) {
  const answer = <Value>(
    ask: Reading & { readonly scope?: string },
    question: (snapshot: Snapshot, readable: Readable, git: GitRepository) => Promise<Value>,
  ) =>
    repository.ask(async (snapshot, opened) => {
      const notice = opened.offline ?? (await notRead(opened.git, snapshot));
      if (notice !== null) onNotice(notice);
      return question(snapshot, await readableIn(snapshot, opened, ask), opened.git);
    });
  /** A configuration from outside says nothing about who may do what with what the branch has. */
  const policyOf = async (snapshot: Snapshot, opened: Opened, { reader }: Reading): Promise<Policy> => {
    const isAsked = config !== null && reader !== undefined;
    return (isAsked ? await rulesOf(await place(opened), snapshot) : snapshot.layout.config).policy;
  };
  /** @throws PERMISSION_DENIED for a scope that the reader may not read */
  const readableIn = async (
    snapshot: Snapshot,
    opened: Opened,
    ask: Reading & { readonly scope?: string },
  ): Promise<Readable> => {
    const policy = await policyOf(snapshot, opened, ask);
    const readable = readableBy({ policy, layout: snapshot.layout }, ask);
    readable.require(ask.scope);
    return readable;
  };
  /** @throws PERMISSION_DENIED where a scope of the audit is kept from them; without scopes, where any is */
  const requireAuditor = async (snapshot: Snapshot, opened: Opened, { person, scopes = [] }: VerifyAsk) => {
    if (person === undefined) return;
    const readable = await readableIn(snapshot, opened, { reader: person });
    for (const scope of scopes) readable.require(scope);
    if (scopes.length === 0) requireAll(readable, await queries.environments(snapshot));
  };
  const survey = (ask: Reading) =>
    answer(ask, async (snapshot, readable) =>
      readableEnvironments(readable, await queries.environments(snapshot)),
    );
  const questions: Questions = {
    environments: async (ask = {}) => (await survey(ask)).environments,
    survey: (ask = {}) => survey(ask),
    uncovered: () => answer({}, (snapshot) => queries.uncovered(snapshot)),
    history: (ask) => answer(ask, (snapshot) => queries.history(snapshot, ask)),
    show: (ask) => answer(ask, (snapshot) => queries.show(snapshot, ask, clock.now())),
    compare: (ask) => answer(ask, (snapshot) => queries.compare(snapshot, ask, clock.now())),
    log: (ask) => answer(ask, (snapshot, { hasScope }) => queries.log(snapshot, { ...ask, sees: hasScope })),
    recurring: (ask) =>
      answer(ask, (snapshot, { hasScope }) => recurring(snapshot, { ...ask, sees: hasScope }, clock.now())),
    recorded: (ask) =>
      repository.ask(async (snapshot, opened) => {
        const notice = opened.offline ?? (await notRead(opened.git, snapshot));
        if (notice !== null) onNotice(notice);
        const { hasScope } = await readableIn(snapshot, opened, ask);
        const { resumes } = await import('./queries/resumes.ts');
        const { logPage, placesOf } = await import('./queries/log-page.ts');
        const { after, ...asked } = ask;
        const from = placesOf(after);
        // One more tells whether there is another page.
        const seen = { ...asked, limit: ask.limit + 1, sees: hasScope };
        const { next, ...lists } = logPage(
          {
            rollbacks: await queries.log(snapshot, { ...seen, after: from.rollbacks }),
            resumes: await resumes(snapshot, { ...seen, after: from.resumes }),
          },
          { limit: ask.limit, from },
        );
        if (ask.judged !== true) return { ...lists, unlisted: [], next };
        if (!isWritable(opened.git))
          return {
            ...lists,
            unlisted: [],
            next,
            unjudged: { code: 'GIT_MISSING', message: 'There is no git here.' },
          };
        const { judgeEntries } = await import('./audit/listed.ts');
        const input = { snapshot, context: await place(opened), env: env };
        const judged = await judgeEntries(input, lists, ask);
        // They belong to no page: the first one has them.
        const unlisted = after === undefined ? judged.unlisted.filter(({ scope }) => hasScope(scope)) : [];
        return { ...judged, unlisted, next };
      }),
    asking: (ask) =>
      repository.ask(async (snapshot, opened) => {
        (await readableIn(snapshot, opened, ask)).require(ask.scope);
        const { tenant, environment } = parseScope(snapshot.layout, ask.scope);
        const place = { ...(tenant !== undefined && { tenant }), environment };
        return askingFor(await policyOf(snapshot, opened, ask), place, ask.reader);
      }),
    holds: ({ scope, ...ask }) =>
      answer({ ...ask, ...(scope !== undefined && { scope }) }, async (snapshot, readable) => {
        const { listHolds } = await import('./holds/list.ts');
        const within = scope === undefined ? null : parseScope(snapshot.layout, scope);
        const found = await listHolds(snapshot, within, clock.now());
        const holds = found.holds.filter((hold) => readable.hasScope(hold.scope));
        const isPartial = scope === undefined && !readable.isAll;
        const findings = readable.isAll ? found.findings : [];
        return { holds, findings, ...(isPartial && { partial: true as const }) };
      }),
  };
  return { questions, requireAuditor, answer };
}

/** Without git, neither a ledger nor signatures are read. */
function isWritable(git: GitRepository): boolean {
  try {
    git.requireWriting();
    return true;
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

/** A clone that is read alone may be behind its upstream. */
async function notRead(git: GitRepository, { branch, base }: Snapshot): Promise<Notice | null> {
  if (git.kind !== 'local') return null;
  const code = 'UPSTREAM_NOT_READ' as const;
  const finding = (await git.preview({ branch, base, paths: [] })).find((finding) => finding.code === code);
  return finding ? { ...finding, code } : null;
}
