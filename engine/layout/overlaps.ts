/** Environments that own the same files: the rules of each apply to both, which is seldom meant. */
import { type Coordinates, formatCoordinates } from '../model/index.ts';
import type { Layout } from './layout.ts';
import { allBindings } from './pattern.ts';

export interface Overlap {
  /** The first file that was found to have several. */
  readonly path: string;
  /** `acme/production`, sorted. */
  readonly environments: readonly string[];
}

/** Files that are looked at. */
const FILES = 20_000;

/** Each set of environments that share a file, once. `known`: what the layout finds, so that no other reading of a name counts. */
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
  for (const path of paths.slice(0, FILES)) {
    if (layout.isOwn(path)) continue;
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
