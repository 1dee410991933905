import { Application } from '@kubernetes-models/argo-cd/argoproj.io/v1alpha1/Application';
import { HelmRelease } from '@kubernetes-models/flux-cd/helm.toolkit.fluxcd.io/v2beta2/HelmRelease';
import { Kustomization } from '@kubernetes-models/flux-cd/kustomize.toolkit.fluxcd.io/v1/Kustomization';
import { GitRepository } from '@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/GitRepository';
import { OCIRepository } from '@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1beta2/OCIRepository';
import { ControllerRevision } from 'kubernetes-models/apps/v1/ControllerRevision';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { ReplicaSet } from 'kubernetes-models/apps/v1/ReplicaSet';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Event } from 'kubernetes-models/v1/Event';
import { Pod } from 'kubernetes-models/v1/Pod';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, it } from 'vitest';
import { type ClusterObjects, clusterObjects } from '../cluster-objects.ts';
import { autoscaled, handEditedReplicas, hugeNamespace } from '../drift.ts';
import { releaseOf } from '../release.ts';
import * as scenes from '../scenes.ts';
import type { KubernetesObject } from '../server/types.ts';
import { argoApplication, FINISHED, STARTED } from './argo-application.ts';
import { applyReconciled, gitRepository, kustomization, ociRepository } from './flux.ts';
import { helmRelease } from './helm-release.ts';
import { autoscaler, configMap, daemonSet, deployment, job, pod, service, statefulSet } from './manifests.ts';
import { deploy, rollout, type RolloutState } from './rollout.ts';

/** The schemas of HelmRelease and OCIRepository are those before the version that Flux serves now, which no package for Node 20 has. */
const MODELS = {
  Application,
  ConfigMap,
  ControllerRevision,
  DaemonSet,
  Deployment,
  Event,
  GitRepository,
  HelmRelease,
  HorizontalPodAutoscaler,
  Job,
  Kustomization,
  OCIRepository,
  Pod,
  ReplicaSet,
  Service,
  StatefulSet,
};
const BEFORE: Readonly<Record<string, string>> = {
  HelmRelease: 'helm.toolkit.fluxcd.io/v2beta2',
  OCIRepository: 'source.toolkit.fluxcd.io/v1beta2',
};
const { flapping, overtaken, ...rest } = scenes;
const STATES_OF_A_RELEASE = {
  ...rest,
  overtaken: (of: ClusterObjects) => overtaken(of, 'c'.repeat(40)),
  flapping: (of: ClusterObjects) => flapping(of, undefined, 2)[1]?.(),
  handEditedReplicas,
  autoscaled,
  hugeNamespace: (of: ClusterObjects) => hugeNamespace(of, 3),
};
const STATES: readonly RolloutState[] = [
  'slow',
  'live',
  'unschedulable',
  'stuck-image-pull',
  'crash',
  'unready',
];
const WORKLOADS = {
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  Job: job,
  Pod: pod,
};
const COMMIT = 'a'.repeat(40);

const cluster = clusterObjects();

describe('objects of the cluster are valid by the schemas of @kubernetes-models', () => {
  it.each(Object.entries(WORKLOADS))('%s in every state, with its pods, revisions and events', (_, make) => {
    for (const state of STATES) {
      const [name, namespace] = ['web', `state-${state}`];
      deploy(cluster, make({ name, namespace, image: 'registry.example.com/web:1' }));
      deploy(cluster, make({ name, namespace, image: 'registry.example.com/web:2' }), state);
      deploy(cluster, make({ name: 'first', namespace }), state);
    }
    const made = Object.keys(MODELS).flatMap((kind) => cluster.objects(kind));
    expect(made.length).toBeGreaterThan(STATES.length);
    expect(made.flatMap(problemsOf)).toEqual([]);
  });

  it('what a service has besides', () => {
    expect(
      [autoscaler(), configMap(), service()].map((object) => cluster.apply(object)).flatMap(problemsOf),
    ).toEqual([]);
  });

  it('Applications of Argo CD, with one source and with several, settled and not', () => {
    const source = { repoURL: 'https://git.example.com/platform.git', revision: COMMIT };
    const options = [
      {},
      {
        sources: [
          { ...source, path: 'a' },
          { repoURL: 'https://charts.example.com', chart: 'web', revision: '1.2.3' },
        ],
      },
      { operationState: null, operation: COMMIT },
      { operationState: { phase: 'Running', finishedAt: null, message: 'waiting for completion of hook' } },
      {
        sync: 'OutOfSync',
        resources: [{ kind: 'Service', name: 'old', status: 'OutOfSync', requiresPruning: true }],
      },
      { health: 'Degraded', conditions: [{ type: 'ComparisonError', message: 'repository not found' }] },
    ] as const;
    const made = options.map((each) => cluster.apply(argoApplication({ revision: COMMIT, ...each })));
    expect(made.flatMap(problemsOf)).toEqual([]);
  });

  it('custom resources of Flux', () => {
    const revision = `main@sha1:${COMMIT}`;
    const states = ['released', 'upgrading', 'failed', 'remediated', 'exhausted'] as const;
    const made = [
      gitRepository({ revision }),
      ociRepository({ revision: `latest@sha256:${'b'.repeat(64)}`, originRevision: revision }),
      kustomization({ revision }),
      kustomization({
        revision: null,
        name: 'new',
        ready: { status: 'Unknown', message: 'Reconciliation in progress' },
      }),
      kustomization({ revision, name: 'waits', wait: true, originRevision: revision }),
      ...states.map((to) => helmRelease({ name: to, to })),
    ].map((object) => applyReconciled(cluster, object));
    expect(made.flatMap(problemsOf)).toEqual([]);
    expect(
      made.every(({ metadata, status }) =>
        JSON.stringify(status).includes(`"observedGeneration":${metadata.generation}`),
      ),
    ).toBe(true);
  });

  it('of every scene, one after the other', () => {
    for (const scene of Object.values(STATES_OF_A_RELEASE)) {
      scene(cluster);
      const made = Object.keys(MODELS).flatMap((kind) => cluster.objects(kind));
      expect(made.flatMap(problemsOf)).toEqual([]);
    }
  });

  it('and a wrong one is not', () => {
    const wrong = { ...deployment(), spec: { replicas: 'three' } };
    expect(problemsOf(wrong)).not.toEqual([]);
    expect(problemsOf({ ...argoApplication({ revision: COMMIT }), spec: {} })).not.toEqual([]);
  });
});

describe('a scene', () => {
  const pods = () =>
    cluster
      .objects('Pod', 'shop')
      .map(({ status }) => (JSON.stringify(status).includes('ImagePullBackOff') ? 'pulls' : 'other'));

  it('is the same from whatever was before it', () => {
    for (const before of [scenes.pending, scenes.crashing, scenes.pruned]) {
      before(cluster);
      scenes.stuckOnImagePull(cluster);
      expect(pods().toSorted()).toEqual(['other', 'other', 'other', 'pulls']);
      expect(cluster.object('Deployment', 'shop', 'web')?.['status']).toMatchObject({
        updatedReplicas: 1,
        readyReplicas: 3,
      });
    }
  });

  it('says what its name says', () => {
    const ours = releaseOf().current.commit;
    const told = (scene: (of: ClusterObjects) => void) => {
      scene(cluster);
      return ['Application', 'Kustomization'].map(
        (kind) => cluster.objects(kind).find(({ metadata }) => metadata.name.startsWith('shop-'))?.['status'],
      );
    };
    const [stale] = told(scenes.staleCache);
    expect(stale).toMatchObject({
      reconciledAt: STARTED,
      operationState: { finishedAt: FINISHED, syncResult: { revision: ours } },
    });
    const [older, waiting] = told(scenes.olderOperationRunning);
    expect(older).toMatchObject({
      sync: { revision: ours },
      operationState: { phase: 'Running', syncResult: { revision: releaseOf().former.commit } },
    });
    expect(older).not.toHaveProperty('operationState.finishedAt');
    expect(waiting).toMatchObject({
      conditions: [{ type: 'Ready', status: 'Unknown' }, { type: 'Reconciling' }],
    });
    const [several] = told(scenes.severalSources);
    expect(several).toMatchObject({
      sync: { revisions: ['1.2.3', ours] },
      operationState: { syncResult: { revision: '' } },
    });
    expect(several).not.toHaveProperty('sync.revision');
    const [, slow] = told(scenes.slow);
    expect(slow).toMatchObject({
      lastAttemptedRevision: `main@sha1:${ours}`,
      lastAppliedRevision: `main@sha1:${releaseOf().former.commit}`,
    });
    const [unsynced] = told(scenes.outOfSyncForAnotherReason);
    expect(unsynced).toMatchObject({
      sync: { status: 'OutOfSync', revision: ours },
      health: { status: 'Healthy' },
    });
  });

  it('leaves nothing of a service that is pruned', () => {
    scenes.pruned(cluster);
    expect(pods()).toEqual([]);
    expect(cluster.object('Deployment', 'shop', 'web')).toBeNull();
  });
});

describe('a rollout', () => {
  const count = (namespace: string) => {
    const pods = cluster.objects('Pod', namespace).map((each) => JSON.stringify(each));
    const having = (text: string) => pods.filter((each) => each.includes(text)).length;
    return {
      all: pods.length,
      old: having(':1"'),
      ready: having('"phase":"Running"'),
      pulling: having('ImagePullBackOff'),
    };
  };
  const web = (namespace: string, tag: number) =>
    deployment({ namespace, image: `registry.example.com/web:${tag}` });

  it('keeps the pods before it until its own are ready', () => {
    deploy(cluster, web('steps', 1));
    deploy(cluster, web('steps', 2), 'stuck-image-pull');
    expect(count('steps')).toEqual({ all: 4, old: 3, ready: 3, pulling: 1 });
    rollout(cluster, { kind: 'Deployment', namespace: 'steps', name: 'web' }, { to: 'live' });
    expect(count('steps')).toEqual({ all: 3, old: 0, ready: 3, pulling: 0 });
  });

  it('counts generations by the spec alone, and is not seen before its controller looks', () => {
    deploy(cluster, web('seen', 1));
    const { metadata, status } = deploy(cluster, web('seen', 2), 'unseen');
    expect(metadata.generation).toBe(2);
    expect(status).toMatchObject({ observedGeneration: 1 });
  });
});

/** By the schema of its kind; the API server has other versions of some. */
function problemsOf(object: KubernetesObject): string[] {
  const Model = Object.entries(MODELS).find(([kind]) => kind === object.kind)?.[1];
  if (Model === undefined) return [`${object.kind} has no schema here`];
  const given = { ...object, apiVersion: BEFORE[object.kind] ?? object.apiVersion };
  const model = Object.assign(new Model(), given);
  try {
    model.validate();
    return [];
  } catch (error) {
    return [`${object.kind} ${object.metadata.name}: ${String(error)}`];
  }
}
