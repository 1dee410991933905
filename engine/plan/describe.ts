/** Revisions as `history` shows them. */
import type { ObjectId, PathChange, Person, RevisionSource } from '../model/index.ts';
import { diffFields } from '../yaml/diff.ts';
import { readContent, type ScopeQuery } from './content.ts';
import type { Revision } from './history.ts';
import { type Identity, identityOf } from './identity.ts';
import { mayBeYaml } from './keep.ts';
import { byService } from './changes.ts';

export interface RevisionChange {
  readonly service: string | null;
  readonly files: readonly string[];
  /** `path#selector` of every changed field, where the file is YAML or JSON. */
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
  /** `unknown` as long as no deployment is recorded. */
  readonly status: 'rolledBack' | 'unknown';
  readonly current: boolean;
  readonly rolledBackBy: ObjectId | null;
}

export async function describeRevision(
  query: ScopeQuery,
  revision: Revision,
  newest: number,
): Promise<HistoryEntry> {
  const { commit, version, rolledBackBy } = revision;
  const content = await readContent(query, commit.id);
  const differences = await Promise.all(revision.changes.map((change) => fieldsOf(query, change)));
  const changes = byService(query, differences).map(({ service, files }) => ({
    service,
    files: files.map(({ path }) => path),
    fields: files.flatMap(({ path, fields = [] }) => fields.map(({ selector }) => `${path}#${selector}`)),
  }));
  return {
    version,
    commit: commit.id,
    time: commit.time,
    author: commit.author,
    subject: commit.subject,
    changes,
    identity: await identityOf(query.snapshot, content),
    source: sourceOf(query, revision),
    status: rolledBackBy === null ? 'unknown' : 'rolledBack',
    current: version === newest,
    rolledBackBy,
  };
}

async function fieldsOf({ snapshot }: ScopeQuery, { path, before, after }: PathChange) {
  const change = before === null ? 'added' : after === null ? 'removed' : 'modified';
  if (!mayBeYaml(path)) return { path, change, fields: [] } as const;
  const text = async (side: PathChange['before']) => (side ? snapshot.text(side.id) : null);
  const [old, now] = [await text(before), await text(after)];
  return { path, change, fields: diffFields({ before: old, after: now }) ?? [] } as const;
}

/** The record first, then the configuration's rules, then the trailer `Deployment-Source`. */
function sourceOf({ snapshot }: ScopeQuery, { commit, rollback }: Revision): RevisionSource {
  if (rollback) return 'rollback';
  const author = `${commit.author.name} <${commit.author.email}>`;
  const rule = snapshot.layout.config.source.find(
    ({ subject, author: by }) =>
      (subject === undefined || new RegExp(subject, 'u').test(commit.subject.slice(0, 500))) &&
      (by === undefined || new RegExp(by, 'u').test(author.slice(0, 500))),
  );
  if (rule) return rule.is;
  const named = commit.trailers.map((line) =>
    /^Deployment-Source:\s*(deploy|release|promotion)\s*$/i.exec(line)?.[1]?.toLowerCase(),
  );
  const found = named.find((source) => source !== undefined);
  return found === 'deploy' || found === 'release' || found === 'promotion' ? found : 'unknown';
}
