/** Drift of a scope, as the branch has it now. */
import {
  BacktrailError,
  type Clusters,
  type Coordinates,
  type Drift,
  formatCoordinates,
} from '../../model/index.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { manifestsAt } from '../manifests.ts';
import type { DeclaredObject } from '../observer.ts';
import { desiredOf, targetsOf, unitsOf } from '../targets.ts';
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
  const name = formatCoordinates(scope);
  const desired = await desiredOf(snapshot, scope);
  const targets = await targetsOf(snapshot, await unitsOf(snapshot, scope), desired);
  if (targets.length === 0)
    throw new BacktrailError(
      'LIVE_NOT_CONFIGURED',
      `No entry of \`live\` in the configuration matches ${name}: no cluster can be asked for it.`,
    );
  // Several rules ask for the same manifests.
  const read = new Map<string, Promise<readonly DeclaredObject[]>>();
  return findDrift({
    scope: name,
    isWhole: scope.service === undefined,
    commit: desired.desired.commit,
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
