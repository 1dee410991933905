/** What the checks of a configuration look at: one tip, walked once. */
import { type Check, type Coordinates, formatCoordinates, type TreeView } from '../../model/index.ts';
import { discover, type PatternMatch, patternMatches } from '../../layout/discover.ts';
import type { Layout } from '../../layout/layout.ts';
import type { Bindings } from '../../layout/pattern.ts';
import { type FileEntry, walkFiles } from '../../snapshot/view.ts';
import { type TreeNames, namesOf } from '../../layout/near-names.ts';

export interface CheckedTree {
  readonly view: TreeView;
  readonly layout: Layout;
  /** Everything that is not a folder; delivery outputs and our own configuration too. */
  readonly files: readonly FileEntry[];
  readonly names: TreeNames;
  readonly places: readonly PatternMatch[];
  /** Environments and services, sorted. */
  readonly coordinates: readonly Coordinates[];
  /** Files that the layout looks into and that cannot be parsed. */
  readonly unreadable: readonly string[];
}

export async function checkedTree(view: TreeView, layout: Layout): Promise<CheckedTree> {
  const files = await walkFiles(view, '');
  const unreadable = new Set<string>();
  const coordinates = await discover(view, layout, {}, unreadable);
  return {
    view,
    layout,
    files,
    names: namesOf(files.map(({ path }) => path)),
    places: await patternMatches(view, layout),
    coordinates,
    unreadable: [...unreadable].sort(),
  };
}

type Said = Omit<Check, 'area' | 'name' | 'status'>;

export const configuration = (name: string, status: Check['status'], said: Said): Check => ({
  area: 'configuration',
  name,
  status,
  ...said,
});

/** `a, b, c and 4 more` */
export function some(items: readonly string[], limit = 3): string {
  const rest = items.length - limit;
  return rest > 0 ? `${items.slice(0, limit).join(', ')} and ${rest} more` : items.join(', ');
}

/** `1 file`, `3 files` */
export function count(number: number, noun: string): string {
  const plural = /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number} ${number === 1 ? noun : plural}`;
}

export const nameOf = ({ environment = '', ...rest }: Bindings) =>
  formatCoordinates({ ...rest, environment });

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), group);
    group.push(item);
  }
  return groups;
}
