import type { IEvent } from 'kubernetes-models/v1/Event';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { hashOf } from './workload.ts';

export interface Warning {
  readonly reason: string;
  readonly message: string;
  /** Who saw it; the scheduler writes events of the newer form. */
  readonly component?: string;
}

const NEWER = ['default-scheduler'];

/** An event of type Warning, the newest of its object. */
export function warn(
  cluster: ClusterObjects,
  about: KubernetesObject,
  { reason, message, component = 'kubelet' }: Warning,
): void {
  const { name, namespace = 'default', uid = '' } = about.metadata;
  cluster.apply({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${hashOf([uid, reason, message], 16)}`, namespace },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid },
    reason,
    message,
    type: 'Warning',
    ...occurrence(timeOf(cluster), component),
  } satisfies IEvent);
}

export const timeOf = (cluster: Pick<ClusterObjects, 'now'>): string =>
  cluster
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');

/** Events of `events.k8s.io/v1`, read as `v1`, have no timestamps but `eventTime` and that of their series. */
function occurrence(time: string, component: string) {
  const reported = { reportingComponent: component, reportingInstance: 'node-1' };
  const eventTime = time.replace('Z', '.000000Z');
  if (NEWER.includes(component))
    return { ...reported, eventTime, series: { count: 3, lastObservedTime: eventTime } };
  const source = { component, host: 'node-1' };
  return { ...reported, count: 3, firstTimestamp: time, lastTimestamp: time, source };
}
