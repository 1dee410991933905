/** Selects the changes of a commit that count as changes of a scope. */
import type { LogCommit, PathChange } from '../model/index.ts';
import { formatSelector } from '../yaml/core/selector.ts';
import { differs, keptIn, keptSelectors, type ScopeQuery } from '../snapshot/scope-content.ts';
import type { Selection } from '../layout/layout.ts';
import { toBindings } from '../layout/pattern.ts';
import { isFile } from '../snapshot/view.ts';

export async function countingChanges(
  query: ScopeQuery,
  commit: Pick<LogCommit, 'changes'>,
): Promise<PathChange[]> {
  const counting: PathChange[] = [];
  for (const change of commit.changes) if (await counts(query, change)) counting.push(change);
  return counting;
}

async function counts(query: ScopeQuery, change: PathChange): Promise<boolean> {
  const { snapshot, selections } = query;
  if (snapshot.layout.isExcluded(change.path)) return false;
  for (const selection of selections) {
    if (selection.paths.match(change.path) === null) continue;
    const { selector } = selection;
    const isCounting = selector === null ? differs(snapshot, change) : partDiffers(query, selection, change);
    if (await isCounting) return true;
  }
  return false;
}

async function partDiffers(query: ScopeQuery, selection: Selection, change: PathChange): Promise<boolean> {
  const { path } = change;
  // History is read from new to old, so the newer side is cached.
  const after = await restorableSources(query, selection, { path, entry: change.after, like: null });
  const before = await restorableSources(query, selection, {
    path,
    entry: change.before,
    like: change.after,
  });
  const isSame =
    before.size === after.size && [...before].every(([key, source]) => after.get(key) === source);
  if (isSame) return false;
  return (await keptIn(query.snapshot, change.path, [change.before, change.after])).whole === null;
}

/** Restorable source by selector; the order of list items is not part of the item. */
export async function restorableSources(
  { snapshot, scope }: ScopeQuery,
  { paths, selector }: Selection,
  { path, entry, like }: { path: string; entry: PathChange['before']; like: PathChange['after'] },
): Promise<ReadonlyMap<string, string>> {
  if (selector === null || entry === null || !isFile(entry.mode)) return new Map();
  const bindings = { ...toBindings(scope), ...paths.match(path) };
  const parts = await snapshot.parts(entry, {
    path,
    isExplicit: scope.mode === 'field',
    selector,
    bindings,
    kept: keptSelectors(snapshot, path),
    like,
  });
  return new Map(
    parts.flatMap((part) =>
      part.restorable === null ? [] : [[formatSelector(part.selector), part.restorable]],
    ),
  );
}
