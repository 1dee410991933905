import { describe, expect, it } from 'vitest';
import { kubernetes } from '../../../../engine/live/kubernetes.ts';
import type { ClusterAnswer } from '../../../../engine/model/index.ts';
import { context, declared, found, rule, target } from './seen.ts';

const of = target({ rule: rule({ kubernetes: { namespace: '{tenant}' } }) });

const deployment = (image = 'api:2', container: object = {}, name = 'api') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'api', image, ...container }] },
    },
  },
});
/** As a cluster has it, with a rollout that is done. */
const live = (manifest: ReturnType<typeof deployment>, status: object = {}, metadata: object = {}) => ({
  ...manifest,
  metadata: { ...manifest.metadata, namespace: 'acme', generation: 1, ...metadata },
  status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
});
const configMap = (name = 'api', data: object = { LEVEL: 'info' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

interface Scene {
  readonly manifests: readonly object[];
  /** By kind and name, or kind alone for all of a namespace. */
  readonly cluster?: Readonly<Record<string, ClusterAnswer>>;
  readonly of?: typeof of;
}

/** Asks as observeTargets does. */
async function observe({ manifests, cluster = {}, of: looked = of }: Scene) {
  const given = context({ manifests: async () => manifests.map((value) => declared(value)) });
  const answer = ({ kind, name }: { kind: string; name: string | null }) =>
    cluster[name === null ? kind : `${kind} ${name}`] ?? found();
  const queries = await kubernetes.queries(looked, given);
  const seen = { target: looked, context: given, answers: queries.map(answer) };
  const details = (await kubernetes.details?.(seen)) ?? [];
  const observations = await kubernetes.judge({ ...seen, details: details.map(answer) });
  return { queries, details, observations };
}
const states = async (scene: Scene) =>
  (await observe(scene)).observations.map(({ object, state, message }) => [object, state, message]);

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

describe('details', () => {
  const probed = deployment('api:2', { readinessProbe: { httpGet: { port: 8080 } } });
  const waiting = live(probed, { availableReplicas: 1 });
  const pod = (name: string, image: string, status: object, labels: object = { app: 'api' }) => ({
    metadata: { name, labels },
    spec: {
      // As a mesh injects and rewrites.
      containers: [
        { name: 'api', image, readinessProbe: { httpGet: { port: 15020 } } },
        { name: 'istio-proxy', image: 'proxy' },
      ],
      tolerations: [{ key: 'added' }],
    },
    status,
  });
  const container = (state: object, more: object = {}) => ({
    containerStatuses: [{ name: 'api', ready: false, state, ...more }],
  });
  const event = (kind: string, name: string, minute: number, message: string, type = 'Warning') => ({
    type,
    reason: 'FailedScheduling',
    message,
    involvedObject: { kind, name },
    lastTimestamp: `2026-11-20T10:0${minute}:00Z`,
  });
  const explain = async (
    pods: readonly object[],
    events: readonly object[] = [],
    object: object = waiting,
  ) => {
    const cluster = { 'Deployment api': found(object), Pod: found(...pods), Event: found(...events) };
    const { details, observations } = await observe({ manifests: [deployment()], cluster });
    expect(details.map(({ kind, namespace, name }) => [kind, namespace, name])).toEqual([
      ['Pod', 'acme', null],
      ['Event', 'acme', null],
    ]);
    return observations[0];
  };
  const BASE = '1 of 2 replicas are available.';

  it('are asked once a namespace, and only for what is not well', async () => {
    const two = [deployment(), deployment('api:2', {}, 'web'), deployment('api:2', {}, 'ok')];
    const { details } = await observe({
      manifests: two,
      cluster: {
        'Deployment api': found(waiting),
        'Deployment web': found(live(deployment('api:2', {}, 'web'), { updatedReplicas: 0 })),
        'Deployment ok': found(live(deployment('api:2', {}, 'ok'))),
      },
    });
    expect(details).toEqual(
      ['Pod', 'Event'].map((kind) => ({ apiVersion: 'v1', kind, namespace: 'acme', name: null })),
    );
  });

  it('name an image that cannot be pulled, which passes where the registry comes back', async () => {
    const status = container({ waiting: { reason: 'ImagePullBackOff' } });
    expect(await explain([pod('api-1', 'api:2', status)])).toMatchObject({
      state: 'progressing',
      message: `${BASE} Container api of pod api-1: ImagePullBackOff.`,
    });
  });

  it('degrade what crashes again and again, also while it runs between two crashes', async () => {
    const looping = {
      restartCount: 7,
      lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
    };
    const message = `${BASE} Container api of pod api-1: CrashLoopBackOff (last ended with OOMKilled, exit 137). 7 restarts.`;
    for (const state of [{ waiting: { reason: 'CrashLoopBackOff' } }, { running: {} }])
      expect(await explain([pod('api-1', 'api:2', container(state, looping))])).toMatchObject({
        state: 'degraded',
        code: 'CRASH_LOOP',
        message,
      });
  });

  it.each([
    [
      'crashed once or twice',
      container({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 2 }),
      'progressing',
    ],
    [
      'ended well',
      container({ running: {} }, { restartCount: 9, lastState: { terminated: { exitCode: 0 } } }),
      'progressing',
    ],
    [
      'is ready again',
      container(
        { running: {} },
        { ready: true, restartCount: 9, lastState: { terminated: { exitCode: 1 } } },
      ),
      'progressing',
    ],
    ['names no image', container({ waiting: { reason: 'InvalidImageName' } }), 'degraded'],
  ])('say of a container that %s: %s', async (_, status, state) => {
    expect(await explain([pod('api-1', 'api:2', status)])).toMatchObject({ state });
  });

  it('are of pods of the new template, and of the workload', async () => {
    const looping = container({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 7 });
    const others = [
      pod('api-0', 'api:1', looping),
      pod('web-1', 'api:2', looping, { app: 'web' }),
      {},
      { metadata: 1, status: [] },
    ];
    expect(await explain(others)).toMatchObject({ state: 'progressing', message: BASE });
  });

  it('tell the newest warning of the workload, its pods and its replica sets', async () => {
    const events = [
      event('Pod', 'api-1', 1, 'old'),
      event('ReplicaSet', 'api-5d8f7c9b6', 3, 'exceeded quota'),
      event('ReplicaSet', 'api-web-5d8f7c9b6', 4, 'of another'),
      event('Pod', 'web-1', 4, 'of another'),
      event('Deployment', 'api', 4, 'scaled', 'Normal'),
      {},
    ];
    expect((await explain([pod('api-1', 'api:2', {})], events))?.message).toBe(
      `${BASE} FailedScheduling: exceeded quota.`,
    );
    const older = events.map((each) => ({ ...each, lastTimestamp: '2026-11-20T09:00:00Z' }));
    expect((await explain([], older))?.message).toBe(BASE);
  });

  it('tell what keeps a pod from a node', async () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available.' },
    ];
    expect((await explain([pod('api-1', 'api:2', { conditions })]))?.message).toBe(
      `${BASE} Pod api-1: Unschedulable: 0/3 nodes are available.`,
    );
  });

  it('have no secret of the manifest', async () => {
    const manifest = deployment('api:2', { env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] });
    const cluster = {
      'Deployment api': found(live(manifest, { availableReplicas: 1 })),
      Event: found(event('Deployment', 'api', 4, 'command failed: psql -w hunter2')),
    };
    expect(await states({ manifests: [manifest], cluster })).toMatchObject([
      ['Deployment acme/api', 'progressing', expect.stringContaining('psql -w ***')],
    ]);
  });

  it('are missed where they may not be read, and nothing else is', async () => {
    const denied: ClusterAnswer = { objects: null, problem: { code: 'CLUSTER_DENIED', message: 'no' } };
    const cluster = { 'Deployment api': found(waiting), Pod: denied, Event: denied };
    expect(await states({ manifests: [deployment()], cluster })).toEqual([
      ['Deployment acme/api', 'progressing', BASE],
    ]);
  });
});

describe('many objects', () => {
  it('are told worst first, at most 200, and the rest summed up', async () => {
    const manifests = Array.from({ length: 10_000 }, (_, at) => configMap(`m${at}`));
    const cluster: Record<string, ClusterAnswer> = Object.fromEntries(
      manifests.map((manifest) => [`ConfigMap ${manifest.metadata.name}`, found(manifest)]),
    );
    delete cluster['ConfigMap m9000'];
    const { observations } = await observe({ manifests, cluster });
    expect(observations).toHaveLength(200);
    expect(observations[0]).toMatchObject({ object: 'ConfigMap acme/m9000', state: 'pending' });
    expect(observations[1]).toMatchObject({ object: 'ConfigMap acme/m0', state: 'live' });
    expect(observations.at(-1)).toMatchObject({
      object: '9801 more objects',
      state: 'live',
      message: '9801 live.',
    });
  });

  it('that cannot be asked for one reason are told once', async () => {
    const problem = { code: 'CLUSTER_AWAY', message: 'prod-eu does not answer.' } as const;
    const away: ClusterAnswer = { objects: null, problem };
    const manifests = [configMap('a'), configMap('b'), deployment()];
    const cluster = { 'ConfigMap a': away, 'ConfigMap b': away, 'Deployment api': away };
    expect((await observe({ manifests, cluster })).observations).toMatchObject([
      { object: '3 manifest objects', state: 'unconfirmed', ...problem },
    ]);
    expect(
      await states({ manifests, cluster: { ...cluster, 'Deployment api': found(live(deployment())) } }),
    ).toMatchObject([
      ['2 ConfigMap objects', 'unconfirmed', problem.message],
      ['Deployment acme/api', 'live', expect.anything()],
    ]);
  });
});
