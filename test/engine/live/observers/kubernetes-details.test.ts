import { describe, expect, it } from 'vitest';
import type { ClusterAnswer } from '../../../../engine/model/index.ts';
import { found } from './seen.ts';
import { deployment, live, configMap, observe, states } from './kubernetes-cases.ts';

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
