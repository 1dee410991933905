/** Which environments own what a rollback changes: where patterns overlap, a path has several names, and each has its own rules. */
import { type EnvironmentName, type FileChange, formatCoordinates, type Scope } from '../model/index.ts';
import type { Layout } from '../layout/layout.ts';
import { readSide } from './other-parts.ts';
import { allBindings, type Bindings, type Pattern } from '../layout/pattern.ts';
import { type Part, readParts, type Snapshot } from '../snapshot/snapshot.ts';

/** The environment of the scope first, then the others that own a changed path or part, by name. */
export async function ownersOf(
  snapshot: Snapshot,
  scope: Scope,
  files: readonly FileChange[],
): Promise<EnvironmentName[]> {
  const { layout } = snapshot;
  const owners = new Map<string, EnvironmentName>();
  for (const file of files)
    for (const pattern of [...layout.environment, ...layout.service])
      for (const bindings of allBindings(pattern, file.path)) {
        const found =
          pattern.selector === null ? [bindings] : await ofParts(snapshot, file, pattern, bindings);
        for (const owner of found) add(layout, owners, owner);
      }
  const own = nameOf(scope);
  owners.delete(formatCoordinates(own));
  return [own, ...[...owners].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, owner]) => owner)];
}

function add(layout: Layout, owners: Map<string, EnvironmentName>, bindings: Bindings): void {
  const { environment, tenant } = bindings;
  if (environment === undefined) return;
  const owner = nameOf({ environment, ...(tenant !== undefined && { tenant }) });
  // What is of no service by its name is the environment's all the same.
  if (layout.isIgnored({ ...owner })) return;
  owners.set(formatCoordinates(owner), owner);
}

const nameOf = ({ tenant, environment }: EnvironmentName): EnvironmentName => ({
  ...(tenant !== undefined && { tenant }),
  environment,
});

/** The owners of the parts of a file that differ. A side that cannot be taken apart may be anybody's that the other side names. */
async function ofParts(
  snapshot: Snapshot,
  file: FileChange,
  { selector }: Pattern,
  bindings: Bindings,
): Promise<Bindings[]> {
  if (selector === null) return [];
  const sides = await Promise.all(
    [file.before, file.after].map(async (entry): Promise<readonly Part[]> => {
      const side = await readSide(snapshot, entry);
      return side === null
        ? []
        : readParts(entry?.id ?? '', side.text, { path: file.path, selector, bindings, kept: [] });
    }),
  );
  const [before = [], after = []] = sides;
  const key = (part: Part) => JSON.stringify([part.selector, part.bindings, part.source]);
  const [old, now] = [before, after].map((parts) => new Set(parts.map(key)));
  return [
    ...before.filter((part) => !now?.has(key(part))),
    ...after.filter((part) => !old?.has(key(part))),
  ].map((part) => part.bindings);
}
