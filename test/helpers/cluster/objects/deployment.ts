import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IReplicaSet } from 'kubernetes-models/apps/v1/ReplicaSet';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { timeOf } from './events.ts';
import { type PlannedPod, type PodState, replacePods } from './pods.ts';
import { hashOf, omitZeros, ownerOf, readWorkload, statusNumber, type Workload } from './workload.ts';

const REVISION = 'deployment.kubernetes.io/revision';

interface Counts {
  /** Ready pods of the template before. */
  readonly old: number;
  readonly ready: number;
  readonly waiting: number;
}

/** One pod more than wanted, none less, as 25 % of three or fewer is rounded. `pods`: the state of new ones. */
export function rollOutDeployment(
  cluster: ClusterObjects,
  object: KubernetesObject,
  { pods, deadlineExceeded }: { pods: PodState; deadlineExceeded: boolean },
): void {
  const workload = readWorkload(object);
  const former = formerReplicaSet(cluster, workload);
  const counts = countsOf(workload.replicas, pods, former !== null);
  const current = applyReplicaSet(cluster, workload, counts);
  const sets = [current];
  const planned = podsOf({ set: current, state: 'ready', count: counts.ready }, workload);
  planned.push(
    ...podsOf({ set: current, state: pods, count: counts.waiting, after: counts.ready }, workload),
  );
  if (former !== null) {
    const scaled = scaleReplicaSet(cluster, former, counts.old);
    sets.push(scaled);
    planned.push(...podsOf({ set: scaled, state: 'ready', count: counts.old }, readWorkload(scaled)));
  }
  replacePods(cluster, { namespace: workload.namespace, owners: sets, pods: planned });
  const { kind, metadata } = object;
  const revision = current.metadata.annotations?.[REVISION];
  cluster.patch({ kind, ...metadata }, { metadata: { annotations: { [REVISION]: revision } } });
  cluster.setStatus(
    { kind, ...metadata },
    statusOf(cluster, { workload, counts, set: current, deadlineExceeded }),
  );
}

function countsOf(replicas: number, pods: PodState, hasFormer: boolean): Counts {
  if (pods === 'ready') return { old: 0, ready: replicas, waiting: 0 };
  const isMoving = pods === 'starting';
  if (!hasFormer) {
    const ready = isMoving ? Math.floor(replicas / 2) : 0;
    return { old: 0, ready, waiting: replicas - ready };
  }
  const ready = isMoving ? Math.min(1, Math.max(0, replicas - 1)) : 0;
  return { old: replicas - ready, ready, waiting: Math.min(1, replicas) };
}

/** The one of another template that has the most ready pods. */
function formerReplicaSet(
  cluster: ClusterObjects,
  { namespace, object, hash }: Workload,
): KubernetesObject | null {
  const ready = (set: KubernetesObject) => statusNumber(set, 'readyReplicas');
  return (
    replicaSetsOf(cluster, namespace, object)
      .filter((set) => set.metadata.labels?.['pod-template-hash'] !== hash && ready(set) > 0)
      .sort((a, b) => ready(b) - ready(a))[0] ?? null
  );
}

const replicaSetsOf = (cluster: ClusterObjects, namespace: string, { metadata }: KubernetesObject) =>
  cluster
    .objects('ReplicaSet', namespace)
    .filter((set) => JSON.stringify(set.metadata['ownerReferences']).includes(`"uid":"${metadata.uid}"`));

function applyReplicaSet(
  cluster: ClusterObjects,
  workload: Workload,
  { ready, waiting }: Counts,
): KubernetesObject {
  const { name, namespace, object, template, hash } = workload;
  const known = replicaSetsOf(cluster, namespace, object);
  const existing = known.find(({ metadata }) => metadata.labels?.['pod-template-hash'] === hash);
  const labels = { ...template.metadata.labels, 'pod-template-hash': hash };
  const replicas = ready + waiting;
  return cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { [REVISION]: existing?.metadata.annotations?.[REVISION] ?? String(known.length + 1) },
      ownerReferences: [ownerOf(object)],
    },
    spec: { replicas, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
    status: setStatus(replicas, ready),
  });
}

function scaleReplicaSet(
  cluster: ClusterObjects,
  { kind, metadata }: KubernetesObject,
  replicas: number,
): KubernetesObject {
  cluster.patch({ kind, ...metadata }, { spec: { replicas } });
  return cluster.setStatus({ kind, ...metadata }, setStatus(replicas, replicas));
}

const setStatus = (replicas: number, ready: number) =>
  omitZeros(
    {
      replicas,
      fullyLabeledReplicas: replicas,
      readyReplicas: ready,
      availableReplicas: ready,
      observedGeneration: 1,
    } satisfies IReplicaSet['status'],
    ['replicas'],
  );

function podsOf(
  { set, state, count, after = 0 }: { set: KubernetesObject; state: PodState; count: number; after?: number },
  { template }: Workload,
): PlannedPod[] {
  const labels = { 'pod-template-hash': set.metadata.labels?.['pod-template-hash'] ?? '' };
  return Array.from({ length: count }, (_, index) => ({
    name: `${set.metadata.name}-${hashOf([set.metadata.name, after + index], 5)}`,
    state,
    template,
    owner: set,
    labels,
  }));
}

function statusOf(
  cluster: ClusterObjects,
  known: { workload: Workload; counts: Counts; set: KubernetesObject; deadlineExceeded: boolean },
) {
  const { workload, counts, set, deadlineExceeded } = known;
  const { old, ready, waiting } = counts;
  const available = old + ready;
  const time = timeOf(cluster);
  const condition = (type: string, holds: boolean, [reason, message]: readonly [string, string]) => ({
    type,
    status: holds ? 'True' : 'False',
    reason,
    message,
    lastTransitionTime: time,
    lastUpdateTime: time,
  });
  const isAvailable = available >= workload.replicas;
  return omitZeros({
    observedGeneration: workload.generation,
    replicas: available + waiting,
    updatedReplicas: ready + waiting,
    readyReplicas: available,
    availableReplicas: available,
    unavailableReplicas: waiting,
    conditions: [
      condition('Available', isAvailable, isAvailable ? AVAILABLE : UNAVAILABLE),
      condition(
        'Progressing',
        !deadlineExceeded,
        progress(set.metadata.name, waiting === 0 && old === 0, deadlineExceeded),
      ),
    ],
  } satisfies IDeployment['status']);
}

const AVAILABLE = ['MinimumReplicasAvailable', 'Deployment has minimum availability.'] as const;
const UNAVAILABLE = ['MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'] as const;

function progress(set: string, isComplete: boolean, deadlineExceeded: boolean): readonly [string, string] {
  if (deadlineExceeded) return ['ProgressDeadlineExceeded', `ReplicaSet "${set}" has timed out progressing.`];
  if (isComplete) return ['NewReplicaSetAvailable', `ReplicaSet "${set}" has successfully progressed.`];
  return ['ReplicaSetUpdated', `ReplicaSet "${set}" is progressing.`];
}
