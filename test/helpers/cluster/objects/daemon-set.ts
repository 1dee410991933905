import type { IDaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { type PlannedPod, type PodState, replacePods } from './pods.ts';
import { hashOf, omitZeros, readWorkload, statusNumber } from './workload.ts';

const ALWAYS = ['currentNumberScheduled', 'desiredNumberScheduled', 'numberMisscheduled', 'numberReady'];

/** One node after the other; on a first start on all at once. */
export function rollOutDaemonSet(
  cluster: ClusterObjects,
  object: KubernetesObject,
  { pods, nodes }: { pods: PodState; nodes: number },
): void {
  const { name, namespace, generation, template, hash } = readWorkload(object);
  const isFirst = statusNumber(object, 'numberReady') === 0;
  const states = statesOf(pods, nodes, isFirst);
  const planned: PlannedPod[] = states.map((state, node) => {
    const isOld = state === 'old';
    const labels = { 'controller-revision-hash': isOld ? 'former' : hash };
    return {
      name: `${name}-${hashOf([name, labels, node], 5)}`,
      state: isOld ? 'ready' : state,
      template,
      owner: object,
      labels,
    };
  });
  replacePods(cluster, { namespace, owners: [object], pods: planned });
  const ready = planned.filter(({ state }) => state === 'ready').length;
  const status = {
    observedGeneration: generation,
    currentNumberScheduled: nodes,
    desiredNumberScheduled: nodes,
    numberAvailable: ready,
    numberMisscheduled: 0,
    numberReady: ready,
    numberUnavailable: nodes - ready,
    updatedNumberScheduled: states.filter((state) => state !== 'old').length,
  } satisfies IDaemonSet['status'];
  cluster.setStatus({ kind: 'DaemonSet', namespace, name }, omitZeros(status, ALWAYS));
}

function statesOf(pods: PodState, nodes: number, isFirst: boolean): (PodState | 'old')[] {
  const all = <T>(value: T) => Array.from({ length: nodes }, () => value);
  if (pods === 'ready' || isFirst) return all(pods);
  const updated: PodState[] = pods === 'starting' && nodes > 2 ? ['ready', pods] : [pods];
  return [...updated, ...all('old' as const)].slice(0, nodes);
}
