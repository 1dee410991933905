/** What happened to a scope since the target: migrations that commits name, and the version that people see. */
import type { HistoryReader, LogCommit, ObjectId, Scope } from '../../model/index.ts';
import { selectionsFor } from '../../plan/plan.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Planned, PlannedRequest } from './planned.ts';
import { historyOf } from './asked-scope.ts';

/** Commits that changed a path of the scope since the target, newest first. */
export async function commitsSince(
  { layout, history, base }: Snapshot,
  { scope, target }: { readonly scope: Scope; readonly target: ObjectId },
): Promise<readonly LogCommit[]> {
  if (base === target) return [];
  const paths = [...new Set(selectionsFor(layout, scope).map((selection) => selection.paths.prefix))];
  const outer = paths.filter((path) => !paths.some((other) => other !== path && isBelow(path, other)));
  const logs = await Promise.all(outer.map((path) => history.log({ tip: base, path, after: target })));
  return [...new Map(logs.flat().map((commit) => [commit.id, commit])).values()];
}

/** Of the plans that were looked at last: whoever asks for one of them need not read the history again. Commits never change. */
const lookedAt = new WeakMap<HistoryReader, Map<string, LookedAt>>();
const MAX_KNOWN = 10_000;

interface LookedAt {
  readonly migrations: readonly MigrationCommit[];
  /** Of the target, as a revision of the scope. */
  readonly version: number | null;
}

type MigrationCommit = Pick<LogCommit, 'id' | 'trailers'>;

interface Range {
  readonly scope: Scope;
  readonly target: ObjectId;
}

const rangeKey = ({ base, scope, target }: Range & { readonly base: ObjectId }) => {
  const { mode, tenant, environment, service, fields } = scope;
  return JSON.stringify([base, target, mode, tenant, environment, service, fields]);
};

export function rememberLook(
  { history, base }: Snapshot,
  range: Range,
  { commits, version }: { readonly commits: readonly LogCommit[]; readonly version: number | null },
): void {
  const known = lookedAt.get(history) ?? new Map<string, LookedAt>();
  if (known.size >= MAX_KNOWN) known.clear();
  const migrations = commits
    .filter(({ trailers }) => trailers.some((line) => /^migration[ \t]*:/i.test(line)))
    .map(({ id, trailers }) => ({ id, trailers }));
  lookedAt.set(history, known.set(rangeKey({ base, ...range }), { migrations, version }));
}

const lookOf = ({ history, base }: Snapshot, range: Range) =>
  lookedAt.get(history)?.get(rangeKey({ base, ...range }));

/** With vN of the target, which people see. */
export async function withVersion(planned: Planned): Promise<Planned> {
  const { snapshot, plan } = planned;
  const { scope, target } = plan;
  const version = lookOf(snapshot, { scope, target: target.commit })?.version ?? (await versionOf(planned));
  return { ...planned, plan: { ...plan, target: { ...target, version } } };
}

async function versionOf({ snapshot, plan }: Planned): Promise<number | null> {
  const { revisions } = await historyOf(snapshot, plan.scope);
  return revisions.find(({ commit }) => commit.id === plan.target.commit)?.version ?? null;
}

export async function migrationsSince(
  snapshot: Snapshot,
  { scope, target, base: asked = null }: PlannedRequest,
  asks: 'read' | 'since' | 'known',
): Promise<readonly MigrationCommit[]> {
  const known = lookOf(snapshot, { scope, target });
  if (known || asks === 'known') return known?.migrations ?? [];
  return commitsSince(snapshot, { scope, target: asks === 'since' && asked !== null ? asked : target });
}

const isBelow = (path: string, folder: string) => folder === '' || path.startsWith(`${folder}/`);
