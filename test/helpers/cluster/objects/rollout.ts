import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject, ObjectRef } from '../server/types.ts';
import { rollOutDaemonSet } from './daemon-set.ts';
import { withDefaults } from './defaults.ts';
import { rollOutDeployment } from './deployment.ts';
import { runJob } from './job.ts';
import { applyPod, type PodState } from './pods.ts';
import { rollOutStatefulSet } from './stateful-set.ts';
import { readTemplate } from './workload.ts';

/**
 * `unseen`: its controller has not looked yet. `slow`: on its way, nothing is wrong. A Job is complete where it is `live`, and has failed where
 * it would crash.
 */
export type RolloutState =
  | 'unseen'
  | 'slow'
  | 'live'
  | 'unschedulable'
  | 'stuck-image-pull'
  | 'crash'
  | 'unready';

export interface Rollout {
  readonly to: RolloutState;
  /** A Deployment's own deadline has passed (`ProgressDeadlineExceeded`). */
  readonly deadlineExceeded?: boolean;
  /** Of a DaemonSet. */
  readonly nodes?: number;
}

const POD_STATES: Readonly<Record<Exclude<RolloutState, 'unseen'>, PodState>> = {
  slow: 'starting',
  live: 'ready',
  unschedulable: 'unschedulable',
  'stuck-image-pull': 'image-pull',
  crash: 'crash',
  unready: 'unready',
};

/** Applies a manifest as `kubectl apply` would, with the defaults of an API server, and lets its controller act. */
export function deploy(
  cluster: ClusterObjects,
  manifest: KubernetesObject,
  to: RolloutState = 'live',
): KubernetesObject {
  const { kind, metadata } = cluster.apply(withDefaults(manifest));
  return rollout(cluster, { kind, ...metadata }, { to });
}

/** Writes what the controllers of a real cluster would have written by then: status, pods, ReplicaSets, warning events. */
export function rollout(
  cluster: ClusterObjects,
  { kind, namespace, name }: ObjectRef,
  wanted: Rollout,
): KubernetesObject {
  const object = cluster.object(kind, namespace, name);
  if (object === null) throw new Error(`There is no ${kind} ${namespace}/${name}.`);
  if (wanted.to === 'unseen') return object;
  const pods = POD_STATES[wanted.to];
  if (kind === 'Deployment')
    rollOutDeployment(cluster, object, { pods, deadlineExceeded: wanted.deadlineExceeded ?? false });
  else if (kind === 'StatefulSet') rollOutStatefulSet(cluster, object, pods);
  else if (kind === 'DaemonSet') rollOutDaemonSet(cluster, object, { pods, nodes: wanted.nodes ?? 3 });
  else if (kind === 'Job') runJob(cluster, object, pods);
  else if (kind === 'Pod') startPod(cluster, object, pods);
  return cluster.object(kind, namespace, name) ?? object;
}

function startPod(cluster: ClusterObjects, object: KubernetesObject, state: PodState): void {
  const { name, namespace = 'default', labels = {} } = object.metadata;
  applyPod(cluster, namespace, { name, state, template: readTemplate(object), owner: null, labels });
}
