/** Argo CD asked through its HTTP API, by TLS with an authority of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textAt } from '../../../../engine/live/read.ts';
import { createClusters } from '../../../../engine/live/clusters/clusters.ts';
import type { Clusters, ObjectQuery } from '../../../../engine/model/index.ts';
import { type ArgoServer, startArgoServer } from '../../../helpers/cluster/argocd-server.ts';
import { type Cluster, startCluster } from '../../../helpers/cluster/cluster.ts';
import { argoApplication } from '../../../helpers/cluster/objects/argo-application.ts';
import { temporaryFolder } from '../../../helpers/repositories/repo.ts';

const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
const application = (name: string): ObjectQuery => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  namespace: 'argocd',
  name,
});

let cluster: Cluster;
let argocd: ArgoServer;
let clusters: Clusters;

beforeAll(async () => {
  const folder = await temporaryFolder();
  cluster = await startCluster();
  argocd = await startArgoServer(cluster);
  await writeFile(join(folder, 'token'), `${argocd.token}\n`);
  await writeFile(join(folder, 'project-token'), argocd.projectToken('shop'));
  await writeFile(join(folder, 'ca.pem'), argocd.authority);
  const file = join(folder, 'clusters.yaml');
  const entry = { argocd: argocd.url, token: 'token', ca: 'ca.pem', timeout: 2 };
  await writeFile(
    file,
    JSON.stringify({
      all: entry,
      shop: { ...entry, token: 'project-token', project: 'shop' },
      stranger: { argocd: argocd.url, token: 'token', timeout: 2 },
      'without-token': { ...entry, token: 'no-such-file' },
      gone: { ...entry, argocd: 'https://127.0.0.1:9', timeout: 1 },
    }),
  );
  clusters = createClusters({
    env: { BACKTRAIL_CLUSTERS: file, HOME: folder, PATH: '' },
    clock,
    signal: new AbortController().signal,
  });
  for (const name of ['web', 'api', 'pay'])
    cluster.apply(
      argoApplication({
        name,
        repoURL: 'https://git.example/acme/config.git',
        revision: 'a'.repeat(40),
        project: 'shop',
      }),
    );
});

beforeEach(() => {
  argocd.recover();
  argocd.requests.length = 0;
});

const get = async (queries: readonly ObjectQuery[], name = 'shop') =>
  (await clusters.get(name, queries)).map(({ objects, problem }) =>
    problem === null ? objects.map((object) => textAt(object, 'metadata', 'name')) : problem.code,
  );

describe("Argo CD's API", () => {
  it('gives an Application as the cluster would, looked at anew, and says which one it is', async () => {
    const [answer] = await clusters.get('shop', [application('web')]);
    expect(answer?.objects?.[0]).toMatchObject({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'web', namespace: 'argocd' },
    });
    expect(argocd.requests).toEqual([
      '/api/v1/applications/web?refresh=normal&project=shop&appNamespace=argocd',
    ]);
  });

  it('asks for many with one list', async () => {
    const names = ['web', 'api', 'pay', 'gone-1', 'gone-2'];
    expect(await get(names.map(application))).toEqual([['web'], ['api'], ['pay'], [], []]);
    expect(argocd.requests).toEqual(['/api/v1/applications?projects=shop&appNamespace=argocd']);
  });

  it('tells one that is missing from one that is forbidden where its project is known, and only there', async () => {
    expect(await get([application('missing')])).toEqual([[]]);
    expect(await get([application('missing')], 'all')).toEqual(['CLUSTER_DENIED']);
  });

  it.each([
    ['a certificate of a stranger', 'stranger', 'CLUSTER_AWAY'],
    ['a token that cannot be read', 'without-token', 'CLUSTER_UNKNOWN'],
    ['nobody at its address', 'gone', 'CLUSTER_AWAY'],
  ])('says of %s why it is not known, with no path and no token', async (_, name, code) => {
    const [answer] = await clusters.get(name, [application('web')]);
    expect(answer?.problem?.code).toBe(code);
    expect(answer?.problem?.message).not.toMatch(/no-such-file|token-of|\/tmp/);
  });

  it('is not asked for what is no Application', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' };
    expect(await get([pod, application('web')])).toEqual(['RESOURCE_UNKNOWN', ['web']]);
  });

  it('is made to look at once by a refresh', async () => {
    expect(
      await clusters.annotate('shop', { ...application('web'), name: 'web' }, { key: 'a', value: 'b' }),
    ).toBeNull();
    expect(argocd.requests).toEqual([expect.stringContaining('refresh=normal')]);
  });

  it('is waited for no longer than somebody wants to wait', async () => {
    argocd.fault({ answer: 'hang' });
    const gone = new AbortController();
    const asked = clusters.get('shop', [application('web')], gone.signal);
    await expect.poll(() => argocd.requests.length).toBe(1);
    gone.abort();
    await expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' });
    // It is tried again by those alone who wait.
    expect(argocd.requests).toHaveLength(1);
  });

  it('says that a token is not accepted, that it answers nonsense, and that it is too busy, and leaves it alone then', async () => {
    argocd.expireTokens();
    expect(await get([application('web')])).toEqual(['CLUSTER_DENIED']);
    argocd.recover();
    argocd.fault({ answer: 'nonsense', body: 'html' });
    expect(await get([application('web')])).toEqual(['CLUSTER_NONSENSE']);
    argocd.recover();
    // The last of all: for as long as it asks to wait, nobody of this process asks it.
    argocd.fault({ answer: 'too-many-requests', retryAfter: 30 });
    expect(await get([application('web')])).toEqual(['CLUSTER_BUSY']);
    argocd.recover();
    argocd.requests.length = 0;
    expect(await get([application('web')])).toEqual(['CLUSTER_BUSY']);
    expect(argocd.requests).toEqual([]);
  });
});
