/** One release that Argo CD, Flux and the API server all tell of. */
import type { ClusterObjects } from './cluster-objects.ts';
import { argoApplication } from './objects/argo-application.ts';
import type { ArgoApplicationOptions } from './objects/argo-options.ts';
import { applyReconciled, gitRepository, kustomization, type KustomizationOptions } from './objects/flux.ts';
import { deployment } from './objects/manifests.ts';
import { deploy, type RolloutState } from './objects/rollout.ts';

export interface Release {
  readonly namespace: string;
  /** Of the Deployment. */
  readonly name: string;
  readonly application: string;
  readonly project: string;
  readonly kustomization: string;
  readonly repoURL: string;
  readonly branch: string;
  readonly replicas: number;
  /** What ran before, and what is to run now. */
  readonly former: Revision;
  readonly current: Revision;
}

interface Revision {
  readonly commit: string;
  readonly image: string;
}

export const releaseOf = (options: Partial<Release> = {}): Release => ({
  namespace: 'shop',
  name: 'web',
  application: 'shop-production-web',
  project: 'shop',
  kustomization: 'shop-production',
  repoURL: 'https://git.example.com/platform.git',
  branch: 'main',
  replicas: 3,
  former: { commit: 'a'.repeat(40), image: 'registry.example.com/web:1.0.0' },
  current: { commit: 'b'.repeat(40), image: 'registry.example.com/web:2.0.0' },
  ...options,
});

export interface Settled {
  readonly to: RolloutState;
  readonly argo?: Partial<ArgoApplicationOptions>;
  readonly flux?: Partial<KustomizationOptions>;
}

/** From what ran before it: its pods are there until the new ones are ready. Flux has tried ours, and applied what was before it. */
export function begin(
  cluster: ClusterObjects,
  release: Release,
  { to, argo = {}, flux = {} }: Settled,
): void {
  settle(cluster, { ...release, current: release.former }, { to: 'live' });
  const applied = revisionOf(release, release.former);
  settle(cluster, release, {
    to,
    argo,
    flux: { revision: applied, attempted: revisionOf(release, release.current), ...flux },
  });
}

export function settle(
  cluster: ClusterObjects,
  release: Release,
  { to, argo = {}, flux = {} }: Settled,
): void {
  const { namespace, name, replicas, current } = release;
  deploy(cluster, deployment({ namespace, name, replicas, image: current.image }), to);
  applyApplication(cluster, release, argo);
  applyKustomization(cluster, release, flux);
}

export function applyApplication(
  cluster: ClusterObjects,
  release: Release,
  options: Partial<ArgoApplicationOptions>,
): void {
  const { application, project, repoURL, branch, current, name, namespace } = release;
  const resources = [{ group: 'apps', kind: 'Deployment', name, namespace }];
  const usual = {
    name: application,
    project,
    repoURL,
    targetRevision: branch,
    revision: current.commit,
    resources,
  };
  cluster.apply(argoApplication({ ...usual, ...options }));
}

export function applyKustomization(
  cluster: ClusterObjects,
  release: Release,
  options: Partial<KustomizationOptions>,
): void {
  const revision = revisionOf(release, release.current);
  const { kustomization: name, repoURL: url, namespace } = release;
  applyReconciled(cluster, gitRepository({ url, revision }));
  const inventory = [`${namespace}_${release.name}_apps_Deployment`];
  applyReconciled(cluster, kustomization({ name, revision, wait: true, inventory, ...options }));
}

export const revisionOf = ({ branch }: Release, { commit }: Revision) => `${branch}@sha1:${commit}`;
