/** Drift of a scope, as the branch has it now. */
import { type Clusters, type Coordinates, type Drift, formatCoordinates } from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { manifestsAt } from '../manifests.ts';
import type { DeclaredObject } from '../observer.ts';
import { requireTargets } from '../targets.ts';
import { findDrift } from './find-drift.ts';

interface DriftContext {
  readonly snapshot: Snapshot;
  readonly clusters: Clusters;
  readonly signal?: AbortSignal | undefined;
}

/** @throws LIVE_NOT_CONFIGURED where no entry of `live` matches; INTERRUPTED */
export async function driftOf(
  { snapshot, clusters, signal }: DriftContext,
  scope: Coordinates,
): Promise<Drift> {
  const { desired, targets } = await requireTargets(snapshot, scope);
  // Several rules ask for the same manifests.
  const read = new Map<string, Promise<readonly DeclaredObject[]>>();
  return findDrift({
    scope: formatCoordinates(scope),
    isWhole: scope.service === undefined,
    commit: desired.commit,
    targets,
    manifests: (target) => {
      const unit = formatCoordinates(target);
      const known = read.get(unit) ?? manifestsAt(snapshot, target, target.contains);
      read.set(unit, known);
      return known;
    },
    clusters,
    ignore: snapshot.layout.config.drift.ignore,
    signal,
  });
}
