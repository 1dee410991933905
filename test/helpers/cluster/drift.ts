/** What a cluster has that no release put there. */
import type { ClusterObjects } from './cluster-objects.ts';
import { autoscaler } from './objects/manifests.ts';
import { rollout } from './objects/rollout.ts';
import { releaseOf } from './release.ts';
import { live } from './scenes.ts';

/** Live, but for a replica count that somebody has set in the cluster. */
export function handEditedReplicas(cluster: ClusterObjects, release = releaseOf(), replicas = 5): void {
  live(cluster, release);
  const { namespace, name } = release;
  cluster.patch({ kind: 'Deployment', namespace, name }, { spec: { replicas } });
  rollout(cluster, { kind: 'Deployment', namespace, name }, { to: 'live' });
}

/** The replica count is that of a HorizontalPodAutoscaler. */
export function autoscaled(cluster: ClusterObjects, release = releaseOf()): void {
  const { namespace, name } = release;
  handEditedReplicas(cluster, release, 7);
  cluster.apply(autoscaler({ namespace, name }));
}

/** As many pods as there are, all in one namespace. */
export function hugeNamespace(cluster: ClusterObjects, pods = 10_000, namespace = 'huge'): void {
  const image = 'registry.example.com/web:1.0.0';
  for (let index = 0; index < pods; index += 1)
    cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${String(index).padStart(5, '0')}`, namespace, labels: { app: 'huge' } },
      spec: { containers: [{ name: 'web', image }] },
      status: { phase: 'Running' },
    });
}
