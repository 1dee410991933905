/** The states of a release that observers meet: each scene puts a cluster into one, from whatever it was in before. `trouble.ts`: what keeps them from seeing it. */
import type { ClusterObjects } from './cluster-objects.ts';
import { FINISHED, STARTED } from './objects/argo-application.ts';
import { applyReconciled, ociRepository } from './objects/flux.ts';
import { helmRelease } from './objects/helm-release.ts';
import { configMap } from './objects/manifests.ts';
import { rollout } from './objects/rollout.ts';
import {
  applyApplication,
  applyKustomization,
  begin,
  type Release,
  releaseOf,
  revisionOf,
  settle,
} from './release.ts';

type Scene = (cluster: ClusterObjects, release?: Release) => void;

/** The cluster has not seen the commit. */
export const pending: Scene = (cluster, release = releaseOf()) =>
  settle(cluster, { ...release, current: release.former }, { to: 'live' });

export const live: Scene = (cluster, release = releaseOf()) => settle(cluster, release, { to: 'live' });

/** Nothing is wrong: it takes its time. */
export const slow: Scene = (cluster, release = releaseOf()) =>
  begin(cluster, release, { to: 'slow', ...PROGRESSING });

export const stuckOnImagePull: Scene = (cluster, release = releaseOf()) =>
  begin(cluster, release, { to: 'stuck-image-pull', ...PROGRESSING });

export const unschedulable: Scene = (cluster, release = releaseOf()) =>
  begin(cluster, release, { to: 'unschedulable', ...PROGRESSING });

/** Its pods crash, and its deadline has passed. */
export const crashing: Scene = (cluster, release = releaseOf()) => {
  begin(cluster, release, { to: 'crash', ...DEGRADED });
  const { namespace, name } = release;
  rollout(cluster, { kind: 'Deployment', namespace, name }, { to: 'crash', deadlineExceeded: true });
};

/** Healthy and not, in turn: each step is a scene. */
export const flapping = (cluster: ClusterObjects, release = releaseOf(), steps = 6): (() => void)[] =>
  Array.from({ length: steps }, (_, index) => () => {
    if (index % 2 === 0) live(cluster, release);
    else settle(cluster, release, { to: 'unready', ...DEGRADED });
  });

/** A later commit than ours runs. */
export const overtaken = (cluster: ClusterObjects, later: string, release = releaseOf()): void =>
  settle(cluster, { ...release, current: { ...release.current, commit: later } }, { to: 'live' });

/** What the commit took out of the manifests is gone: the whole service. */
export const pruned: Scene = (cluster, release = releaseOf()) => {
  live(cluster, { ...release, current: release.former });
  const { namespace, name } = release;
  cluster.remove({ kind: 'Deployment', namespace, name });
  for (const kind of ['ReplicaSet', 'Pod'])
    for (const { metadata } of cluster.objects(kind, namespace))
      if (metadata.name.startsWith(`${name}-`)) cluster.remove({ kind, namespace, name: metadata.name });
  const row = { kind: 'Deployment', name, namespace, status: 'Pruned', message: 'pruned' };
  const { commit } = release.current;
  applyApplication(cluster, release, {
    resources: [],
    operationState: { revision: commit, resources: [row] },
  });
  applyKustomization(cluster, release, { inventory: [] });
};

/** Our revision runs, and the Application is out of sync by something that no release changed: an object edited by hand, another to be pruned. */
export const outOfSyncForAnotherReason: Scene = (cluster, release = releaseOf()) => {
  const { namespace } = release;
  settle(cluster, release, {
    to: 'live',
    argo: {
      sync: 'OutOfSync',
      resources: [
        { group: 'apps', kind: 'Deployment', name: release.name, namespace },
        { kind: 'ConfigMap', name: 'edited', namespace, status: 'OutOfSync' },
        { kind: 'Service', name: 'old', namespace, status: 'OutOfSync', requiresPruning: true },
      ],
    },
  });
  cluster.apply(configMap({ name: 'edited', namespace, data: { LOG_LEVEL: 'trace' } }));
};

/** What was compared is ours; what is being applied is what was before it. */
export const olderOperationRunning: Scene = (cluster, release = releaseOf()) => {
  const { former } = release;
  const message = 'waiting for completion of hook batch/Job/migrate';
  settle(cluster, { ...release, current: former }, { to: 'slow' });
  applyApplication(cluster, release, {
    sync: 'OutOfSync',
    health: 'Progressing',
    operationState: { phase: 'Running', revision: former.commit, finishedAt: null, message },
  });
  const ready = { status: 'Unknown', message: 'Running health checks' } as const;
  applyKustomization(cluster, release, { revision: revisionOf(release, former), ready });
};

/** A hook of the sync has failed: nothing of ours is applied. */
export const failedHook: Scene = (cluster, release = releaseOf()) => {
  const { former, current, namespace } = release;
  pending(cluster, release);
  const hook = {
    group: 'batch',
    kind: 'Job',
    name: 'migrate',
    namespace,
    status: 'Synced',
    hookType: 'PreSync',
    hookPhase: 'Failed',
  };
  const message =
    'one or more synchronization tasks completed unsuccessfully, reason: Job has reached the specified backoff limit';
  const resources = [{ ...hook, message: 'Job has reached the specified backoff limit' }];
  const operationState = { phase: 'Failed', revision: current.commit, message, resources } as const;
  applyApplication(cluster, release, { sync: 'OutOfSync', operationState });
  const ready = { status: 'False', reason: 'ReconciliationFailed', message: 'Job/migrate failed' } as const;
  const applied = revisionOf(release, former);
  applyKustomization(cluster, release, { revision: applied, attempted: revisionOf(release, current), ready });
};

/** The operation has finished, and the health is that from before it. */
export const staleCache: Scene = (cluster, release = releaseOf()) =>
  begin(cluster, release, {
    to: 'unseen',
    argo: { reconciledAt: STARTED, operationState: { finishedAt: FINISHED } },
  });

/** The Application takes a chart from elsewhere, and its values from our repository. `ours: false`: not even these. */
export function severalSources(
  cluster: ClusterObjects,
  release = releaseOf(),
  { ours = true }: { ours?: boolean } = {},
): void {
  const repoURL = ours ? release.repoURL : 'https://git.example.com/other.git';
  const sources = [
    { repoURL: 'https://charts.example.com', chart: 'web', targetRevision: '1.2.3', revision: '1.2.3' },
    {
      repoURL,
      targetRevision: release.branch,
      path: 'tenants/shop/production/web',
      ref: 'values',
      revision: release.current.commit,
    },
  ];
  settle(cluster, release, { to: 'live', argo: { sources } });
}

/** Flux takes an OCI artifact that was made of our commit. */
export const fromArtifact: Scene = (cluster, release = releaseOf()) => {
  live(cluster, release);
  const originRevision = revisionOf(release, release.current);
  const revision = `latest@sha256:${'d'.repeat(64)}`;
  applyReconciled(cluster, ociRepository({ revision, originRevision }));
  const source = { kind: 'OCIRepository', name: 'platform' } as const;
  applyKustomization(cluster, release, { revision, originRevision, source });
};

/** The Kustomization has applied ours, and Helm has undone the release that it made. */
export const helmRemediated: Scene = (cluster, release = releaseOf()) => {
  const { namespace, name } = release;
  live(cluster, { ...release, current: { ...release.current, image: release.former.image } });
  applyKustomization(cluster, release, {
    inventory: [`${namespace}_${name}_helm.toolkit.fluxcd.io_HelmRelease`],
    wait: false,
  });
  applyReconciled(cluster, helmRelease({ namespace, name, to: 'remediated' }));
};

const PROGRESSING = {
  argo: { health: 'Progressing' },
  flux: { ready: { status: 'Unknown', message: 'Running health checks for revision' } },
} as const;
const DEGRADED = {
  argo: { health: 'Degraded', healthMessage: 'Deployment "web" exceeded its progress deadline' },
  flux: {
    ready: {
      status: 'False',
      reason: 'HealthCheckFailed',
      message:
        "health check failed after 30s: failed early due to stalled resources: [Deployment/shop/web status: 'Failed']",
    },
  },
} as const;
