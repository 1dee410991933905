import { describe, expect, it } from 'vitest';
import { nudgeTargets } from '../../../../engine/live/watch/nudge-targets.ts';
import type { Clusters, LiveRule, LiveTarget } from '../../../../engine/model/index.ts';
import { commit } from './scene.ts';

const START = Date.parse('2026-11-01T00:00:00Z');

const FLUX = { kustomization: '{service}', helmRelease: null, namespace: 'flux-system' };
const ARGOCD = { application: '{service}', namespace: 'argocd' };

const watched = (service: string, rule: Partial<LiveRule>) => {
  const target: LiveTarget = {
    environment: 'prod',
    service,
    rule: {
      match: '**',
      cluster: 'prod-eu',
      withinMs: 60_000,
      nudge: true,
      argocd: null,
      flux: null,
      kubernetes: null,
      ...rule,
    },
    desired: { commit: commit(1), version: 1 },
    contains: commit(1),
    next: null,
    hasArrived: false,
    since: new Date(START).toISOString(),
  };
  return { scope: `prod/${service}`, targets: [target] };
};

/** `away`: clusters that do not answer. What is said to each, in order. */
function clustersOf(away: readonly string[] = []) {
  const said: string[] = [];
  const clusters: Clusters = {
    get: (_, queries) =>
      Promise.resolve(
        queries.map(() => ({
          objects: [{ spec: { sourceRef: { kind: 'GitRepository', name: 'config' } } }],
          problem: null,
        })),
      ),
    annotate: (cluster, { kind, namespace, name }, { key, value }) => {
      said.push(`${cluster} ${kind} ${namespace ?? ''}/${name} ${key}=${value}`);
      return Promise.resolve(
        away.includes(cluster) ? { code: 'CLUSTER_AWAY', message: 'The cluster does not answer.' } : null,
      );
    },
  };
  return { clusters, said };
}

describe('a nudge', () => {
  it('makes Argo CD look, and Flux fetch before it applies', async () => {
    const { clusters, said } = clustersOf();
    expect(
      await nudgeTargets(
        clusters,
        [watched('web', { argocd: ARGOCD }), watched('api', { flux: FLUX })],
        START,
      ),
    ).toEqual([]);
    expect(said).toEqual([
      'prod-eu Application argocd/web argocd.argoproj.io/refresh=normal',
      'prod-eu GitRepository flux-system/config reconcile.fluxcd.io/requestedAt=2026-11-01T00:00:00.000Z',
      'prod-eu Kustomization flux-system/api reconcile.fluxcd.io/requestedAt=2026-11-01T00:00:00.000Z',
    ]);
  });

  it('is for those alone whose rule wants it', async () => {
    const { clusters, said } = clustersOf();
    await nudgeTargets(clusters, [watched('web', { argocd: ARGOCD, nudge: false })], START);
    expect(said).toEqual([]);
  });

  it('is said once to a cluster that is away, however many wait there, and to the others', async () => {
    const { clusters, said } = clustersOf(['prod-us']);
    const many = ['a', 'b', 'c'].map((name) => watched(name, { argocd: ARGOCD, cluster: 'prod-us' }));
    expect(await nudgeTargets(clusters, [...many, watched('d', { argocd: ARGOCD })], START)).toEqual([
      { scope: 'prod/a', message: 'prod-us, Application a: The cluster does not answer.' },
    ]);
    expect(said.map((each) => each.split(' ', 3).join(' ')).toSorted()).toEqual([
      'prod-eu Application argocd/d',
      'prod-us Application argocd/a',
    ]);
  });
});
