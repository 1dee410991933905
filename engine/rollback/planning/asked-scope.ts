/** The scope that is meant, as the branch and its history know it. */
import {
  BacktrailError,
  type Coordinates,
  type FailureCode,
  type Scope,
  formatCoordinates,
  isFailure,
} from '../../model/index.ts';
import { requireScopeExists } from '../../layout/discover.ts';
import { fieldSelection, resolveFields } from '../../layout/fields/field.ts';
import { enclosingString } from '../../layout/fields/strings.ts';
import { readHistory } from '../../history/history.ts';
import { type Layout, parseScope } from '../../layout/layout.ts';
import { selectionsFor } from '../../plan/plan.ts';
import { refOf } from '../../history/find-revision.ts';
import { toBindings } from '../../layout/pattern.ts';
import { type ScopeQuery, readContent } from '../../snapshot/scope-content.ts';
import type { Revision } from '../../history/revision.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { ScopeAsk } from './planned.ts';

/** Resolves a scope. A service deleted from the tip is still known if history has it. */
export async function resolveScope(snapshot: Snapshot, { scope, fields = [] }: ScopeAsk): Promise<Scope> {
  const coordinates = coordinatesOf(snapshot.layout, scope);
  await requireExisting(snapshot, coordinates);
  if (fields.length === 0)
    return { mode: coordinates.service === undefined ? 'full' : 'service', ...coordinates };
  const view = await snapshot.view(snapshot.base);
  const resolved = await resolveFields({ view, layout: snapshot.layout, coordinates, fields });
  for (const field of resolved)
    await requireField(snapshot, { mode: 'field', ...coordinates, fields: [field] });
  return { mode: 'field', ...coordinates, fields: resolved };
}

/** Names given separately must be read back as the same names: they must not combine into another scope. */
function coordinatesOf(layout: Layout, scope: string | Coordinates): Coordinates {
  if (typeof scope === 'string') return parseScope(layout, scope);
  const { tenant, environment, service } = scope;
  const parsed = parseScope(layout, formatCoordinates(scope));
  if (parsed.tenant === tenant && parsed.environment === environment && parsed.service === service)
    return parsed;
  const form = layout.hasTenant
    ? 'tenant, environment and optionally service'
    : 'environment and optionally service';
  throw new BacktrailError('SCOPE_INVALID', `A scope of this layout has ${form}.`);
}

/** A field that never existed is a typing error, and must not pass because another selected field exists. @throws FIELD_UNKNOWN */
async function requireField(snapshot: Snapshot, scope: Scope): Promise<void> {
  const query = { snapshot, scope, selections: selectionsFor(snapshot.layout, scope) };
  if ((await readContent(query, snapshot.base)).parts.size > 0) return;
  if ((await readHistory(query)).length > 0) return;
  const [field = ''] = scope.fields ?? [];
  const inside = await enclosingString(await snapshot.view(snapshot.base), fieldSelection(field));
  const why = inside === null ? '' : `: ${inside.string} is a string`;
  throw new BacktrailError('FIELD_UNKNOWN', `The field ${field} never existed${why}.`, {
    hint: inside?.hint ?? `\`backtrail show ${formatCoordinates(scope)} HEAD\` shows the existing fields.`,
  });
}

const GONE: ReadonlySet<FailureCode> = new Set(['TENANT_UNKNOWN', 'ENVIRONMENT_UNKNOWN', 'SERVICE_UNKNOWN']);

async function requireExisting(snapshot: Snapshot, coordinates: Coordinates): Promise<void> {
  try {
    await requireScopeExists(await snapshot.view(snapshot.base), snapshot.layout, coordinates);
  } catch (unknown) {
    if (!isFailure(unknown) || !GONE.has(unknown.code)) throw unknown;
    // History also has names that the configuration ignores.
    if (snapshot.layout.isIgnored(toBindings(coordinates))) throw unknown;
    const scope: Scope = { mode: coordinates.service === undefined ? 'full' : 'service', ...coordinates };
    const { revisions } = await historyOf(snapshot, scope);
    if (revisions.length === 0) throw unknown;
  }
}

export async function historyOf(
  snapshot: Snapshot,
  scope: Scope,
): Promise<{ query: ScopeQuery; revisions: Revision[] }> {
  const query = { snapshot, scope, selections: selectionsFor(snapshot.layout, scope) };
  return { query, revisions: await readHistory(query) };
}

/** The current revision; the tip itself if the scope has none. */
export function currentOf(snapshot: Snapshot, [newest]: readonly Revision[]) {
  return newest ? refOf(newest) : { commit: snapshot.base, version: null };
}
