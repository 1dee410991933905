/** The defaults that an API server adds to what is declared, as `kubectl get -o json` shows them. */
import type { KubernetesObject } from '../server/types.ts';

/** Declared fields stay as they are. */
export function withDefaults(object: KubernetesObject): KubernetesObject {
  const spec = record(object['spec']);
  const defaults = DEFAULTS[object.kind];
  if (spec === null || defaults === undefined) return object;
  const template = record(spec['template']);
  return {
    ...object,
    spec: {
      ...defaults,
      ...spec,
      ...(template !== null && { template: { ...template, spec: podSpec(record(template['spec']) ?? {}) } }),
      ...(object.kind === 'Pod' && podSpec(spec)),
      ...(object.kind === 'Service' && {
        ports: listOf(spec['ports']).map((port) => ({ protocol: 'TCP', ...port })),
      }),
    },
  };
}

const DEFAULTS: Readonly<Record<string, object>> = {
  Deployment: {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
  },
  StatefulSet: {
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
  },
  DaemonSet: {
    revisionHistoryLimit: 10,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
  },
  Job: {
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    completions: 1,
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: 'TerminatingOrFailed',
    suspend: false,
  },
  Pod: {},
  Service: {
    clusterIP: '10.96.0.20',
    clusterIPs: ['10.96.0.20'],
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    sessionAffinity: 'None',
    type: 'ClusterIP',
  },
};

const podSpec = (spec: Record<string, unknown>) => ({
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  ...spec,
  containers: listOf(spec['containers']).map((container) => ({
    imagePullPolicy: 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...container,
    ...('ports' in container && {
      ports: listOf(container['ports']).map((port) => ({ protocol: 'TCP', ...port })),
    }),
  })),
});

const record = (value: unknown): Record<string, unknown> | null => (isRecord(value) ? value : null);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const listOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];
