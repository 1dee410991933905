/** What a rollback asked for, as its trailers have it: a scope with its fields, and how they are restored. */
import { BacktrailError, quotePath, type Scope, type TreeView } from '../../model/index.ts';
import { type Layout, rootFields, selectionsOf } from '../../layout/layout.ts';
import { requireScope } from '../../layout/scope.ts';
import type { RollbackRecord } from '../../record/trailers.ts';

export interface AskedScope {
  readonly scope: Scope;
  /** The fields of files that were restored as a whole are not recorded: the digest cannot be made again. */
  readonly isPartial: boolean;
}

/**
 * The scopes that a record may stand for, the likely one first: a record does not say whether a field is relative to the environment's folder, nor
 * that whole files were asked for where none had to be restored so.
 *
 * @throws SCOPE_INVALID, FIELD_OUT_OF_SCOPE
 */
export async function scopesOf(
  layout: Layout,
  record: RollbackRecord,
  views: readonly TreeView[],
): Promise<readonly AskedScope[]> {
  const { mode, tenant, environment, service } = record;
  const coordinates = {
    ...(tenant !== undefined && { tenant }),
    environment,
    ...(service !== undefined && { service }),
  };
  const exists = async (path: string) => {
    for (const view of views) if ((await view.entry(path)) !== null) return true;
    return false;
  };
  const resolved: string[] = [];
  for (const field of record.fields) {
    const roots = rootFields(layout, coordinates, field);
    let found = roots[0] ?? field;
    for (const root of roots.toReversed()) if (await exists(pathOf(root))) found = root;
    resolved.push(found);
  }
  const parts = resolved.filter((field) => field.includes('#'));
  const files = resolved.filter((field) => !field.includes('#'));
  const wholeFile = true as const;
  if (mode !== 'field') {
    const scope: Scope = { mode, ...coordinates };
    requireScope(layout, scope);
    const whole = { ...scope, wholeFile };
    const both = files.length > 0 ? [whole] : [scope, whole];
    return both.map((each) => ({ scope: each, isPartial: false }));
  }
  const fields = parts.toSorted();
  if (files.length === 0) {
    const scope: Scope = { mode, ...coordinates, fields };
    requireScope(layout, scope);
    return [scope, { ...scope, wholeFile }].map((each) => ({ scope: each, isPartial: false }));
  }
  const selections = selectionsOf(layout, coordinates);
  const isOwn = (path: string) =>
    !layout.isExcluded(path) && selections.some(({ paths }) => paths.match(path) !== null);
  const outside = files.find((path) => !isOwn(path));
  if (outside !== undefined)
    throw new BacktrailError('FIELD_OUT_OF_SCOPE', `${quotePath(outside)} is outside the scope.`);
  if (fields.length > 0) requireScope(layout, { mode, ...coordinates, fields });
  // Whatever was selected in it, all of the file is restored.
  const all = [...fields, ...files.map((path) => `${path}#`)].toSorted();
  return [{ scope: { mode, ...coordinates, fields: all, wholeFile }, isPartial: true }];
}

const pathOf = (field: string) => {
  const hash = field.indexOf('#');
  return hash < 0 ? field : field.slice(0, hash);
};
