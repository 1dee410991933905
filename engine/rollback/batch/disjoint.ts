/** Whether a plan is still valid after other paths changed: its commits can then be put on top unchanged. */
import { isShared, type Layout, type Selection, selectionsOf } from '../../layout/layout.ts';
import { holdFolder } from '../../holds/hold-file.ts';
import { bindPath, compilePattern } from '../../layout/pattern.ts';
import { CONFIG_PATH } from '../../model/config.ts';
import { selectionsFor } from '../../plan/plan.ts';
import type { Planned } from '../planning/planned.ts';

/**
 * True where none of the changed paths is, or lies above or below, one that the plan read, writes or could have selected. Paths are compared
 * without case, as two that differ by case alone may be one file in a clone. When in doubt false: it is planned again.
 */
export function isDisjoint(planned: Planned, changed: Iterable<string>): boolean {
  const { plan, delivery, snapshot } = planned;
  const { layout } = snapshot;
  const selections = selectionsRead(planned);
  const own = foldedTree([
    ...plan.writes.map(({ path }) => path),
    ...plan.files.map(({ path }) => path),
    ...delivery.outputs.map(({ path }) => path),
    ...delivery.inputs.flatMap(({ paths }) => [...paths]),
  ]);
  const listed = new Set(delivery.inputs.flatMap(({ folders }) => [...folders].map(fold)));
  const isMigration = migrationsOf(layout);
  const holds = plan.owners.map((owner) => holdFolder(owner));
  for (const path of changed) {
    if (path === CONFIG_PATH || own.touches(path) || parentsOf(fold(path)).some((one) => listed.has(one)))
      return false;
    if (holds.some((folder) => path.startsWith(`${folder}/`))) return false;
    if (
      isGlobal(layout, path) ||
      isMigration(path) ||
      selections.some(({ paths }) => paths.match(path) !== null)
    )
      return false;
  }
  return true;
}

/** What concerns every service of the environment was rendered for those that there were. */
function selectionsRead({ plan, snapshot: { layout } }: Planned): readonly Selection[] {
  const { service: _, ...environment } = plan.scope;
  const own = [
    ...selectionsFor(layout, plan.scope),
    // Adapters of a hold look at all of the service.
    ...(plan.holds?.readsScope ? selectionsOf(layout, plan.scope) : []),
  ];
  const isForAll =
    layout.config.delivery !== null &&
    plan.files.some(({ path }) => layout.isVariables(path) || isShared(layout, plan.scope, path));
  return isForAll ? [...own, ...selectionsOf(layout, environment)] : own;
}

/** Files that affect more than the scope that contains them. */
const isGlobal = (layout: Layout, path: string) =>
  layout.config.delivery !== null && layout.isVariables(path);

/** What is changed there says whether a plan may go ahead. */
function migrationsOf({ config }: Layout): (path: string) => boolean {
  const all = config.checks.migrations.map(({ path }) => bindPath(compilePattern(path), {}));
  return (path) => all.some((paths) => paths.match(path) !== null);
}

const fold = (path: string) => path.normalize('NFC').toLowerCase();

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** Every folder above a path, the root last. */
function parentsOf(path: string): string[] {
  const parents = [parentOf(path)];
  for (let last = parents[0] ?? ''; last !== ''; last = parents.at(-1) ?? '') parents.push(parentOf(last));
  return parents;
}

function foldedTree(paths: readonly string[]) {
  const own = new Set(paths.map(fold));
  const above = new Set([...own].flatMap(parentsOf).filter((folder) => folder !== ''));
  return {
    touches(path: string): boolean {
      const folded = fold(path);
      return own.has(folded) || above.has(folded) || parentsOf(folded).some((folder) => own.has(folder));
    },
  };
}
