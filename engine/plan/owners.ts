/** The environments that own what a rollback changes. With overlapping patterns a path has several owners, and the policy of each applies. */
import { type EnvironmentName, type FileChange, formatCoordinates, type Scope } from '../model/index.ts';
import type { Layout } from '../layout/layout.ts';
import { readSide } from './other-parts.ts';
import { allBindings, type Bindings, type Pattern } from '../layout/pattern.ts';
import { type FilePart, readParts, type Snapshot } from '../snapshot/snapshot.ts';

/** The environment of the scope first, then other owners of changed paths and parts, by name. */
export async function ownersOf(
  snapshot: Snapshot,
  scope: Scope,
  files: readonly FileChange[],
): Promise<EnvironmentName[]> {
  const own = nameOf(scope);
  const name = formatCoordinates(own);
  const others = await environmentsOf(snapshot, files);
  return [own, ...others.filter((owner) => formatCoordinates(owner) !== name)];
}

/** The environments that own changed paths and parts, by name. */
export async function environmentsOf(
  snapshot: Snapshot,
  files: readonly FileChange[],
): Promise<EnvironmentName[]> {
  const { layout } = snapshot;
  const owners = new Map<string, EnvironmentName>();
  for (const file of files)
    for (const pattern of [...layout.environment, ...layout.service])
      for (const bindings of allBindings(pattern, file.path)) {
        const fileOwners =
          pattern.selector === null ? [bindings] : await partOwners(snapshot, file, pattern, bindings);
        for (const owner of fileOwners) addOwner(layout, owners, owner);
      }
  return [...owners].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, owner]) => owner);
}

function addOwner(layout: Layout, owners: Map<string, EnvironmentName>, bindings: Bindings): void {
  const { environment, tenant } = bindings;
  if (environment === undefined) return;
  const owner = nameOf({ environment, ...(tenant !== undefined && { tenant }) });
  // A path of no service by name still belongs to the environment.
  if (layout.isIgnored({ ...owner })) return;
  owners.set(formatCoordinates(owner), owner);
}

const nameOf = ({ tenant, environment }: EnvironmentName): EnvironmentName => ({
  ...(tenant !== undefined && { tenant }),
  environment,
});

/** Owners of the parts of a file that differ. A side that cannot be parsed may belong to any owner that the other side names. */
async function partOwners(
  snapshot: Snapshot,
  file: FileChange,
  { selector }: Pattern,
  bindings: Bindings,
): Promise<Bindings[]> {
  if (selector === null) return [];
  const sides = await Promise.all(
    [file.before, file.after].map(async (entry): Promise<readonly FilePart[]> => {
      const side = await readSide(snapshot, entry);
      return side === null
        ? []
        : readParts(entry?.id ?? '', side.text, { path: file.path, selector, bindings, kept: [] });
    }),
  );
  const [before = [], after = []] = sides;
  const key = (part: FilePart) => JSON.stringify([part.selector, part.bindings, part.source]);
  const [old, now] = [before, after].map((parts) => new Set(parts.map(key)));
  return [
    ...before.filter((part) => !now?.has(key(part))),
    ...after.filter((part) => !old?.has(key(part))),
  ].map((part) => part.bindings);
}
