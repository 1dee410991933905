/** Clusters as they are really asked: the real kubectl, and the HTTP API of Argo CD, against a cluster on loopback. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compareText } from '../../../../engine/layout/layout.ts';
import { textAt } from '../../../../engine/live/read.ts';
import { createClusters } from '../../../../engine/live/clusters/clusters.ts';
import type { Clusters, ObjectQuery } from '../../../../engine/model/index.ts';
import { someOf } from '../../../helpers/run/proof.ts';
import { type Cluster, startCluster } from '../../../helpers/cluster/cluster.ts';
import { hasKubectl, kubectlFolder } from '../../../helpers/program/kubectl.ts';
import { temporaryFolder } from '../../../helpers/repositories/repo.ts';

const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
const deployment = (name: string, namespace = 'shop'): ObjectQuery => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace,
  name,
});
const application: ObjectQuery = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  namespace: 'argocd',
  name: 'shop',
};

let cluster: Cluster;
let clusters: Clusters;
let env: Record<string, string>;

beforeAll(async () => {
  const folder = await temporaryFolder();
  cluster = await startCluster({ name: 'prod-eu' });
  const file = join(folder, 'clusters.yaml');
  await writeFile(
    file,
    JSON.stringify({
      'prod-eu': { context: 'prod-eu', kubeconfig: cluster.kubeconfig, timeout: 2 },
      gone: { context: 'no-such-context', kubeconfig: cluster.kubeconfig },
    }),
  );
  env = { BACKTRAIL_CLUSTERS: file, HOME: folder, PATH: hasKubectl ? await kubectlFolder() : '' };
  clusters = createClusters({ env, clock, signal: new AbortController().signal });
  for (const name of ['api', 'web'])
    cluster.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'shop' },
      spec: {},
    });
});

beforeEach(() => {
  cluster.recover();
  cluster.requests.length = 0;
});

/** Names of what was found, or the code of the problem. */
const get = async (queries: readonly ObjectQuery[], name = 'prod-eu') =>
  (await clusters.get(name, queries)).map(({ objects, problem }) =>
    problem === null
      ? objects.map((object) => textAt(object, 'metadata', 'name') ?? '').toSorted(compareText)
      : problem.code,
  );

describe.skipIf(!hasKubectl)('a cluster through kubectl', () => {
  it('answers each query by name in one run, and says of what is not there that it is not', async () => {
    expect(await get([deployment('api'), deployment('gone'), deployment('web')])).toEqual([
      ['api'],
      [],
      ['web'],
    ]);
    // Of a namespace in which something is missing, kubectl asks whether it is there.
    expect(cluster.lines().filter((line) => !line.includes(' namespaces '))).toEqual([
      'get deployments.apps shop/api',
      'get deployments.apps shop/gone',
      'get deployments.apps shop/web',
    ]);
  });

  it('asks for many with one list, and a namespace at a time where it may not list all of them', async () => {
    const many = Array.from({ length: 40 }, (_, index) => deployment(`api-${index}`, `team-${index % 2}`));
    for (const { namespace, name } of many)
      cluster.apply({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: name ?? '', namespace: namespace ?? '' },
        spec: {},
      });
    expect(await get(many)).toEqual(many.map(({ name }) => [name]));
    expect(cluster.lines()).toEqual(['list deployments.apps']);
    cluster.allow([{ namespaces: ['team-0', 'team-1'] }]);
    cluster.requests.length = 0;
    expect(await get(many)).toEqual(many.map(({ name }) => [name]));
    expect(cluster.lines().toSorted()).toEqual([
      'list deployments.apps',
      'list deployments.apps team-0',
      'list deployments.apps team-1',
    ]);
  });

  it('answers what it may see where one of several is forbidden', async () => {
    cluster.fault({ answer: 'forbidden', resources: ['services'] });
    const service = { ...deployment('api'), apiVersion: 'v1', kind: 'Service' };
    expect(await get([deployment('api'), service])).toEqual([['api'], 'CLUSTER_DENIED']);
  });

  it.each(
    someOf(
      [
        [{ answer: 'hang', everything: true } as const, 'CLUSTER_AWAY'],
        [{ answer: 'unauthorized', everything: true } as const, 'CLUSTER_DENIED'],
        [{ answer: 'nonsense', body: 'html' } as const, 'CLUSTER_NONSENSE'],
        [{ answer: 'cut' } as const, 'CLUSTER_AWAY'],
      ],
      3,
    ),
  )('says of %o that it is %s', async (fault, code) => {
    cluster.fault(fault);
    expect(await get([deployment('api')])).toEqual([code]);
  });

  it('asks a cluster that is away once, in however many namespaces', async () => {
    cluster.fault({ answer: 'cut' });
    await get([deployment('api')]);
    const once = cluster.requests.length;
    const many = Array.from({ length: 10 }, (_, index) => deployment('api', `team-${index}`));
    expect(new Set((await get(many)).flat())).toEqual(new Set(['CLUSTER_AWAY']));
    expect(cluster.requests.length).toBeLessThanOrEqual(2 * once);
  });

  it('says that it does not know a cluster, a context, or a name that none can have', async () => {
    expect(await get([deployment('api')], 'elsewhere')).toEqual(['CLUSTER_UNKNOWN']);
    expect(await get([deployment('api')], 'gone')).toEqual(['CLUSTER_UNKNOWN']);
    expect(await get([deployment('--all'), deployment('api')])).toEqual(['NAME_INVALID', ['api']]);
  });

  it('sets one annotation', async () => {
    const target = { ...deployment('api'), name: 'api' };
    expect(await clusters.annotate('prod-eu', target, { key: 'example.com/at', value: 'now' })).toBeNull();
    expect(cluster.object('Deployment', 'shop', 'api')?.metadata.annotations).toEqual({
      'example.com/at': 'now',
    });
  });

  it('ends what it asks when it is stopped', async () => {
    const stop = new AbortController();
    cluster.fault({ answer: 'hang', everything: true });
    const asking = clusters.get('prod-eu', [deployment('api')], stop.signal);
    stop.abort();
    await expect(asking).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
  });
});

describe('where nothing is set up', () => {
  it('says so, and never fails', async () => {
    const ask = async (changed: Record<string, string>) =>
      (
        await createClusters({
          env: { ...env, ...changed },
          clock,
          signal: new AbortController().signal,
        }).get('prod-eu', [application])
      ).map(({ problem }) => problem?.code);
    expect(await ask({ BACKTRAIL_CLUSTERS: '' })).toEqual(['CLUSTER_UNKNOWN']);
    expect(await ask({ BACKTRAIL_CLUSTERS: '/no/such/file' })).toEqual(['CLUSTER_UNKNOWN']);
    expect(await ask({ PATH: '' })).toEqual(['KUBECTL_MISSING']);
  });
});
