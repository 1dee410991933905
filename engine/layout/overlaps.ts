/** Environments that own the same files: the policy of each applies to both, which is rarely intended. */
import { type Coordinates, formatCoordinates } from '../model/index.ts';
import type { Layout } from './layout.ts';
import { allBindings } from './pattern.ts';

export interface Overlap {
  /** The first file found with several owners. */
  readonly path: string;
  /** `acme/production`, sorted. */
  readonly environments: readonly string[];
}

/** Maximum number of files examined. */
const MAX_FILES = 20_000;

/** Each set of environments that share a file, once. `known`: environments that exist, so that other matches do not count. */
export function overlapsIn(
  layout: Layout,
  paths: readonly string[],
  known: readonly Coordinates[],
): Overlap[] {
  const names = new Set(
    known.map(({ tenant, environment }) =>
      formatCoordinates({ ...(tenant !== undefined && { tenant }), environment }),
    ),
  );
  const patterns = [...layout.environment, ...layout.service].filter(({ selector }) => selector === null);
  const found = new Map<string, Overlap>();
  for (const path of paths.slice(0, MAX_FILES)) {
    if (layout.isExcluded(path)) continue;
    const owners = new Set<string>();
    for (const pattern of patterns)
      for (const bindings of allBindings(pattern, path)) {
        const { tenant, environment } = bindings;
        if (environment === undefined || layout.isIgnored(bindings)) continue;
        const name = formatCoordinates({ ...(tenant !== undefined && { tenant }), environment });
        if (names.has(name)) owners.add(name);
      }
    const environments = [...owners].sort();
    if (environments.length > 1 && !found.has(environments.join(' ')))
      found.set(environments.join(' '), { path, environments });
  }
  return [...found.values()];
}
