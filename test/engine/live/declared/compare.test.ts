import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from '../../../../engine/live/declared/compare.ts';
import { parseDuration } from '../../../../engine/live/declared/duration.ts';
import { parseQuantity } from '../../../../engine/live/declared/quantity.ts';
import { runs } from '../../../helpers/run/proof.ts';

const deployment = (container: object, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api' },
  spec: { template: { spec: { containers: [{ name: 'api', ...container }], ...spec } } },
});
const API = '/spec/template/spec/containers/[name=api]';
const paths = (declared: object, live: object) =>
  differences({ ...declared }, { ...live }).map(({ path }) => path);
const spec = (kind: string, value: object) => ({ apiVersion: 'v1', kind, spec: value });

describe('differences', () => {
  it('tells the field, what was declared and what is there', () => {
    expect(differences(deployment({ image: 'api:2' }), deployment({ image: 'api:1' }))).toEqual([
      { path: `${API}/image`, desired: 'api:2', live: 'api:1' },
    ]);
    expect(differences(deployment({ workingDir: '/srv' }), deployment({}))).toEqual([
      { path: `${API}/workingDir`, desired: '/srv' },
    ]);
  });

  it('knows what the API server adds, and what it keeps for itself', () => {
    const live = {
      ...deployment({ image: 'api:1', imagePullPolicy: 'IfNotPresent' }, { restartPolicy: 'Always' }),
      metadata: {
        name: 'api',
        uid: '1',
        resourceVersion: '7',
        annotations: { 'deployment.kubernetes.io/revision': '4' },
      },
      status: { replicas: 1 },
    };
    const exported = {
      ...deployment({ image: 'api:1' }),
      metadata: {
        name: 'api',
        uid: '2',
        creationTimestamp: null,
        annotations: { 'deployment.kubernetes.io/revision': '1' },
      },
      status: { replicas: 9 },
    };
    expect(paths(exported, live)).toEqual([]);
  });

  it('takes zero values for absent, but where these two are not the same', () => {
    const zeros = {
      args: [],
      env: [{ name: 'EMPTY', value: '' }],
      tty: false,
      resources: { limits: {} },
      stdin: null,
      lifecycle: { preStop: null },
    };
    expect(paths(deployment(zeros), deployment({ env: [{ name: 'EMPTY' }] }))).toEqual([]);
    expect(
      paths(
        deployment(
          { securityContext: { allowPrivilegeEscalation: false } },
          { volumes: [{ name: 'tmp', emptyDir: {} }] },
        ),
        deployment({ securityContext: {} }, { volumes: [{ name: 'tmp', hostPath: { path: '/tmp' } }] }),
      ),
    ).toEqual([
      `${API}/securityContext/allowPrivilegeEscalation`,
      '/spec/template/spec/volumes/[name=tmp]/emptyDir',
    ]);
    expect(paths(deployment({ tty: false }), deployment({ tty: true }))).toEqual([`${API}/tty`]);
  });

  it.each([
    ['500m', '0.5'],
    [0.5, '500m'],
    ['1', '1000m'],
    [1, '1'],
    ['1.0', '1'],
    ['1Gi', '1073741824'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1k'],
    ['100000000n', '0.1'],
  ])('takes the quantity %s for %s', (declared, live) => {
    const limits = (cpu: unknown) => deployment({ resources: { limits: { cpu } } });
    expect(paths(limits(declared), limits(live))).toEqual([]);
    expect(paths(limits(live), limits(declared))).toEqual([]);
  });

  it.each([
    ['1', '1m'],
    ['1Gi', '1G'],
    ['1M', '1m'],
    [2, '1'],
  ])('does not take the quantity %s for %s', (declared, live) => {
    const limits = (cpu: unknown) => deployment({ resources: { limits: { cpu } } });
    expect(paths(limits(declared), limits(live))).toEqual([`${API}/resources/limits/cpu`]);
  });

  it('compares durations and numbers written as text by value', () => {
    expect(paths(spec('HTTPRoute', { timeout: '60s' }), spec('HTTPRoute', { timeout: '1m0s' }))).toEqual([]);
    expect(paths(spec('HTTPRoute', { timeout: '90s' }), spec('HTTPRoute', { timeout: '1m' }))).toEqual([
      '/spec/timeout',
    ]);
    const port = (targetPort: unknown) => spec('Service', { ports: [{ port: 80, targetPort }] });
    expect(paths(port('8080'), port(8080))).toEqual([]);
    expect(paths(port('http'), port(8080))).toEqual(['/spec/ports/[port=80,protocol=TCP]/targetPort']);
  });

  it('takes text for what it is, and versions as well', () => {
    const data = (value: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', data: { TIMEOUT: value } });
    expect(paths(data('60s'), data('1m'))).toEqual(['/data/TIMEOUT']);
    const env = (value: string) => deployment({ env: [{ name: 'CPU', value }] });
    expect(paths(env('0.5'), env('500m'))).toEqual([`${API}/env/[name=CPU]/value`]);
    expect(paths(deployment({ args: ['1000m'] }), deployment({ args: ['1'] }))).toEqual([`${API}/args/0`]);
    expect(paths(spec('HelmRelease', { version: '1.10' }), spec('HelmRelease', { version: '1.1' }))).toEqual([
      '/spec/version',
    ]);
  });

  it('reads modes of files as kubectl does', () => {
    const mode = (defaultMode: number) =>
      deployment({}, { volumes: [{ name: 'keys', configMap: { name: 'keys', defaultMode } }] });
    expect(paths(mode(644), mode(0o644))).toEqual([]);
    expect(paths(mode(0o644), mode(0o644))).toEqual([]);
    expect(paths(mode(0o600), mode(0o644))).toHaveLength(1);
  });

  it('finds items by what identifies them, whatever their order and whoever added others', () => {
    const declared = deployment({
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }],
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    });
    const live = deployment({
      env: [
        { name: 'B', value: '2' },
        { name: 'X', value: '9' },
        { name: 'A', value: '0' },
      ],
      ports: [{ containerPort: 53, protocol: 'TCP' }],
      volumeMounts: [{ name: 'other', mountPath: '/tmp' }],
    });
    expect(differences(declared, live)).toEqual([
      { path: `${API}/env/[name=A]/value`, desired: '1', live: '0' },
      {
        path: `${API}/ports/[containerPort=53,protocol=UDP]`,
        desired: { containerPort: 53, protocol: 'UDP' },
      },
      { path: `${API}/volumeMounts/[mountPath=~1tmp]/name`, desired: 'tmp', live: 'other' },
    ]);
  });

  it('compares other lists as they are', () => {
    expect(paths(deployment({ args: ['a', 'b'] }), deployment({ args: ['b', 'a'] }))).toEqual([
      `${API}/args/0`,
      `${API}/args/1`,
    ]);
    const tolerations = (...keys: string[]) =>
      deployment({}, { tolerations: keys.map((key) => ({ key, operator: 'Exists' })) });
    expect(paths(tolerations('a'), tolerations('a', 'b'))).toEqual(['/spec/template/spec/tolerations']);
    // Another port that is let in is another policy.
    const policy = (...ports: object[]) => spec('NetworkPolicy', { ingress: [{ ports }] });
    expect(paths(policy({ port: 80 }), policy({ port: 80, protocol: 'TCP' }, { port: 22 }))).toEqual([
      '/spec/ingress/0/ports',
    ]);
    const twice = deployment({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    });
    expect(paths(twice, twice)).toEqual([]);
    expect(paths(twice, deployment({ env: [{ name: 'A', value: '2' }] }))).toEqual([`${API}/env`]);
  });

  it('compares nothing but metadata where the version of the API is another one', () => {
    const v1 = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { labels: { app: 'api' } },
      spec: { targetCPUUtilizationPercentage: 80 },
    };
    const v2 = { ...v1, apiVersion: 'autoscaling/v2', spec: { metrics: [] } };
    expect(paths(v1, v2)).toEqual([]);
    expect(paths(v1, { ...v2, metadata: {} })).toEqual(['/metadata/labels']);
  });

  it('leaves rules of a role that gathers others to their controller', () => {
    const role = { apiVersion: 'v1', kind: 'ClusterRole', aggregationRule: { clusterRoleSelectors: [] } };
    expect(paths({ ...role, rules: [] }, { ...role, rules: [{ verbs: ['get'] }] })).toEqual([]);
    expect(paths({ apiVersion: 'v1', rules: [] }, { apiVersion: 'v1', rules: [{ verbs: ['*'] }] })).toEqual([
      '/rules',
    ]);
  });

  it('is not led astray by what it compares', () => {
    const hostile: object = JSON.parse(
      '{"spec":{"__proto__":{"a":1},"constructor":"x","toString":1,"list":"no list"}}',
    );
    expect(paths(hostile, { spec: {} })).toEqual([
      '/spec/__proto__',
      '/spec/constructor',
      '/spec/toString',
      '/spec/list',
    ]);
    expect(paths({ spec: { list: [1], map: { a: 1 } } }, { spec: { list: { 0: 1 }, map: [1] } })).toEqual([
      '/spec/list',
      '/spec/map',
    ]);
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = { a: deep };
    expect(paths({ spec: deep }, { spec: deep })).toHaveLength(1);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, 'x']));
    expect(paths({ data: many }, { data: {} })).toHaveLength(1000);
  });
});

describe('differences of anything', () => {
  const scalar = fc.oneof(
    fc.constantFrom('500m', '1Gi', '60s', '', 'x'),
    fc.integer({ min: 0, max: 9 }),
    fc.boolean(),
    fc.constant(null),
  );
  const env = fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'C', 'D'), value: fc.string() }), {
    selector: ({ name }) => name,
  });
  const container = fc.record({
    name: fc.constant('api'),
    image: fc.constantFrom('api:1', 'api:2'),
    env,
    args: fc.array(fc.string(), { maxLength: 3 }),
    resources: fc.dictionary(
      fc.constantFrom('limits', 'requests'),
      fc.dictionary(fc.constantFrom('cpu', 'memory'), scalar),
    ),
  });
  const numRuns = { numRuns: runs(3000) };

  it('are none from itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(paths({ spec: value }, { spec: value })).toEqual([]);
      }),
      numRuns,
    );
    fc.assert(
      fc.property(container, (one) => {
        expect(paths(deployment(one), deployment(one))).toEqual([]);
      }),
      numRuns,
    );
  });

  it('are none where something was added or put in another order', () => {
    fc.assert(
      fc.property(container, fc.constantFrom('Always', 'Never'), (one, imagePullPolicy) => {
        const added = { ...one, imagePullPolicy, env: [{ name: 'Z', value: '1' }, ...one.env.toReversed()] };
        expect(paths(deployment(one), deployment(added))).toEqual([]);
      }),
      numRuns,
    );
  });

  it('name the one field that was changed', () => {
    fc.assert(
      fc.property(container, env, (one, other) => {
        const live = { ...one, env: other };
        const changed = one.env.filter(
          ({ name, value }) => !other.some((item) => item.name === name && item.value === value),
        );
        expect(paths(deployment(one), deployment(live))).toEqual(
          changed.map(({ name }) => {
            const isThere = other.some((item) => item.name === name);
            return `${API}/env/[name=${name}]${isThere ? '/value' : ''}`;
          }),
        );
      }),
      numRuns,
    );
  });
});

describe('quantities and durations', () => {
  it('are the same however they are written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 14n }), (milli) => {
        const whole = `${milli / 1000n}.${String(milli % 1000n).padStart(3, '0')}`;
        expect(parseQuantity(`${milli}m`)).toBe(parseQuantity(whole));
        expect(parseQuantity(`${milli}Ki`)).toBe(parseQuantity(String(milli * 1024n)));
        expect(parseDuration(`${milli}ms`)).toBe(parseDuration(`${milli / 1000n}s${milli % 1000n}ms`));
      }),
      { numRuns: runs(1000) },
    );
  });

  it('are nothing else', () => {
    for (const text of ['', 'm', '.', '1mm', '1 m', '0x10', '1e999', '1_0', 'Gi', '--1', '9'.repeat(41)])
      expect(parseQuantity(text)).toBeNull();
    for (const text of ['', '5', 's', '1x', '1m 2s', '1.s.', '1d', '9'.repeat(200)])
      expect(parseDuration(text)).toBeNull();
    expect(parseQuantity('-1')).toBe(-(10n ** 9n));
  });
});
