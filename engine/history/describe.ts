/** Revisions as shown by `backtrail history`. */
import type {
  DeploymentStatus,
  LogCommit,
  ObjectId,
  PathChange,
  Person,
  RevisionSource,
  SourceRule,
} from '../model/index.ts';
import { diffFields, Remembered } from '../yaml/diff/diff.ts';
import { fileKind } from '../yaml/formats/format.ts';
import { readContent, type ScopeQuery } from '../snapshot/scope-content.ts';
import { compileExpression } from '../layout/expression.ts';
import type { Revision } from './revision.ts';
import { coveringRollback, indexAt } from './rolled-back.ts';
import { readStandings } from './standings.ts';
import { inLayoutNames } from '../layout/fields/names.ts';
import { type Identity, identityReader } from './identity.ts';
import { mayBeYaml } from '../layout/keep.ts';
import { byService } from '../plan/changes.ts';

export interface RevisionChange {
  readonly service: string | null;
  readonly files: readonly string[];
  /** `path#selector` of every changed field, for formats with fields. */
  readonly fields: readonly string[];
}

export interface HistoryEntry {
  readonly version: number;
  readonly commit: ObjectId;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly author: Person;
  readonly subject: string;
  readonly changes: readonly RevisionChange[];
  readonly identity: Identity;
  readonly source: RevisionSource;
  /** What is recorded of its deployment, or that a rollback went back behind it; `unknown` where nothing is. */
  readonly status: 'rolledBack' | 'unknown' | Exclude<DeploymentStatus, 'rolled_back'>;
  /** Whether `previous` takes it. */
  readonly eligible: boolean;
  /** Why not: one sentence each. */
  readonly reasons: readonly string[];
  readonly current: boolean;
  readonly rolledBackBy: ObjectId | null;
  /** It is a rollback of all of the scope: the older revision that it returned to; `version` is null where that is no revision of the scope. */
  readonly rollbackOf: { readonly commit: ObjectId; readonly version: number | null } | null;
  /** The newer commit that undid it: a rollback, a `git revert`, or a return to the former content. `previous` skips it. */
  readonly undoneBy: ObjectId | null;
  /** It is a rollback that went ahead without approval: the session, and its ticket in brackets, as its commit says. null: any other. */
  readonly breakGlass: string | null;
}

/** Describes the newest `limit` of all revisions of a scope, or of those before a version. */
export async function describeRevisions(
  query: ScopeQuery,
  all: readonly Revision[],
  { limit, before }: { readonly limit: number; readonly before?: number },
): Promise<HistoryEntry[]> {
  const standings = await readStandings(query, all);
  const asked = before === undefined ? all : all.filter(({ version }) => version < before);
  const revisions = asked.slice(0, limit);
  const identityOf = identityReader(query.snapshot);
  const remembered = new Map<string, Remembered>();
  const entries: HistoryEntry[] = [];
  for (const revision of revisions) {
    const { commit, version, rolledBackBy, undoneBy } = revision;
    const standing = standings.of(revision);
    const identity = await identityOf(await readContent(query, commit.id));
    entries.push({
      version,
      commit: commit.id,
      time: commit.time,
      author: commit.author,
      subject: commit.subject,
      changes: await changesOf(query, revision, remembered),
      identity,
      source: sourceOf(query, revision),
      status: statusOf(revision, standing.status),
      eligible: standing.eligible,
      reasons: standing.reasons,
      current: version === all.length,
      rolledBackBy,
      rollbackOf: await returnedTo(query, all, revision),
      undoneBy,
      breakGlass: revision.rollbacks.find((record) => record.breakGlass !== undefined)?.breakGlass ?? null,
    });
  }
  return entries;
}

async function returnedTo(
  query: ScopeQuery,
  all: readonly Revision[],
  revision: Revision,
): Promise<HistoryEntry['rollbackOf']> {
  const rollback = await coveringRollback(query, all, revision);
  if (rollback === null) return null;
  const target = all[await indexAt(query.snapshot, all, rollback.target)];
  return { commit: rollback.target, version: target?.version ?? null };
}

/** The branch says that it was rolled back, whether or not that is recorded. */
function statusOf({ rolledBackBy }: Revision, status: DeploymentStatus | null): HistoryEntry['status'] {
  const isBack = rolledBackBy !== null && (status === null || status === 'deployed');
  return isBack || status === 'rolled_back' ? 'rolledBack' : (status ?? 'unknown');
}

/** By path. */
type RememberedFiles = Map<string, Remembered>;

async function changesOf(
  query: ScopeQuery,
  revision: Revision,
  files: RememberedFiles,
): Promise<RevisionChange[]> {
  const differences = await Promise.all(revision.changes.map((change) => fieldsOf(query, change, files)));
  return byService(query, differences).map(({ service, files }) => ({
    service,
    files: files.map(({ path }) => path),
    fields: files.flatMap(({ path, fields = [] }) => fields.map(({ selector }) => `${path}#${selector}`)),
  }));
}

async function fieldsOf(
  { snapshot }: ScopeQuery,
  { path, before, after }: PathChange,
  files: RememberedFiles,
) {
  const change = before === null ? 'added' : after === null ? 'removed' : 'modified';
  const none = { path, change, fields: [] } as const;
  if (!mayBeYaml(path) && fileKind(path).is !== 'known') return none;
  const [old, now] = [await snapshot.text(before), await snapshot.text(after)];
  if ((before && old === null) || (after && now === null)) return none;
  const remembered = files.get(path) ?? new Remembered();
  files.set(path, remembered);
  const fields = diffFields({ path, before: old, after: now }, { lines: false, remembered }) ?? [];
  const named = inLayoutNames(snapshot.layout, fields, { path, before: old, after: now });
  return { path, change, fields: named } as const;
}

/** Whether a rule of `source` matches a commit. */
export function fitsSource(
  { subject, author: by }: SourceRule,
  commit: Pick<LogCommit, 'subject' | 'author'>,
): boolean {
  const author = `${commit.author.name} <${commit.author.email}>`;
  return (
    (subject === undefined || compileExpression(subject)(commit.subject.slice(0, 500))) &&
    (by === undefined || compileExpression(by)(author.slice(0, 500)))
  );
}

/** From the record, else from the configuration's rules, else from the trailer `Deployment-Source`. */
function sourceOf({ snapshot }: ScopeQuery, { commit, rollbacks }: Revision): RevisionSource {
  if (rollbacks.length > 0) return 'rollback';
  const rule = snapshot.layout.config.source.find((rule) => fitsSource(rule, commit));
  if (rule) return rule.is;
  const named = commit.trailers.map((line) =>
    /^Deployment-Source:\s*(deploy|release|promotion)\s*$/i.exec(line)?.[1]?.toLowerCase(),
  );
  const found = named.find((source) => source !== undefined);
  return found === 'deploy' || found === 'release' || found === 'promotion' ? found : 'unknown';
}
