/** Whether a plan is still valid after other paths changed: its commits can then be put on top unchanged. */
import type { Layout } from '../layout/layout.ts';
import { CONFIG_PATH } from '../model/config.ts';
import { selectionsFor } from '../plan/plan.ts';
import type { Planned } from './plan.ts';

/**
 * True where none of the changed paths is, or lies above or below, one that the plan read, writes or could have selected. Paths are compared
 * without case, as two that differ by case alone may be one file in a clone. When in doubt false: it is planned again.
 */
export function isDisjoint({ plan, delivery, snapshot }: Planned, changed: Iterable<string>): boolean {
  const { layout } = snapshot;
  const selections = selectionsFor(layout, plan.scope);
  const own = foldedTree([
    ...plan.writes.map(({ path }) => path),
    ...plan.files.map(({ path }) => path),
    ...delivery.outputs.map(({ path }) => path),
    ...delivery.inputs.flatMap(({ paths }) => [...paths]),
  ]);
  const listed = new Set(delivery.inputs.flatMap(({ folders }) => [...folders].map(fold)));
  for (const path of changed) {
    if (path === CONFIG_PATH || own.touches(path) || listed.has(fold(parentOf(path)))) return false;
    if (isGlobal(layout, path) || selections.some(({ paths }) => paths.match(path) !== null)) return false;
  }
  return true;
}

/** Files that affect more than the scope that contains them. */
const isGlobal = (layout: Layout, path: string) =>
  layout.config.delivery !== null && layout.isVariables(path);

const fold = (path: string) => path.normalize('NFC').toLowerCase();

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

function foldedTree(paths: readonly string[]) {
  const own = new Set(paths.map(fold));
  const above = new Set<string>();
  for (const path of own)
    for (let folder = parentOf(path); folder !== '' && !above.has(folder); folder = parentOf(folder))
      above.add(folder);
  return {
    touches(path: string): boolean {
      const folded = fold(path);
      if (own.has(folded) || above.has(folded)) return true;
      for (let folder = parentOf(folded); folder !== ''; folder = parentOf(folder))
        if (own.has(folder)) return true;
      return false;
    },
  };
}
