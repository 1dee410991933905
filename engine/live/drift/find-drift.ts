/** How clusters differ from what was delivered: what the manifests declare is asked for, one question a kind. */
import type { Clusters, Drift, DriftObject, LiveTarget, ObjectId } from '../../model/index.ts';
import type { DeclaredObject } from '../observer.ts';
import { askForObjects } from './ask-objects.ts';
import { compareObjects } from './compare-objects.ts';
import { extraObjects } from './extra.ts';
import { parseIgnored } from './ignored.ts';
import { readOwners } from './owners.ts';
import { type Delivered, placeObjects } from './place.ts';

export interface DriftInput {
  readonly scope: string;
  /** An environment with all its services. */
  readonly isWhole: boolean;
  readonly commit: ObjectId;
  /** Of the services of the scope, one for each rule that matches. */
  readonly targets: readonly LiveTarget[];
  readonly manifests: (target: LiveTarget) => Promise<readonly DeclaredObject[]>;
  readonly clusters: Clusters;
  /** `drift.ignore` of the configuration. */
  readonly ignore: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** @throws INTERRUPTED by its signal; what a cluster cannot be asked for is `unchecked` */
export async function findDrift(input: DriftInput): Promise<Drift> {
  const { scope, commit, ignore, isWhole } = input;
  const delivered = await readDelivered(input);
  const placed = placeObjects(delivered);
  const compared = await perCluster(
    placed,
    ({ cluster }) => cluster,
    (cluster, objects) => askForObjects(input, cluster, objects),
  );
  const objects: readonly DriftObject[] = [
    ...compareObjects(compared, { ignore: ignore.flatMap((text) => parseIgnored(text) ?? []) }),
    ...extraObjects(delivered, isWhole),
  ];
  return { scope, commit, objects };
}

async function readDelivered({
  targets,
  manifests,
  clusters,
  signal,
}: DriftInput): Promise<readonly Delivered[]> {
  const owned = await perCluster(
    targets,
    ({ rule }) => rule.cluster,
    async (cluster, own) => {
      const owners = await readOwners(clusters, { cluster, targets: own, signal });
      return own.map((target, at) => ({
        target,
        owners: owners[at] ?? { application: null, kustomization: null },
      }));
    },
  );
  const delivered: Delivered[] = [];
  // One after the other: each reads a tree.
  for (const each of owned) delivered.push({ ...each, manifests: await manifests(each.target) });
  return delivered;
}

/** Side by side: a cluster that hangs holds up no other. */
async function perCluster<Item, Result>(
  items: readonly Item[],
  clusterOf: (item: Item) => string,
  ask: (cluster: string, items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const cluster = clusterOf(item);
    const group = groups.get(cluster);
    if (group === undefined) groups.set(cluster, [item]);
    else group.push(item);
  }
  return (await Promise.all([...groups].map(([cluster, own]) => ask(cluster, own)))).flat();
}
