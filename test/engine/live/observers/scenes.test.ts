import { describe, expect, it } from 'vitest';
import { argocd } from '../../../../engine/live/argocd.ts';
import { flux } from '../../../../engine/live/flux.ts';
import { kubernetes } from '../../../../engine/live/kubernetes.ts';
import { observeTargets } from '../../../../engine/live/observe.ts';
import type { ClusterAnswer, ObjectQuery } from '../../../../engine/model/index.ts';
import { type ClusterObjects, clusterObjects } from '../../../helpers/cluster/cluster-objects.ts';
import { deployment } from '../../../helpers/cluster/objects/manifests.ts';
import { releaseOf } from '../../../helpers/cluster/release.ts';
import * as scenes from '../../../helpers/cluster/scenes.ts';
import { commits, context, declared, found, judged, rule, target } from './seen.ts';

const { before, ours, later } = commits;
const release = releaseOf({
  former: { commit: before, image: 'registry.example.com/web:1.0.0' },
  current: { commit: ours, image: 'registry.example.com/web:2.0.0' },
});
const { namespace, name, replicas, current } = release;

/** What all three observers say of a scene. */
async function look(scene: (cluster: ClusterObjects) => void, names: Partial<typeof release> = {}) {
  const cluster = clusterObjects();
  scene(cluster);
  const answer = ({ kind, namespace, name }: ObjectQuery): ClusterAnswer => {
    const found =
      name === null
        ? cluster.objects(kind, namespace ?? '')
        : [cluster.object(kind, namespace ?? undefined, name)];
    return { objects: found.filter((object) => object !== null), problem: null };
  };
  const { application, kustomization } = { ...release, ...names };
  const of = target({
    rule: rule({
      argocd: { application, namespace: 'argocd' },
      flux: { kustomization, helmRelease: null, namespace: 'flux-system' },
      kubernetes: { namespace },
    }),
  });
  const given = context({
    isOurs: (address) => address === release.repoURL,
    manifests: async () => [declared(deployment({ namespace, name, replicas, image: current.image }))],
  });
  const [observed] = await observeTargets({
    targets: [of],
    clusters: { get: async (_, queries) => queries.map(answer) },
    contextOf: () => given,
    observers: [argocd, flux, kubernetes],
  });
  return observed?.observations ?? [];
}
const statesOf = async (scene: (cluster: ClusterObjects) => void) =>
  (await look(scene)).map(({ state }) => state).join(' ');

describe('of a release, Argo CD, Flux and its objects say', () => {
  it.each([
    ['pending', scenes.pending, 'pending pending pending'],
    ['live', scenes.live, 'live live live'],
    ['slow', scenes.slow, 'progressing progressing progressing'],
    ['stuckOnImagePull', scenes.stuckOnImagePull, 'progressing progressing progressing'],
    ['unschedulable', scenes.unschedulable, 'progressing progressing progressing'],
    ['crashing', scenes.crashing, 'degraded degraded degraded'],
    ['pruned', scenes.pruned, 'live live pending'],
    ['outOfSyncForAnotherReason', scenes.outOfSyncForAnotherReason, 'progressing live live'],
    ['olderOperationRunning', scenes.olderOperationRunning, 'progressing pending pending'],
    ['failedHook', scenes.failedHook, 'degraded degraded pending'],
    ['staleCache', scenes.staleCache, 'progressing progressing progressing'],
    ['fromArtifact', scenes.fromArtifact, 'live live live'],
  ] as const)('%s', async (_, scene, states) => {
    expect(await statesOf((cluster) => scene(cluster, release))).toBe(states);
  });

  it('overtaken, of which its objects know nothing', async () => {
    expect(await statesOf((cluster) => scenes.overtaken(cluster, later, release))).toBe(
      'overtaken overtaken live',
    );
  });

  it('healthy and not, in turn, where it flaps', async () => {
    const cluster = clusterObjects();
    const states = [];
    for (const step of scenes.flapping(cluster, release, 4))
      states.push(
        await statesOf((seen) => {
          step();
          for (const kind of ['Application', 'Kustomization', 'Deployment'])
            for (const space of ['argocd', 'flux-system', namespace])
              for (const object of cluster.objects(kind, space)) seen.apply(object);
        }),
      );
    expect(states).toEqual([
      'live live live',
      'degraded degraded progressing',
      'live live live',
      'degraded degraded progressing',
    ]);
  });

  it('what the source that is ours is at, where there are several', async () => {
    expect(await statesOf((cluster) => scenes.severalSources(cluster, release))).toBe('live live live');
    expect(await statesOf((cluster) => scenes.severalSources(cluster, release, { ours: false }))).toBe(
      'unconfirmed live live',
    );
  });
});

it('believes Helm that it undid a release, whatever its Kustomization says', async () => {
  const cluster = clusterObjects();
  scenes.helmRemediated(cluster, release);
  const kustomization = cluster.object('Kustomization', 'flux-system', release.kustomization);
  const helmRelease = cluster.object('HelmRelease', namespace, name);
  const observations = await judged(flux, {
    of: target({ rule: rule({ flux: { kustomization: 'x', helmRelease: 'y', namespace: 'flux-system' } }) }),
    answers: [found({ ...kustomization }), found({ ...helmRelease })],
  });
  expect(observations.map(({ state, code }) => [state, code])).toEqual([
    ['unconfirmed', 'HEALTH_UNKNOWN'],
    ['degraded', 'REMEDIATED'],
  ]);
});

it('tells why a release is stuck', async () => {
  const messages = async (scene: (cluster: ClusterObjects) => void) =>
    (await look(scene)).map(({ message }) => message).at(-1);
  expect(await messages((cluster) => scenes.stuckOnImagePull(cluster, release))).toMatch(/ImagePull/);
  expect(await messages((cluster) => scenes.unschedulable(cluster, release))).toMatch(
    /Unschedulable|FailedScheduling/,
  );
  expect(await messages((cluster) => scenes.crashing(cluster, release))).toMatch(
    /CrashLoopBackOff.*restarts/,
  );
});

it('says which Application and Kustomization are missing where the names are others', async () => {
  const observations = await look((cluster) => scenes.live(cluster, release), {
    application: 'other',
    kustomization: 'other',
  });
  expect(observations.map(({ state, code }) => code ?? state)).toEqual([
    'OBJECT_MISSING',
    'OBJECT_MISSING',
    'live',
  ]);
});
