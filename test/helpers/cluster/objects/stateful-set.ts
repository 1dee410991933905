import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { type PlannedPod, type PodState, replacePods } from './pods.ts';
import { hashOf, omitZeros, ownerOf, type PodTemplate, readWorkload, type Workload } from './workload.ts';

const HASH = 'controller-revision-hash';

/** From the last pod to the first, one at a time. Where one is not ready, those before it are of the old revision, or not there yet. */
export function rollOutStatefulSet(cluster: ClusterObjects, object: KubernetesObject, pods: PodState): void {
  const workload = readWorkload(object);
  const { name, namespace, replicas } = workload;
  const former = formerRevision(cluster, workload);
  const updateRevision = applyRevision(cluster, workload);
  const isComplete = pods === 'ready' || replicas === 0;
  const planned = isComplete
    ? podsOf(
        workload,
        Array.from({ length: replicas }, () => 'ready'),
      )
    : partial(workload, former, pods);
  replacePods(cluster, { namespace, owners: [object], pods: planned });
  const count = (matches: (pod: PlannedPod) => boolean) => planned.filter(matches).length;
  const ready = count(({ state }) => state === 'ready');
  const updated = count(({ labels }) => labels[HASH] === updateRevision);
  const currentRevision = isComplete || former === null ? updateRevision : former.name;
  const status = {
    observedGeneration: workload.generation,
    replicas: planned.length,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: currentRevision === updateRevision ? updated : planned.length - updated,
    updatedReplicas: updated,
    currentRevision,
    updateRevision,
    collisionCount: 0,
  } satisfies IStatefulSet['status'];
  cluster.setStatus(
    { kind: 'StatefulSet', namespace, name },
    omitZeros(status, ['replicas', 'availableReplicas', 'collisionCount']),
  );
}

interface Revision {
  readonly name: string;
  readonly template: PodTemplate;
}

function partial(workload: Workload, former: Revision | null, state: PodState): PlannedPod[] {
  const { replicas } = workload;
  // A first start goes from the first pod to the last.
  if (former === null)
    return podsOf(workload, state === 'starting' && replicas > 1 ? ['ready', state] : [state]);
  const isReady = state === 'starting' && replicas > 1;
  const updated: PodState[] = isReady ? [state, 'ready'] : [state];
  const from = replicas - updated.length;
  const old = podsOf(
    { ...workload, template: former.template },
    Array.from({ length: from }, () => 'ready'),
    { revision: former.name },
  );
  return [...old, ...podsOf(workload, updated, { from })];
}

function podsOf(
  workload: Workload,
  states: readonly PodState[],
  { from = 0, revision = `${workload.name}-${workload.hash}` }: { from?: number; revision?: string } = {},
): PlannedPod[] {
  const { name, template, object } = workload;
  return states.map((state, index) => {
    const pod = `${name}-${from + index}`;
    const labels = { [HASH]: revision, 'statefulset.kubernetes.io/pod-name': pod };
    return { name: pod, state, template, owner: object, labels };
  });
}

function formerRevision(
  cluster: ClusterObjects,
  { name, namespace, object, hash }: Workload,
): Revision | null {
  const status = object['status'];
  const current =
    typeof status === 'object' && status !== null && 'currentRevision' in status
      ? status.currentRevision
      : null;
  if (typeof current !== 'string' || current === `${name}-${hash}`) return null;
  const revision = cluster.object('ControllerRevision', namespace, current);
  return revision === null
    ? null
    : { name: current, template: readWorkload({ ...object, spec: revision['data'] }).template };
}

function applyRevision(
  cluster: ClusterObjects,
  { name, namespace, object, template, hash }: Workload,
): string {
  const revision = `${name}-${hash}`;
  cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: revision, namespace, labels: { [HASH]: hash }, ownerReferences: [ownerOf(object)] },
    data: { template },
    revision: Number.parseInt(hashOf(revision, 4), 36) || 1,
  });
  return revision;
}
