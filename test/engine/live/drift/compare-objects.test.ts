import { describe, expect, it } from 'vitest';
import { NOTHING_IGNORED } from '../../../../engine/live/drift/application.ts';
import { type ComparedObject, compareObjects } from '../../../../engine/live/drift/compare-objects.ts';
import { parseIgnored, parseJqPath, parsePointer } from '../../../../engine/live/drift/ignored.ts';
import type { ClusterObject } from '../../../../engine/model/index.ts';
import { declaredObject, deployment, withContainer } from '../../../helpers/live/declared.ts';

const PASSWORD = '/spec/template/spec/containers/[name=api]/env/[name=DB_PASSWORD]/value';

function compared(
  declared: ClusterObject,
  live: ClusterObject | null,
  more: Partial<ComparedObject> & { readonly ignore?: readonly string[] } = {},
) {
  const { ignore = [], ...rest } = more;
  const [object] = compareObjects(
    [
      {
        cluster: 'prod-eu',
        declared: declaredObject(declared),
        namespace: 'acme',
        isNamespaced: true,
        ignored: NOTHING_IGNORED,
        why: null,
        answer: { objects: live === null ? [] : [live], problem: null },
        scaled: false,
        ...rest,
      },
    ],
    { ignore: ignore.flatMap((text) => parseIgnored(text) ?? []) },
  );
  return object;
}

describe('an object', () => {
  it('is the same where the cluster has what is declared, and more', () => {
    const env = [
      { name: 'DB_PASSWORD', value: 'hunter2-hunter2' },
      { name: 'LOG_LEVEL', value: 'info' },
    ];
    const live = {
      ...withContainer(['env'], env, withContainer(['imagePullPolicy'], 'Always')),
      status: { readyReplicas: 3 },
    };
    expect(compared(deployment(), live)).toEqual({
      cluster: 'prod-eu',
      kind: 'Deployment',
      namespace: 'acme',
      name: 'api',
      state: 'same',
      fields: [],
    });
  });

  it('differs where a declared field does, which is told with both values', () => {
    const live = deployment({ replicas: 5 });
    expect(compared(deployment(), live)).toMatchObject({
      state: 'differs',
      fields: [{ path: '/spec/replicas', desired: 3, live: 5 }],
    });
  });

  it('has no value of the cluster where the cluster has none', () => {
    const object = compared(deployment({ paused: true }), deployment());
    expect(object?.fields).toEqual([{ path: '/spec/paused', desired: true }]);
  });

  it('is missing where the cluster does not have it', () => {
    expect(compared(deployment(), null)).toMatchObject({ state: 'missing', fields: [] });
  });

  it('is not missing where it is a Job that is removed when it has ended', () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec: {} };
    expect(compared(job, null)?.state).toBe('missing');
    expect(compared({ ...job, spec: { ttlSecondsAfterFinished: 0 } }, null)?.state).toBe('unchecked');
  });

  it.each([
    ['that was not asked for', { why: 'Secrets are never read.', answer: null }, 'Secrets are never read.'],
    [
      'that its cluster could not be asked for',
      {
        answer: { objects: null, problem: { code: 'CLUSTER_AWAY', message: 'prod-eu does not answer.' } },
      } as const,
      'prod-eu does not answer.',
    ],
    [
      'that is answered in another version',
      { answer: { objects: [{ ...deployment(), apiVersion: 'apps/v2' }], problem: null } },
      'The cluster does not answer in apps/v1.',
    ],
  ])('%s is unchecked, and says why', (_, more, message) => {
    expect(compared(deployment(), null, more)).toMatchObject({ state: 'unchecked', message, fields: [] });
  });
});

describe('a field', () => {
  it('may differ where the configuration says so', () => {
    const live = deployment({ replicas: 5 });
    for (const ignore of ['/spec/replicas', 'Deployment#/spec/replicas', '/*/replicas', '/spec'])
      expect(compared(deployment(), live, { ignore: [ignore] })?.state).toBe('same');
    for (const ignore of ['StatefulSet#/spec/replicas', '/spec/replica', '/spec/replicas/0'])
      expect(compared(deployment(), live, { ignore: [ignore] })?.state).toBe('differs');
  });

  it('of an item is named by its place, by `*`, or as it is printed', () => {
    const live = withContainer(['image'], 'registry.example.com/api:v2');
    const containers = '/spec/template/spec/containers';
    for (const item of ['0', '*', '[name=api]'])
      expect(compared(deployment(), live, { ignore: [`${containers}/${item}/image`] })?.state).toBe('same');
    expect(compared(deployment(), live, { ignore: [`${containers}/1/image`] })?.state).toBe('differs');
  });

  it('that may differ may be absent with all that holds it', () => {
    const declared = deployment({}, { annotations: { 'example.com/seen': 'yes' } });
    const ignore = ['/metadata/annotations/example.com~1seen'];
    expect(compared(declared, deployment(), { ignore })?.state).toBe('same');
    const more = deployment({}, { annotations: { 'example.com/seen': 'yes', team: 'payments' } });
    expect(compared(more, deployment(), { ignore })?.fields).toHaveLength(1);
  });

  it('may differ where the Application of Argo CD says so', () => {
    const live = deployment({ replicas: 5 });
    for (const field of [
      parsePointer('/spec/replicas'),
      parseJqPath('.spec.replicas'),
      parseJqPath('.spec["replicas"]'),
    ])
      expect(
        compared(deployment(), live, { ignored: { ...NOTHING_IGNORED, fields: field ? [field] : [] } })
          ?.state,
      ).toBe('same');
  });

  it('is told with what Argo CD may mean, where that is no plain path', () => {
    const unread = ['.spec.template.spec.containers[] | select(.name == "x")'];
    const ignored = { ...NOTHING_IGNORED, unread };
    expect(compared(deployment(), deployment({ replicas: 5 }), { ignored })).toMatchObject({
      state: 'differs',
      message: expect.stringContaining(unread[0] ?? ''),
    });
    expect(compared(deployment(), deployment(), { ignored })).not.toHaveProperty('message');
  });

  it('that a manager of fields may own leaves its object unchecked', () => {
    const ignored = { ...NOTHING_IGNORED, managers: ['kube-controller-manager'] };
    expect(compared(deployment(), deployment({ replicas: 5 }), { ignored })?.state).toBe('unchecked');
    expect(compared(deployment(), deployment(), { ignored })?.state).toBe('same');
  });

  it('spec.replicas is an autoscaler’s where one targets the object', () => {
    const live = deployment({ replicas: 5 });
    expect(compared(deployment(), live, { scaled: true })?.state).toBe('same');
    expect(compared(deployment(), live, { scaled: 'prod-eu forbids it.' })).toMatchObject({
      state: 'unchecked',
      message: expect.stringContaining('prod-eu forbids it.'),
    });
    expect(compared(deployment(), live, { scaled: false })?.state).toBe('differs');
  });
});

describe('what is shown', () => {
  it('holds no secret of either side', () => {
    const live = withContainer(['env', 1, 'value'], 'tr0ub4dor-tr0ub4dor');
    const object = compared(deployment(), live);
    expect(object?.fields).toEqual([{ path: PASSWORD, desired: '***', live: '***' }]);
    expect(JSON.stringify(object)).not.toMatch(/hunter2|tr0ub4dor/);
  });

  it('holds no secret that only one side has', () => {
    const live = withContainer(['image'], 'https://jane:s3cr3t-s3cr3t@registry.example.com/api');
    const object = compared(deployment(), live);
    expect(object?.fields).toMatchObject([{ desired: '***', live: '***' }]);
    expect(JSON.stringify(object)).not.toContain('s3cr3t');
  });

  it('holds no secret of a part that is missing as a whole', () => {
    const live = withContainer(['env'], undefined);
    const object = compared(deployment(), live);
    expect(JSON.stringify(object)).toContain('LOG_LEVEL');
    expect(JSON.stringify(object)).not.toContain('hunter2');
  });

  it('holds no password that follows its option', () => {
    const args = (value: string) =>
      withContainer(['args'], ['--level', value, '--password', `${value}-${value}`]);
    const object = compared(args('debug'), args('trace'));
    expect(object?.state).toBe('differs');
    expect(JSON.stringify(object)).not.toMatch(/debug-debug|trace-trace/);
  });

  it('is cleaned and cut', () => {
    const image = `\u001b[2J\u202e${'x'.repeat(5000)}`;
    const live = withContainer(['image'], image);
    const [field] = compared(deployment(), live)?.fields ?? [];
    expect(String(field?.live)).toMatch(/^\ufffd\[2J\ufffdx+…$/);
    expect(String(field?.live).length).toBeLessThan(600);
  });

  it('is hidden where it is too large to look through', () => {
    const live = withContainer(['image'], 'x'.repeat(600_000));
    expect(compared(deployment(), live)?.fields).toMatchObject([{ desired: '***', live: '***' }]);
  });

  it('is at most a hundred fields of an object', () => {
    const labels = (value: string) =>
      Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`label-${at}`, value]));
    const object = compared(deployment({}, { labels: labels('a') }), deployment({}, { labels: labels('b') }));
    expect(object?.fields).toHaveLength(100);
    expect(object?.message).toBe('50 more fields differ.');
  });

  it('does not take a prototype for a field', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one
    const hostile = JSON.parse('{"__proto__":{"polluted":"yes"},"constructor":"x"}') as ClusterObject;
    const object = compared(deployment({}, { labels: hostile }), deployment());
    expect(object?.state).toBe('differs');
    expect({}).not.toHaveProperty('polluted');
  });
});
