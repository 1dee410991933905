/** SHARED_CHANGED: shared files (`layout.shared`) belong to no scope, so a plan reports those that changed since its target. */
import { discover } from '../../layout/discover.ts';
import { bindPath, toBindings } from '../../layout/pattern.ts';
import { type Finding, type ObjectId, quotePath, type Scope } from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** Maximum number of files and revisions named. */
const MAX_NAMED = 10;

/** Shared files of the scope that differ from the target; the rollback does not change them. */
export async function sharedFinding(snapshot: Snapshot, scope: Scope, target: ObjectId): Promise<Finding[]> {
  const { layout, history, base } = snapshot;
  if (layout.shared.patterns.length === 0 || target === base) return [];
  const [then, now] = [await snapshot.view(target), await snapshot.view(base)];
  const services = await servicesOf(snapshot, scope, target);
  const commits = new Set<ObjectId>();
  const files = new Set<string>();
  const unchanged = new Set<string>();
  for (const pattern of layout.shared.patterns) {
    const paths = bindPath(pattern, toBindings(scope));
    for (const commit of await history.log({ tip: base, path: paths.prefix, after: target }))
      for (const { path } of commit.changes) {
        const bindings = paths.match(path);
        if (bindings === null || unchanged.has(path)) continue;
        if (bindings.service !== undefined && !services.has(bindings.service)) continue;
        if (!files.has(path)) {
          const [before, after] = [await then.entry(path), await now.entry(path)];
          if (before?.id === after?.id && before?.mode === after?.mode) {
            unchanged.add(path);
            continue;
          }
        }
        files.add(path);
        commits.add(commit.id);
      }
  }
  if (files.size === 0) return [];
  const positions = await snapshot.positions();
  const revisions = [...commits].sort((a, b) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0));
  const names = [...files].sort();
  const message = `Shared files changed since the target and are not rolled back: ${listSome(names.map(quotePath))} (${listSome(revisions.map((id) => id.slice(0, 12)))}).`;
  const hint = 'Inspect them with `git show`; restore what the target needs of them by hand.';
  const [path] = names;
  const only = names.length === 1 && path !== undefined ? { path } : {};
  return [{ code: 'SHARED_CHANGED', severity: 'warn', message, hint, ...only }];
}

/** The services of the scope on either side; empty if no shared pattern has {service}. */
async function servicesOf(
  snapshot: Snapshot,
  { tenant, environment, service }: Scope,
  target: ObjectId,
): Promise<ReadonlySet<string>> {
  const { layout, base } = snapshot;
  if (service !== undefined) return new Set([service]);
  if (!layout.shared.patterns.some(({ placeholders }) => placeholders.has('service'))) return new Set();
  const within = { ...(tenant !== undefined && { tenant }), environment };
  const scopes = await Promise.all(
    [base, target].map(async (commit) => discover(await snapshot.view(commit), layout, within)),
  );
  return new Set(scopes.flat().flatMap((coordinates) => coordinates.service ?? []));
}

function listSome(items: readonly string[]): string {
  const rest = items.length - MAX_NAMED;
  return rest > 0 ? `${items.slice(0, MAX_NAMED).join(', ')} and ${rest} more` : items.join(', ');
}
