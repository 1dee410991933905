import { describe, expect, it } from 'vitest';
import { found, rule, target } from './seen.ts';
import { of, deployment, live, configMap, observe, states } from './kubernetes-cases.ts';

describe('queries', () => {
  it('asks for what was delivered, in the namespace of the manifest, or else of the rule', async () => {
    const { queries, details, observations } = await observe({
      manifests: [
        deployment(),
        { ...configMap(), metadata: { name: 'api', namespace: 'shared' } },
        { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'system:api' } },
      ],
      cluster: {
        'Deployment api': found(live(deployment())),
        'ConfigMap api': found(configMap()),
        'ClusterRole system:api': found({}),
      },
    });
    expect(queries).toEqual([
      { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'acme', name: 'api' },
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shared', name: 'api' },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        namespace: null,
        name: 'system:api',
      },
    ]);
    expect(details).toEqual([]);
    expect(observations.map(({ object, state }) => `${object}: ${state}`)).toEqual([
      'Deployment acme/api: live',
      'ConfigMap shared/api: live',
      'ClusterRole system:api: live',
    ]);
    expect(observations[0]).toEqual({
      source: 'kubernetes',
      cluster: 'prod-eu',
      object: 'Deployment acme/api',
      state: 'live',
      revision: null,
      message: '2 of 2 replicas are updated and available.',
      observedAt: '2026-11-20T10:05:00.000Z',
    });
  });

  it('never asks for Secrets, nor for what says nothing of a revision', async () => {
    const annotated = (annotations: object) => ({ ...configMap(), metadata: { name: 'x', annotations } });
    const manifests = [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' } },
      { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', metadata: { name: 'x' } },
      annotated({ 'helm.sh/hook': 'pre-upgrade' }),
      annotated({ 'argocd.argoproj.io/hook': 'PostSync' }),
      annotated({ 'config.kubernetes.io/local-config': 'true' }),
      annotated({ 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' }),
      annotated({ 'kustomize.toolkit.fluxcd.io/ssa': 'Ignore' }),
    ];
    const { queries, observations } = await observe({ manifests });
    expect(queries).toEqual([]);
    expect(observations).toMatchObject([{ state: 'unconfirmed', code: 'NOTHING_TO_SEE' }]);
  });

  it('says so where nothing was delivered', async () => {
    expect(await states({ manifests: [] })).toEqual([
      ['manifests', 'unconfirmed', 'No manifests were delivered for it, so there is nothing to look at.'],
    ]);
  });

  it('says which manifest has no namespace, and no name that Kubernetes has', async () => {
    const bare = target({ rule: rule({ kubernetes: { namespace: null } }) });
    expect(await states({ manifests: [deployment()], of: bare })).toEqual([
      [
        'Deployment api',
        'unconfirmed',
        'api.yaml names no namespace for it, and neither does `kubernetes.namespace` of `live`.',
      ],
    ]);
    const odd = [configMap('--all'), { ...configMap(), metadata: { name: 'x', namespace: '-A' } }];
    const { queries, observations } = await observe({ manifests: odd });
    expect(queries).toEqual([]);
    expect(observations.map(({ code }) => code)).toEqual(['NAME_INVALID', 'NAME_INVALID']);
    const upper = target({ tenant: 'Acme Corp', rule: of.rule });
    expect(await states({ manifests: [deployment()], of: upper })).toMatchObject([
      [
        'Deployment api',
        'unconfirmed',
        'The template {tenant} gives "Acme Corp", which is not a valid name in Kubernetes.',
      ],
    ]);
  });

  it('looks at the last of two manifests of one object, as kubectl applies it', async () => {
    expect(
      await states({
        manifests: [deployment('api:1'), deployment('api:2')],
        cluster: { 'Deployment api': found(live(deployment('api:2'))) },
      }),
    ).toMatchObject([['Deployment acme/api', 'live', expect.anything()]]);
  });
});

describe('an object', () => {
  it('is pending until the cluster has its template, however well it is', async () => {
    const before = live(deployment('api:1'));
    expect(
      await states({ manifests: [deployment('api:2')], cluster: { 'Deployment api': found(before) } }),
    ).toEqual([
      [
        'Deployment acme/api',
        'pending',
        'It is not as it was delivered: /spec/template/spec/containers/[name=api]/image.',
      ],
    ]);
  });

  it('may have other replicas, which is drift', async () => {
    const scaled = live(deployment());
    expect(
      await states({
        manifests: [deployment()],
        cluster: { 'Deployment api': found({ ...scaled, spec: { ...scaled.spec, replicas: 1 } }) },
      }),
    ).toMatchObject([['Deployment acme/api', 'live', '2 of 1 replica is updated and available.']]);
  });

  it('is pending while a variable is there that was removed, where the cluster says what was applied last', async () => {
    const former = deployment('api:2', { env: [{ name: 'FEATURE', value: 'on' }] });
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(former) };
    const cluster = { 'Deployment api': found(live(former, {}, { annotations })) };
    expect(await states({ manifests: [deployment()], cluster })).toMatchObject([
      ['Deployment acme/api', 'pending', expect.stringContaining('[name=api]/env.')],
    ]);
    expect(await states({ manifests: [former], cluster })).toMatchObject([
      ['Deployment acme/api', 'live', expect.anything()],
    ]);
    // Added by somebody else, or nobody knows by whom.
    expect(
      await states({ manifests: [deployment()], cluster: { 'Deployment api': found(live(former)) } }),
    ).toMatchObject([['Deployment acme/api', 'live', expect.anything()]]);
  });

  it('is pending where it is missing, unless it is a Job that ends by itself', async () => {
    const job = (spec: object) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate' },
      spec,
    });
    expect(await states({ manifests: [job({}), configMap()] })).toEqual([
      ['Job acme/migrate', 'pending', 'It is not there.'],
      ['ConfigMap acme/api', 'pending', 'It is not there.'],
    ]);
    const cluster = { 'ConfigMap api': found(configMap()) };
    expect(await states({ manifests: [job({ ttlSecondsAfterFinished: 60 }), configMap()], cluster })).toEqual(
      [['ConfigMap acme/api', 'live', 'It is there as it was delivered.']],
    );
    expect(await states({ manifests: [job({ ttlSecondsAfterFinished: 60 })] })).toMatchObject([
      ['manifests', 'unconfirmed', expect.anything()],
    ]);
  });

  it('is pending where its fields are others, and tells none of their values', async () => {
    const cluster = { 'ConfigMap api': found(configMap('api', { LEVEL: 'debug', PASSWORD: 'hunter2' })) };
    expect(
      await states({ manifests: [configMap('api', { LEVEL: 'info', PASSWORD: 'x' })], cluster }),
    ).toEqual([['ConfigMap acme/api', 'pending', 'It is not as it was delivered: /data/LEVEL and 1 more.']]);
    const annotations = { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' };
    const once = { ...configMap(), metadata: { name: 'api', annotations } };
    expect(await states({ manifests: [once], cluster })).toMatchObject([
      ['ConfigMap acme/api', 'live', expect.anything()],
    ]);
  });

  it('is progressing while it is being deleted', async () => {
    const object = { ...configMap(), metadata: { name: 'api', deletionTimestamp: '2026-11-20T10:00:00Z' } };
    expect(await states({ manifests: [configMap()], cluster: { 'ConfigMap api': found(object) } })).toEqual([
      ['ConfigMap acme/api', 'progressing', 'It is being deleted.'],
    ]);
  });

  it('that is a Pod may have what admission adds', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'api' },
      spec: { containers: [{ name: 'api', image: 'api:1' }], tolerations: [] },
    };
    const running = {
      ...pod,
      spec: { ...pod.spec, tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    expect(await states({ manifests: [pod], cluster: { 'Pod api': found(running) } })).toEqual([
      ['Pod acme/api', 'live', 'It runs, and is ready.'],
    ]);
  });
});
