/** Manifests as a repository declares them: no defaults, no status. */
import type { KubernetesObject } from '../server/types.ts';

export interface WorkloadOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly image?: string;
  readonly replicas?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export const deployment = (options: WorkloadOptions = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadataOf(options),
  spec: { replicas: options.replicas ?? 3, ...templateOf(options) },
});

export const statefulSet = (options: WorkloadOptions = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: metadataOf(options),
  spec: { replicas: options.replicas ?? 3, serviceName: options.name ?? 'web', ...templateOf(options) },
});

/** `replicas` here is the number of nodes, which no manifest names. */
export const daemonSet = (options: WorkloadOptions = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: metadataOf(options),
  spec: templateOf(options),
});

export function job(options: WorkloadOptions = {}): KubernetesObject {
  const { template } = templateOf(options);
  const spec = { ...template.spec, restartPolicy: 'Never' };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadataOf(options),
    spec: { backoffLimit: 2, template: { ...template, spec } },
  };
}

export const pod = (options: WorkloadOptions = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadataOf(options), labels: labelsOf(options) },
  spec: templateOf(options).template.spec,
});

export const service = (options: WorkloadOptions = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadataOf(options),
  spec: { selector: labelsOf(options), ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

export const configMap = (
  options: Pick<WorkloadOptions, 'name' | 'namespace'> & { data?: Readonly<Record<string, string>> } = {},
): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadataOf(options),
  data: options.data ?? { LOG_LEVEL: 'info' },
});

/** What scales a Deployment of the same name. */
export const autoscaler = ({ name = 'web', namespace = 'shop' }: WorkloadOptions = {}): KubernetesObject => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name, namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  },
});

const metadataOf = ({ name = 'web', namespace = 'shop', labels }: WorkloadOptions) => ({
  name,
  namespace,
  ...(labels !== undefined && { labels }),
});

const labelsOf = ({ name = 'web' }: WorkloadOptions) => ({ app: name });

function templateOf(options: WorkloadOptions) {
  const { name = 'web', image = 'registry.example.com/web:1.0.0' } = options;
  const labels = labelsOf(options);
  const container = {
    name,
    image,
    ports: [{ containerPort: 8080 }],
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
  };
  return {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [container] } },
  };
}
