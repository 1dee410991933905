import type { IPod } from 'kubernetes-models/v1/Pod';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { timeOf, type Warning, warn } from './events.ts';
import { ownerOf, type PodTemplate } from './workload.ts';

/** `starting`: its container is being created; `unready`: it runs, and its probe fails. */
export type PodState =
  | 'ready'
  | 'starting'
  | 'unschedulable'
  | 'image-pull'
  | 'crash'
  | 'unready'
  | 'succeeded'
  | 'failed';

export interface PlannedPod {
  readonly name: string;
  readonly state: PodState;
  readonly template: PodTemplate;
  readonly owner: KubernetesObject | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** Of these owners there are these pods from now on, and no others; what is wrong with a pod is told by an event. */
export function replacePods(
  cluster: ClusterObjects,
  {
    namespace,
    owners,
    pods,
  }: { namespace: string; owners: readonly KubernetesObject[]; pods: readonly PlannedPod[] },
): void {
  const uids = new Set<unknown>(owners.map(({ metadata }) => metadata.uid));
  const names = new Set(pods.map(({ name }) => name));
  for (const { kind, metadata } of cluster.objects('Pod', namespace))
    if (ownersOf(metadata).some(({ uid }) => uids.has(uid)) && !names.has(metadata.name))
      cluster.remove({ kind, namespace, name: metadata.name });
  for (const planned of pods) applyPod(cluster, namespace, planned);
}

export function applyPod(cluster: ClusterObjects, namespace: string, planned: PlannedPod): void {
  const { name, template, owner, labels } = planned;
  const applied = cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...template.metadata.labels, ...labels },
      ...(owner !== null && { ownerReferences: [ownerOf(owner)] }),
    },
    spec: { ...template.spec, ...(planned.state !== 'unschedulable' && { nodeName: 'node-1' }) },
    status: podStatus(planned, timeOf(cluster)),
  });
  const { name: container, image } = containerOf(planned);
  const event = EVENTS[planned.state]?.(container, image);
  if (event !== undefined) warn(cluster, applied, event);
}

const EVENTS: Partial<Record<PodState, (container: string, image: string) => Warning>> = {
  'image-pull': (_, image) => ({
    reason: 'Failed',
    message: `Failed to pull image "${image}": rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
  }),
  unschedulable: () => ({ reason: 'FailedScheduling', message: NO_NODE, component: 'default-scheduler' }),
  crash: (container) => ({ reason: 'BackOff', message: `Back-off restarting failed container ${container}` }),
  unready: () => ({
    reason: 'Unhealthy',
    message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
  }),
};

const NO_NODE = '0/3 nodes are available: 3 Insufficient memory.';

const PHASES: Partial<Record<PodState, 'Failed' | 'Pending' | 'Succeeded'>> = {
  starting: 'Pending',
  unschedulable: 'Pending',
  'image-pull': 'Pending',
  succeeded: 'Succeeded',
  failed: 'Failed',
};

function podStatus(pod: PlannedPod, time: string): IPod['status'] & object {
  return pod.state === 'unschedulable' ? unscheduled(time) : scheduled(pod, time);
}

const unscheduled = (lastTransitionTime: string) =>
  ({
    phase: 'Pending',
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: NO_NODE,
        lastTransitionTime,
      },
    ],
    qosClass: 'Burstable',
  }) satisfies IPod['status'];

function scheduled(pod: PlannedPod, time: string) {
  const { name, image } = containerOf(pod);
  const ready = pod.state === 'ready';
  const condition = (type: string, holds: boolean, reason?: string) => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: time,
    ...(reason !== undefined && { reason, message: `containers with unready status: [${name}]` }),
  });
  const why = ready ? undefined : pod.state === 'succeeded' ? 'PodCompleted' : 'ContainersNotReady';
  return {
    phase: PHASES[pod.state] ?? 'Running',
    conditions: [
      condition('PodReadyToStartContainers', true),
      condition('Initialized', true),
      condition('Ready', ready, why),
      condition('ContainersReady', ready, why),
      condition('PodScheduled', true),
    ],
    containerStatuses: [
      {
        name,
        image,
        imageID: '',
        ready,
        started: ready || pod.state === 'unready',
        restartCount: pod.state === 'crash' ? 5 : 0,
        state: containerState(pod.state, image, time),
        lastState: pod.state === 'crash' ? { terminated: terminated(1, time) } : {},
      },
    ],
    hostIP: '10.0.0.1',
    podIP: '10.244.0.7',
    qosClass: 'Burstable',
    startTime: time,
  } satisfies IPod['status'];
}

function containerState(state: PodState, image: string, time: string) {
  if (state === 'starting') return { waiting: { reason: 'ContainerCreating' } };
  if (state === 'image-pull')
    return { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } };
  if (state === 'crash')
    return { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 2m40s restarting failed container' } };
  if (state === 'succeeded') return { terminated: terminated(0, time) };
  if (state === 'failed') return { terminated: terminated(1, time) };
  return { running: { startedAt: time } };
}

const terminated = (exitCode: number, time: string) => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: time,
  finishedAt: time,
});

const containerOf = ({ template, name }: PlannedPod) => template.spec.containers[0] ?? { name, image: '' };

const ownersOf = ({ ownerReferences }: KubernetesObject['metadata']): { uid?: unknown }[] =>
  Array.isArray(ownerReferences) ? ownerReferences : [];
