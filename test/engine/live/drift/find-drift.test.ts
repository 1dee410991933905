import { describe, expect, it } from 'vitest';
import { findDrift } from '../../../../engine/live/drift/find-drift.ts';
import type { ClusterObject, LiveRule, LiveTarget } from '../../../../engine/model/index.ts';
import { knownClusters } from '../../../helpers/live/clusters.ts';
import { declaredObject, deployment } from '../../../helpers/live/declared.ts';

const COMMIT = 'a'.repeat(40);

const rule = (more: Partial<LiveRule>): LiveRule => ({
  match: '*/production',
  cluster: 'prod-eu',
  withinMs: 600_000,
  nudge: false,
  argocd: null,
  flux: null,
  kubernetes: null,
  ...more,
});
const BY_KUBERNETES = rule({ kubernetes: { namespace: '{tenant}' } });
const BY_ARGOCD = rule({ argocd: { application: '{tenant}-{environment}-{service}', namespace: 'argocd' } });
const BY_FLUX = rule({ flux: { kustomization: '{tenant}', helmRelease: null, namespace: 'flux-system' } });

const target = (of: LiveRule, service = 'api'): LiveTarget => ({
  tenant: 'acme',
  environment: 'production',
  service,
  rule: of,
  desired: { commit: COMMIT, version: 3 },
  contains: COMMIT,
  next: null,
  hasArrived: false,
  since: '2026-11-20T10:00:00Z',
});

interface Scene {
  readonly rules?: readonly LiveRule[];
  readonly manifests: readonly ClusterObject[];
  readonly clusters: Parameters<typeof knownClusters>[0];
  readonly ignore?: readonly string[];
  readonly isWhole?: boolean;
}

async function drift({ rules = [BY_KUBERNETES], manifests, clusters, ignore = [], isWhole = false }: Scene) {
  const known = knownClusters(clusters);
  const found = await findDrift({
    scope: 'acme/production/api',
    isWhole,
    commit: COMMIT,
    targets: rules.map((each) => target(each)),
    manifests: async () => manifests.map((value) => declaredObject(value)),
    clusters: known,
    ignore,
  });
  return { ...found, asked: known.asked };
}

const states = ({
  objects,
}: {
  readonly objects: readonly { readonly kind: string; readonly state: string }[];
}) => objects.map(({ kind, state }) => `${kind} ${state}`);

const live = (object: ClusterObject, namespace = 'acme'): ClusterObject => ({
  ...object,
  metadata: { ...Object(object['metadata']), namespace },
});
const service: ClusterObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'api' },
  spec: { ports: [{ port: 80 }] },
};
const autoscaler: ClusterObject = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'api', namespace: 'acme' },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } },
};

describe('drift', () => {
  it('is told of every object of the manifests, in their order', async () => {
    const found = await drift({
      manifests: [deployment(), service],
      clusters: { 'prod-eu': [live(deployment({ replicas: 5 }))] },
    });
    expect(found).toMatchObject({ scope: 'acme/production/api', commit: COMMIT });
    expect(found.objects).toEqual([
      {
        cluster: 'prod-eu',
        kind: 'Deployment',
        namespace: 'acme',
        name: 'api',
        state: 'differs',
        fields: [{ path: '/spec/replicas', desired: 3, live: 5 }],
      },
      { cluster: 'prod-eu', kind: 'Service', namespace: 'acme', name: 'api', state: 'missing', fields: [] },
    ]);
  });

  it('asks each cluster once for all of it, and for autoscalers only where replicas differ', async () => {
    const manifests = [deployment(), service];
    const { asked } = await drift({ manifests, clusters: { 'prod-eu': [live(deployment())] } });
    const kinds = asked.map(({ queries }) => queries.map(({ kind, name }) => [kind, name]));
    const objects = [
      ['Deployment', 'api'],
      ['Service', 'api'],
    ];
    expect(kinds).toEqual([objects]);
    const resized = await drift({ manifests, clusters: { 'prod-eu': [live(deployment({ replicas: 5 }))] } });
    expect(resized.asked.map(({ queries }) => queries.map(({ kind, name }) => [kind, name]))).toEqual([
      objects,
      [['HorizontalPodAutoscaler', null]],
    ]);
  });

  it('is none where an autoscaler sets the replicas', async () => {
    const clusters = { 'prod-eu': [live(deployment({ replicas: 5 })), autoscaler] };
    expect(states(await drift({ manifests: [deployment()], clusters }))).toEqual(['Deployment same']);
  });

  it('is none where the configuration lets a field differ', async () => {
    const clusters = { 'prod-eu': [live(deployment({ replicas: 5 }))] };
    const ignore = ['Deployment#/spec/replicas'];
    expect(states(await drift({ manifests: [deployment()], clusters, ignore }))).toEqual(['Deployment same']);
  });

  it('never asks for Secrets and hooks', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'api' },
      data: { password: 'aHVudGVyMg==' },
    };
    const annotations = { 'helm.sh/hook': 'pre-install' };
    const hook = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', annotations } };
    const found = await drift({ manifests: [secret, hook], clusters: { 'prod-eu': [] } });
    expect(found.objects).toMatchObject([
      { kind: 'Secret', state: 'unchecked', message: 'Secrets are never read.' },
      { kind: 'Job', state: 'unchecked', message: expect.stringContaining('helm.sh/hook') },
    ]);
    expect(found.asked).toEqual([]);
    expect(JSON.stringify(found.objects)).not.toContain('aHVudGVyMg');
  });

  it('is unchecked where nobody names a namespace, but for what has none', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme' } };
    const rules = [rule({ kubernetes: { namespace: null } })];
    const found = await drift({
      rules,
      manifests: [deployment(), namespace],
      clusters: { 'prod-eu': [namespace] },
    });
    expect(found.objects).toMatchObject([
      { state: 'unchecked', namespace: null, message: expect.stringContaining('namespace') },
      { state: 'same', namespace: null },
    ]);
  });

  it('is unchecked in a cluster that is away, and known in the others', async () => {
    const rules = [BY_KUBERNETES, { ...BY_KUBERNETES, cluster: 'prod-us' }];
    const clusters = { 'prod-eu': 'prod-eu does not answer.', 'prod-us': [live(deployment())] };
    const { objects } = await drift({ rules, manifests: [deployment()], clusters });
    expect(objects).toMatchObject([
      { cluster: 'prod-eu', state: 'unchecked', message: 'prod-eu does not answer.' },
      { cluster: 'prod-us', state: 'same' },
    ]);
  });

  it('asks for no more than ten thousand objects, and names the others', async () => {
    const manifests = Array.from({ length: 10_003 }, (_, at) => ({
      ...service,
      metadata: { name: `api-${at}` },
    }));
    const { objects, asked } = await drift({ manifests, clusters: { 'prod-eu': [] } });
    expect(asked[0]?.queries).toHaveLength(10_000);
    expect(objects).toHaveLength(10_003);
    expect(objects.at(-1)).toMatchObject({ name: 'api-10002', state: 'unchecked' });
  });
});

describe('a kind that is not Kubernetes’ own', () => {
  const issuer = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'letsencrypt' },
    spec: { a: 1 },
  };

  it('is found with a namespace and without one', async () => {
    for (const found of [issuer, live(issuer)])
      expect(states(await drift({ manifests: [issuer], clusters: { 'prod-eu': [found] } }))).toEqual([
        'ClusterIssuer same',
      ]);
    expect(states(await drift({ manifests: [issuer], clusters: { 'prod-eu': [] } }))).toEqual([
      'ClusterIssuer missing',
    ]);
  });

  it('is unchecked where it has a namespace that nobody names', async () => {
    const rules = [rule({ kubernetes: { namespace: null } })];
    const ask = (found: ClusterObject) =>
      drift({ rules, manifests: [issuer], clusters: { 'prod-eu': [found] } });
    expect(states(await ask(live(issuer)))).toEqual(['ClusterIssuer unchecked']);
    expect(states(await ask(issuer))).toEqual(['ClusterIssuer same']);
  });
});

describe('with Argo CD', () => {
  const application = (spec: object = {}, status: object = {}): ClusterObject => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'acme-production-api', namespace: 'argocd' },
    spec: { destination: { server: 'https://kubernetes.default.svc', namespace: 'acme' }, ...spec },
    status,
  });
  const found = (
    application: ClusterObject | null,
    objects: readonly ClusterObject[],
    manifests = [deployment()],
  ) =>
    drift({
      rules: [BY_ARGOCD],
      manifests,
      clusters: { 'prod-eu': [...(application ? [application] : []), ...objects] },
    });

  it('the Application says which namespace is meant, and which fields may differ', async () => {
    const ignoreDifferences = [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }];
    const objects = [live(deployment({ replicas: 5 }))];
    expect(states(await found(application(), objects))).toEqual(['Deployment differs']);
    expect(states(await found(application({ ignoreDifferences }), objects))).toEqual(['Deployment same']);
  });

  it('what is to be pruned is extra', async () => {
    const resources = [
      { kind: 'ConfigMap', namespace: 'acme', name: 'old', requiresPruning: true },
      { kind: 'ConfigMap', namespace: 'acme', name: 'kept' },
      { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'api', requiresPruning: true },
    ];
    const { objects } = await found(application({}, { resources }), [live(deployment())]);
    expect(objects).toMatchObject([
      { kind: 'Deployment', state: 'same' },
      { cluster: 'prod-eu', kind: 'ConfigMap', namespace: 'acme', name: 'old', state: 'extra', fields: [] },
    ]);
  });

  it('nothing is checked where the Application is missing, or deploys elsewhere', async () => {
    expect((await found(null, [live(deployment())])).objects).toMatchObject([
      { state: 'unchecked', message: 'prod-eu has no Application argocd/acme-production-api.' },
    ]);
    const elsewhere = application({ destination: { name: 'prod-us', namespace: 'acme' } });
    expect((await found(elsewhere, [live(deployment())])).objects).toMatchObject([
      { state: 'unchecked', message: 'Argo CD deploys it to another cluster (prod-us).' },
    ]);
  });
});

describe('with Flux', () => {
  const kustomization = (path: string, spec: object = {}): ClusterObject => ({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'acme', namespace: 'flux-system' },
    spec: { path, ...spec },
    status: {
      inventory: { entries: ['acme_api_apps_Deployment', 'acme_old__ConfigMap'].map((id) => ({ id })) },
    },
  });
  const found = (object: ClusterObject, { rules = [BY_FLUX], isWhole = true } = {}) =>
    drift({
      rules,
      isWhole,
      manifests: [deployment({}, { namespace: 'acme' })],
      clusters: { 'prod-eu': [object, live(deployment())] },
    });
  const own = kustomization('./rendered/acme/production');

  it('what it applied and the manifests do not have is extra', async () => {
    const { objects } = await found(own);
    expect(objects).toMatchObject([
      { state: 'same' },
      { kind: 'ConfigMap', namespace: 'acme', name: 'old', state: 'extra' },
    ]);
  });

  it('nothing is extra where it applies more than these manifests', async () => {
    for (const path of ['./rendered/acme', './', '', './other'])
      expect(states(await found(kustomization(path)))).toEqual(['Deployment same']);
    // Of all services, and one is asked for.
    expect(states(await found(own, { isWhole: false }))).toEqual(['Deployment same']);
    // Of all environments.
    const rules = [{ ...BY_FLUX, match: '**' }];
    expect(states(await found(own, { rules }))).toEqual(['Deployment same']);
  });

  it('its targetNamespace is that of all manifests', async () => {
    const moved = await found(kustomization('./', { targetNamespace: 'other' }));
    expect(moved.objects).toMatchObject([{ namespace: 'other', state: 'missing' }]);
  });
});
