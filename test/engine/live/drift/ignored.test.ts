import { describe, expect, it } from 'vitest';
import { applicationRules } from '../../../../engine/live/drift/application.ts';
import { parseJqPath } from '../../../../engine/live/drift/ignored.ts';
import { kustomizationRules } from '../../../../engine/live/drift/kustomization.ts';

describe('a path of jq', () => {
  it.each([
    ['.spec.replicas', ['spec', 'replicas']],
    ['.spec.template.spec.containers[].image', ['spec', 'template', 'spec', 'containers', null, 'image']],
    ['.spec.containers[0].image', ['spec', 'containers', '0', 'image']],
    ['.metadata.annotations["example.com/seen"]', ['metadata', 'annotations', 'example.com/seen']],
    ['.metadata.annotations."example.com/seen"', ['metadata', 'annotations', 'example.com/seen']],
    ['.metadata.labels.["a\\"b"]', ['metadata', 'labels', 'a"b']],
  ])('%s is plain', (text, keys) => {
    expect(parseJqPath(text)?.keys).toEqual(keys);
  });

  it.each([
    '',
    '.',
    '..',
    '.spec.containers[] | select(.name == "x")',
    '.spec.foo?',
    '.spec.foo,.spec.bar',
    '.spec.items[1:2]',
    'paths',
    `.${'a.'.repeat(5000)}`,
  ])('%s is no plain path', (text) => {
    expect(parseJqPath(text)).toBeNull();
  });
});

describe('an Application', () => {
  const of = (...ignoreDifferences: object[]) => applicationRules({ spec: { ignoreDifferences } });
  const api = { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'api' };
  const jsonPointers = ['/spec/replicas'];

  it('is read up to some paths, and says that there are more', () => {
    const many = Array.from({ length: 200 }, (_, at) => `/spec/${at}`);
    const { fields, unread } = of(
      ...Array.from({ length: 1000 }, () => ({ kind: '*', group: '*', jsonPointers: many })),
    ).ignoredOf(api);
    expect(fields).toHaveLength(500);
    expect(unread[0]).toBe('more than 500 paths');
  });

  it.each([
    [{ group: 'apps', kind: 'Deployment' }, true],
    [{ group: '*', kind: '*' }, true],
    [{ group: 'a*', kind: 'D*ment' }, true],
    [{ group: 'apps', kind: 'Deployment', name: 'api', namespace: 'acme' }, true],
    [{ group: '', kind: 'Deployment' }, false],
    [{ kind: 'Deployment' }, false],
    [{ group: 'apps', kind: 'StatefulSet' }, false],
    [{ group: 'apps', kind: 'D*x*ment' }, false],
    [{ group: 'apps', kind: 'Deployment', name: 'web' }, false],
    [{ group: 'apps', kind: 'Deployment', namespace: 'other' }, false],
  ])('ignores by %j: %s', (entry, isIgnored) => {
    expect(of({ ...entry, jsonPointers }).ignoredOf(api).fields).toHaveLength(isIgnored ? 1 : 0);
  });

  it('keeps apart what could not be understood', () => {
    const { ignoredOf } = of({
      group: 'apps',
      kind: 'Deployment',
      jsonPointers: ['/spec/replicas', 7, 'spec'],
      jqPathExpressions: ['.spec.paused', '.spec | keys'],
      managedFieldsManagers: ['controller'],
    });
    expect(ignoredOf(api)).toMatchObject({
      fields: [{ keys: ['spec', 'replicas'] }, { keys: ['spec', 'paused'] }],
      unread: ['.spec | keys'],
      managers: ['controller'],
    });
  });

  it('that deploys elsewhere says so', () => {
    const to = (destination: object) => applicationRules({ spec: { destination } }).elsewhere;
    expect(to({ server: 'https://kubernetes.default.svc' })).toBeNull();
    expect(to({ name: 'in-cluster' })).toBeNull();
    expect(to({ server: 'https://10.0.0.1:6443' })).toContain('https://10.0.0.1:6443');
    expect(to({ name: 'prod-us' })).toContain('prod-us');
  });

  it('takes whatever a cluster answers', () => {
    for (const answer of [
      null,
      [],
      'x',
      { spec: [] },
      { spec: { ignoreDifferences: [null, 1, {}] }, status: { resources: [null, {}] } },
    ])
      expect(applicationRules(answer)).toMatchObject({ namespace: null, elsewhere: null, extra: [] });
  });
});

describe('a Kustomization', () => {
  it('lists what it applied', () => {
    const entries = [
      'acme_api_apps_Deployment',
      '_acme__Namespace',
      '_system__aggregate_rbac.authorization.k8s.io_ClusterRole',
      'nonsense',
      '',
    ].map((id) => ({ id, v: 'v1' }));
    expect(kustomizationRules({ status: { inventory: { entries } } }).inventory).toEqual([
      { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'api' },
      { group: '', kind: 'Namespace', namespace: null, name: 'acme' },
      { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: null, name: 'system:aggregate' },
    ]);
  });
});
