/** Two workers, a repository and a cluster that the test answers for: what degrades is rolled back once, and followed by whichever worker is left. */
import { describe, expect, it } from 'vitest';
import type { Clusters } from '../../engine/model/index.ts';
import { executeInBatches } from '../../workers/index.ts';
import { configOf } from '../helpers/people/requests.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { useQueues } from '../helpers/queue/queue.ts';
import { useRedis } from '../helpers/servers/redis.ts';
import { isProof } from '../helpers/run/proof.ts';
import { SOON } from '../helpers/run/soon.ts';

const CONFIG = configOf(
  { environments: [] },
  {
    live: [{ match: '**', cluster: 'prod-eu', kubernetes: { namespace: 'prod' } }],
    auto: [{ match: '**', window: '10m', bad: '1s' }],
    deployments: { record: 'always' },
    checks: { IMAGE_MUTABLE: 'off', IMAGE_UNCHECKED: 'off' },
  },
);
const manifestOf = (version: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api', namespace: 'prod' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'api' } },
    template: {
      metadata: { labels: { app: 'api' } },
      spec: { containers: [{ name: 'api', image: `registry.example.com/api:${version}` }] },
    },
  },
});
const filesOf = (version: string) => ({ 'apps/prod/api/app.yaml': JSON.stringify(manifestOf(version)) });

/** It runs what `main` says at once; `bad` never becomes available. */
function clusterOf(repo: Repo): Clusters {
  const present = async () => {
    const manifest = JSON.parse(await repo.git('show', 'main:apps/prod/api/app.yaml'));
    const isBad = JSON.stringify(manifest).includes(':bad');
    const count = isBad ? 0 : 1;
    return {
      ...manifest,
      metadata: { ...manifest.metadata, generation: 1, uid: '1' },
      status: {
        observedGeneration: 1,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: count,
        availableReplicas: count,
        conditions: isBad
          ? [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }]
          : [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
      },
    };
  };
  return {
    get: async (_, queries) => {
      const object = await present();
      return queries.map(({ kind }) => ({ objects: kind === 'Deployment' ? [object] : [], problem: null }));
    },
    annotate: () => Promise.resolve(null),
  };
}

describe('workers that observe a cluster', () => {
  const redis = useRedis();
  const { startWorker } = useQueues(redis);

  // The parts are held by tests of their own: this waits for what workers wait for.
  it.runIf(isProof)('roll back once what degrades, and go on where one of them ends', async () => {
    const repo = await createRepo({ bare: true });
    await repo.replay([
      { files: { '.backtrail/config.yaml': CONFIG, ...filesOf('v1') } },
      { files: filesOf('v2') },
    ]);
    const clusters = clusterOf(repo);
    const start = async () => {
      const engine = await engineOf(repo);
      const watch = await engine.watch({ clusters });
      return startWorker({
        execute: executeInBatches(() => engineOf(repo)),
        allowedRepos: [repo.folder],
        reconciling: {
          everyMs: 100,
          repos: () => Promise.resolve([]),
          reconcile: () => engine.requests.reconcile(),
          close: () => Promise.resolve(),
        },
        observing: {
          repos: () => Promise.resolve([]),
          look: (__, signal) => watch.look(signal),
          forget: () => Promise.resolve(),
          close: () => Promise.resolve(),
        },
      });
    };
    const [one, other] = [await start(), await start()];
    const reader = await engineOf(repo);
    const statuses = async () =>
      (await reader.deployments.list({ reader: JANE })).deployments.map(
        ({ version, status }) => `v${version} ${status}`,
      );
    const within = { timeout: SOON, interval: 100 };
    await expect.poll(statuses, within).toEqual(['v2 deployed']);
    await repo.replay([{ files: filesOf('bad') }]);
    await expect.poll(async () => (await statuses())[0], within).toMatch(/^v4 /);
    const looks = one.find('"to":"degraded"').length + other.find('"to":"degraded"').length;
    expect(looks).toBe(1);
    await (one.find('"to":"degraded"').length === 1 ? one : other).close();
    await expect.poll(statuses, within).toEqual(['v4 deployed', 'v3 rolled_back', 'v2 deployed']);
    expect(await reader.requests.list({ reader: JANE })).toHaveLength(1);
    expect(JSON.parse(await repo.git('show', 'main:apps/prod/api/app.yaml'))).toEqual(manifestOf('v2'));
  });
});
