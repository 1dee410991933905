/** The custom resources of Flux 2, as its controllers leave them. */
import type { IKustomization } from '@kubernetes-models/flux-cd/kustomize.toolkit.fluxcd.io/v1/Kustomization';
import type { IGitRepository } from '@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/GitRepository';
import type { ClusterObjects } from '../cluster-objects.ts';
import type { KubernetesObject } from '../server/types.ts';
import { condition, type Ready, readyConditions } from './flux-conditions.ts';

interface FluxOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly suspend?: boolean;
  /** The generation that its controller has seen; `applyReconciled` gives the right one. */
  readonly observedGeneration?: number;
}

interface SourceOptions extends FluxOptions {
  readonly url?: string;
  /** `main@sha1:COMMIT`; of an OCI artifact `TAG@sha256:DIGEST`. */
  readonly revision: string;
  readonly ready?: Ready;
}

/** Applies it with a status that its controller wrote after it had seen exactly this. */
export function applyReconciled(cluster: ClusterObjects, object: KubernetesObject): KubernetesObject {
  const { kind, metadata } = cluster.apply(object);
  return cluster.patch({ kind, ...metadata }, { status: { observedGeneration: metadata.generation } });
}

export const gitRepository = (options: SourceOptions): KubernetesObject =>
  ({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: metadataOf(options, 'platform'),
    spec: {
      interval: '1m0s',
      timeout: '60s',
      url: options.url ?? 'https://git.example.com/platform.git',
      ref: { branch: 'main' },
      ...suspended(options),
    },
    status: sourceStatus(options, 'gitrepository'),
  }) satisfies IGitRepository;

/** `originRevision`: the commit that the artifact was made of. */
export const ociRepository = (
  options: SourceOptions & { readonly originRevision?: string },
): KubernetesObject => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'OCIRepository',
  metadata: metadataOf(options, 'platform'),
  spec: {
    interval: '1m0s',
    timeout: '60s',
    url: options.url ?? 'oci://registry.example.com/platform',
    ref: { tag: 'latest' },
    ...suspended(options),
  },
  status: sourceStatus(options, 'ocirepository', options.originRevision),
});

export interface KustomizationOptions extends FluxOptions {
  readonly path?: string;
  readonly source?: {
    readonly kind: 'GitRepository' | 'OCIRepository';
    readonly name: string;
    readonly namespace?: string;
  };
  /** The last one applied; `attempted`: the last one tried. null: none. */
  readonly revision: string | null;
  readonly attempted?: string;
  /** Of OCI sources: the commit that the artifact was made of. */
  readonly originRevision?: string;
  readonly ready?: Ready;
  /** It is Ready when its objects are healthy; else when they are applied. */
  readonly wait?: boolean;
  readonly healthChecks?: readonly { apiVersion: string; kind: string; namespace: string; name: string }[];
  /** `NAMESPACE_NAME_GROUP_KIND`. */
  readonly inventory?: readonly string[];
}

export function kustomization(options: KustomizationOptions): KubernetesObject {
  const { revision, attempted = revision ?? undefined, ready = {}, healthChecks, originRevision } = options;
  const applied = `Applied revision: ${revision ?? ''}`;
  const spec = {
    interval: '10m0s',
    path: options.path ?? './tenants/shop/production',
    prune: true,
    sourceRef: options.source ?? { kind: 'GitRepository', name: 'platform' },
    timeout: '5m0s',
    wait: options.wait ?? false,
    ...(healthChecks !== undefined && { healthChecks: [...healthChecks] }),
    ...suspended(options),
  } satisfies IKustomization['spec'];
  const healthy = condition({
    type: 'Healthy',
    status: 'True',
    reason: 'Succeeded',
    message: 'Health check passed in 5.1s',
  });
  const isChecked = ready.status === undefined && (spec.wait || healthChecks !== undefined);
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: metadataOf(options, 'shop-production'),
    spec,
    status: {
      observedGeneration: options.observedGeneration ?? 1,
      conditions: [
        ...readyConditions({ reason: 'ReconciliationSucceeded', message: applied, ...ready }),
        ...(isChecked ? [healthy] : []),
      ],
      inventory: {
        entries: (options.inventory ?? ['shop_web_apps_Deployment']).map((id) => ({ id, v: 'v1' })),
      },
      ...(revision !== null && { lastAppliedRevision: revision }),
      ...(attempted !== undefined && { lastAttemptedRevision: attempted }),
      ...(originRevision !== undefined && { lastAppliedOriginRevision: originRevision }),
    },
  } satisfies IKustomization;
}

const metadataOf = ({ name, namespace = 'flux-system' }: FluxOptions, fallback: string) => ({
  name: name ?? fallback,
  namespace,
});
const suspended = ({ suspend }: FluxOptions) => (suspend === undefined ? {} : { suspend });

function sourceStatus(options: SourceOptions, kind: string, originRevision?: string) {
  const { revision, ready = {}, observedGeneration = 1 } = options;
  const { name, namespace } = metadataOf(options, 'platform');
  const digest = /[0-9a-f]{40,}$/.exec(revision)?.[0] ?? '0'.repeat(64);
  const path = `${kind}/${namespace}/${name}/${digest}.tar.gz`;
  const message = `stored artifact for revision '${revision}'`;
  return {
    observedGeneration,
    artifact: {
      digest: `sha256:${digest.padEnd(64, '0')}`,
      lastUpdateTime: '2026-01-05T10:00:10Z',
      path,
      revision,
      size: 4096,
      url: `http://source-controller.flux-system.svc.cluster.local./${path}`,
      ...(originRevision !== undefined && {
        metadata: { 'org.opencontainers.image.revision': originRevision },
      }),
    },
    conditions: [
      ...readyConditions({ reason: 'Succeeded', message, ...ready }),
      condition({ type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message }),
    ],
  } satisfies IGitRepository['status'];
}
