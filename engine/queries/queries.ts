/** Questions that write nothing: environments, history, show, compare, log. */
import { describeRevisions, type HistoryEntry } from '../history/describe.ts';
import { resolveRevision } from '../history/find-revision.ts';
import { parseRevision } from '../history/revision-name.ts';
import { compareContents, readMaskedContent, type MaskedFile } from '../history/show.ts';

import { discover } from '../layout/discover.ts';
import { type EnvironmentEntry, toEntries } from '../layout/environments.ts';
import { parseScope } from '../layout/layout.ts';
import { isBehind, type LogPlace, requirePlace } from './log-page.ts';
import { CONFIG_PATH } from '../model/config.ts';
import {
  type Arrival,
  BacktrailError,
  type Finding,
  type LogCommit,
  type Mode,
  type ObjectId,
  type Person,
  type PullRequestLink,
  quotePath,
  type RevisionRef,
  type Scope,
  type ServiceDifference,
  type TreeView,
} from '../model/index.ts';
import { keptFinding } from '../plan/plan.ts';
import type { NewPath } from '../init/proposal/check.ts';
import { concerns } from '../record/arrived.ts';
import { readDelivery, readRollback } from '../record/read.ts';
import type { RollbackRecord } from '../record/trailers.ts';
import { currentOf, historyOf, resolveScope } from '../rollback/planning/asked-scope.ts';
import { type CommitRecord, recordsOf } from './records.ts';
import { keptFiles, readContent } from '../snapshot/scope-content.ts';
import { type Snapshot, unreadRecords } from '../snapshot/snapshot.ts';

export interface Environments {
  readonly environments: readonly EnvironmentEntry[];
  /** Whether the names of scopes begin with a tenant. */
  readonly tenants: boolean;
  /** Files that hide what is in them. */
  readonly findings: readonly Finding[];
}

export async function environments(snapshot: Snapshot): Promise<Environments> {
  const unreadable = new Set<string>();
  const found = await discover(await snapshot.view(snapshot.base), snapshot.layout, {}, unreadable);
  const findings = [...unreadable].sort().map(
    (path): Finding => ({
      code: 'FILE_UNREADABLE',
      severity: 'warn',
      message: `${quotePath(path)} cannot be read as YAML or JSON: the services in it are not shown.`,
      hint: 'Roll its environment back, with --whole-file for one service; or correct the file by hand.',
      path,
    }),
  );
  return { environments: toEntries(found), tenants: snapshot.layout.hasTenant, findings };
}

/** What has come since the configuration was last changed; SHALLOW_TARGET where a clone does not say when that was. */
export async function uncovered(snapshot: Snapshot): Promise<readonly NewPath[]> {
  const { base, history, layout } = snapshot;
  const view = await snapshot.view(base);
  let before: TreeView | null = null;
  if ((await view.entry(CONFIG_PATH)) !== null) {
    const [changed] = await history.log({ tip: base, path: CONFIG_PATH });
    if (changed) before = await snapshot.view(changed.id);
    else if (history.shallow)
      throw new BacktrailError(
        'SHALLOW_TARGET',
        'This shallow clone does not say when the configuration was changed.',
      );
  }
  const { newPaths } = await import('../init/proposal/check.ts');
  return newPaths({ view, layout, before });
}

export type { EnvironmentEntry } from '../layout/environments.ts';
export type { NewPath } from '../init/proposal/check.ts';

export interface ScopeAsk {
  readonly scope: string;
  readonly fields?: readonly string[];
}

export interface History {
  readonly scope: Scope;
  readonly total: number;
  readonly revisions: readonly HistoryEntry[];
  /** Why there are none, where what is kept is the reason. */
  readonly findings: readonly Finding[];
}

export interface HistoryAsk extends ScopeAsk {
  readonly limit: number;
  /** Only versions before this one: the last of another page. */
  readonly before?: number;
}

/** The newest `limit` revisions. */
export async function history(snapshot: Snapshot, ask: HistoryAsk): Promise<History> {
  const scope = await resolveScope(snapshot, ask);
  const { query, revisions } = await historyOf(snapshot, scope);
  const entries = await describeRevisions(query, revisions, ask);
  const kept = revisions.length > 0 ? [] : await keptFiles(snapshot, await readContent(query, snapshot.base));
  const unread = await unreadRecords(snapshot);
  const findings = [...kept.map(keptFinding), ...unread];
  return { scope, total: revisions.length, revisions: entries, findings };
}

export interface Shown {
  readonly scope: Scope;
  readonly revision: RevisionRef;
  readonly files: readonly MaskedFile[];
}

/** `now`: milliseconds since 1970, for revisions such as `@2h`. */
export async function show(
  snapshot: Snapshot,
  ask: ScopeAsk & { revision: string },
  now: number,
): Promise<Shown> {
  const scope = await resolveScope(snapshot, ask);
  const { query, revisions } = await historyOf(snapshot, scope);
  const { target } = await resolveRevision(query, revisions, parseRevision(ask.revision, now));
  return { scope, revision: target, files: await readMaskedContent(query, target.commit) };
}

export interface Comparison {
  readonly scope: Scope;
  readonly from: RevisionRef;
  readonly to: RevisionRef;
  readonly changes: readonly ServiceDifference[];
}

/** From one revision to another; to what stands there now, where only one is named. */
export async function compare(
  snapshot: Snapshot,
  ask: ScopeAsk & { from: string; to?: string },
  now: number,
): Promise<Comparison> {
  const scope = await resolveScope(snapshot, ask);
  const { query, revisions } = await historyOf(snapshot, scope);
  const resolve = async (text: string) =>
    (await resolveRevision(query, revisions, parseRevision(text, now))).target;
  const from = await resolve(ask.from);
  if (ask.to === undefined) {
    const to = currentOf(snapshot, revisions);
    return { scope, from, to, changes: await compareContents(query, from.commit, snapshot.base) };
  }
  const to = await resolve(ask.to);
  return { scope, from, to, changes: await compareContents(query, from.commit, to.commit) };
}

export interface LogEntry {
  readonly requestId: string;
  readonly commit: ObjectId;
  readonly time: string;
  readonly author: Person;
  readonly mode: Mode;
  readonly scope: string;
  readonly reason: string;
  readonly record: RollbackRecord;
  /** `commit` itself where a pull request brought both with it. */
  readonly deliveryCommit: ObjectId | null;
  /** How a pull request brought it; absent where the ledger names none. */
  readonly via?: Arrival;
  readonly pullRequest?: PullRequestLink;
  /** In which respects the trailers are not as Backtrail writes them. */
  readonly problems: readonly string[];
}

export interface RecordsAsk {
  readonly scope?: string;
  readonly limit: number;
  /** Behind which entry; from the beginning where absent. */
  readonly after?: LogPlace;
  /** Whether a scope may be told of; absent: all. */
  readonly sees?: (scope: string) => boolean;
}

/** Rollbacks found in the Git log, and those that the ledger says pull requests brought, newest first; of one scope, or all. */
export async function log(snapshot: Snapshot, ask: RecordsAsk): Promise<LogEntry[]> {
  const within = ask.scope === undefined ? null : parseScope(snapshot.layout, ask.scope);
  const records = await recordsOf(snapshot);
  const deliveries = new Map(
    records.flatMap(({ commit: { id }, trailers }) => {
      const of = readDelivery(trailers)?.record.of;
      return of === undefined ? [] : [[of, id] as const];
    }),
  );
  const first = firstClaims(records);
  const entries: LogEntry[] = [];
  requirePlace(ask.after ?? null, records);
  const isShown = isBehind(ask.after ?? null);
  for (const { commit, trailers, arrived } of records) {
    const { id, parents, time } = commit;
    const claim = readRollback(trailers);
    if (!claim || (within && !concerns(claim.record, within))) continue;
    const { record, problems } = claim;
    const scope = [record.tenant, record.environment, record.service]
      .filter((name) => name !== undefined)
      .join('/');
    if (ask.sees?.(scope) === false) continue;
    if (!isShown({ commit: id })) continue;
    entries.push({
      requestId: record.requestId,
      commit: id,
      time,
      author: arrived?.author ?? commit.author,
      mode: record.mode,
      scope,
      reason: record.justification,
      record,
      deliveryCommit: arrived === null ? (deliveries.get(id) ?? null) : arrived.deliveryCommit,
      ...(arrived && { via: arrived.how, ...(arrived.link && { pullRequest: arrived.link }) }),
      problems: arrived === null ? [...problems, ...misplaced({ id, parents }, record, first)] : problems,
    });
    if (entries.length === ask.limit) break;
  }
  // What is gone from the layout may still have its record; what was never there is a slip of the pen.
  if (entries.length === 0 && ask.scope !== undefined) await resolveScope(snapshot, { scope: ask.scope });
  return entries;
}

/** The oldest commit that claims each request. */
function firstClaims(records: readonly CommitRecord[]): ReadonlyMap<string, ObjectId> {
  const claims = records.map(
    ({ commit: { id }, trailers }) => [readRollback(trailers)?.record.requestId, id] as const,
  );
  return new Map(
    claims.flatMap(([requestId, id]) => (requestId === undefined ? [] : [[requestId, id] as const])),
  );
}

/** Trailers are claims, and a cherry-pick copies them: the commit's place must agree. */
function misplaced(
  { id, parents }: Pick<LogCommit, 'id' | 'parents'>,
  { requestId, base }: RollbackRecord,
  first: ReadonlyMap<string, ObjectId>,
): string[] {
  const original = first.get(requestId);
  return [
    ...(original === id || original === undefined
      ? []
      : [`Commit ${original} carries the same request before it.`]),
    ...(parents[0] === base ? [] : ['The commit does not follow its Rollback-Base.']),
  ];
}
