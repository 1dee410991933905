import { beforeAll, describe, expect, it } from 'vitest';
import { hasKubectl, type Kubectl, useKubectl } from '../program/kubectl.ts';
import { type Cluster, startCluster } from './cluster.ts';

let cluster: Cluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await startCluster();
  cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', namespace: 'shop' },
    data: { a: '1' },
  });
});

describe.skipIf(!hasKubectl)('the real kubectl', () => {
  beforeAll(async () => {
    kubectl = await useKubectl(cluster.kubeconfig);
  });

  it('gets an object, by the certificate and the token of its kubeconfig file', async () => {
    const { code, stdout } = await kubectl('get', 'configmap', 'web', '-n', 'shop', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ metadata: { name: 'web' }, data: { a: '1' } });
    expect(cluster.lines()).toEqual(['get configmaps shop/web']);
  });
});
