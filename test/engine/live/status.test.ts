/** A scope's state, from a real repository and a real kubectl. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../engine/index.ts';
import { type Cluster, startCluster } from '../../helpers/cluster/cluster.ts';
import { argoApplication } from '../../helpers/cluster/objects/argo-application.ts';
import { deploy } from '../../helpers/cluster/objects/rollout.ts';
import { hasKubectl, kubectlFolder } from '../../helpers/program/kubectl.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const CONFIG = `version: 1
layout: { service: ["envs/{environment}/{service}/**"] }
repository: https://git.example/acme/config.git
live:
  - { match: prod, cluster: prod-eu, argocd: { application: "prod-{service}" } }
  - { match: prod, cluster: prod-eu, kubernetes: { namespace: prod } }
`;

const manifest = (tag: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'api' } },
    template: {
      metadata: { labels: { app: 'api' } },
      spec: { containers: [{ name: 'api', image: `acme/api:${tag}` }] },
    },
  },
});

let repo: Repo;
let cluster: Cluster;
let engine: Engine;
/** Of v1 and v2. */
const commits: string[] = [];

const application = (revision: string, more: object = {}) =>
  cluster.apply(
    argoApplication({
      name: 'prod-api',
      repoURL: 'git@git.example:acme/config',
      revision,
      reconciledAt: '2036-01-01T00:00:00Z',
      ...more,
    }),
  );
const deployed = (tag: string, to: 'live' | 'crash' | 'slow') => {
  const { metadata, ...rest } = manifest(tag);
  deploy(cluster, { ...rest, metadata: { ...metadata, namespace: 'prod' } }, to);
};

beforeAll(async () => {
  repo = await createRepo();
  for (const tag of ['v1', 'v2']) {
    const files = {
      '.backtrail/config.yaml': CONFIG,
      'envs/prod/api/deployment.yaml': JSON.stringify(manifest(tag)),
      'envs/dev/api/deployment.yaml': JSON.stringify(manifest(tag)),
    };
    commits.push(await repo.commit(files, { date: new Date().toISOString() }));
  }
  cluster = await startCluster({ name: 'prod-eu' });
  const file = join(repo.folder, '..', 'clusters.yaml');
  await writeFile(file, `prod-eu: { context: prod-eu, kubeconfig: ${cluster.kubeconfig}, timeout: 5 }\n`);
  engine = await engineOf(repo, {
    lives: 'file',
    env: {
      ...repo.env,
      BACKTRAIL_CLUSTERS: file,
      PATH: `${await kubectlFolder()}:${repo.env['PATH'] ?? ''}`,
    },
  });
});

const statusOf = async (scope = 'prod/api') => {
  const { state, live, desired } = await engine.live.status({ scope });
  return { state, each: live.map(({ source, state: own }) => `${source} ${own}`), desired };
};

describe.skipIf(!hasKubectl)('the state of a service', () => {
  it('is live where Argo CD and the objects say so, and nothing but reading was asked of the cluster', async () => {
    application(commits[1] ?? '');
    deployed('v2', 'live');
    cluster.requests.length = 0;
    expect(await statusOf()).toEqual({
      state: 'live',
      each: ['argocd live', 'kubernetes live'],
      desired: { commit: commits[1], version: 2 },
    });
    expect(cluster.lines().every((line) => /^(?:get|list) /.test(line))).toBe(true);
  });

  it('is the worst of what is said, where they disagree, and both are shown', async () => {
    application(commits[1] ?? '');
    deployed('v2', 'crash');
    const { state, each } = await statusOf();
    expect(each).toEqual(['argocd live', expect.stringMatching(/^kubernetes (?:degraded|progressing)$/)]);
    expect(each).toContain(`kubernetes ${state}`);
  });

  it('is pending while the cluster has the revision before it', async () => {
    application(commits[0] ?? '');
    deployed('v1', 'live');
    expect(await statusOf()).toMatchObject({
      state: 'pending',
      each: ['argocd pending', 'kubernetes pending'],
    });
  });

  it('is unconfirmed where the cluster forbids it, with the reason', async () => {
    const end = cluster.fault({ answer: 'forbidden' });
    const { state, live } = await engine.live.status({ scope: 'prod/api' });
    end();
    expect(state).toBe('unconfirmed');
    expect(live.map(({ message }) => message).join(' ')).toContain('403');
  });

  it('of an environment is that of its services', async () => {
    application(commits[1] ?? '');
    deployed('v2', 'live');
    expect(await statusOf('prod')).toMatchObject({ state: 'live', desired: { commit: commits[1] } });
  });

  it('is not told where no entry of `live` matches', async () => {
    await expect(engine.live.status({ scope: 'dev/api' })).rejects.toThrow(
      expect.objectContaining({ code: 'LIVE_NOT_CONFIGURED' }),
    );
  });

  it('of a rollback is live where it runs, and overtaken where a later revision does', async () => {
    const author = { name: 'Jane', email: 'jane@example.com' };
    const { target, digest } = await engine.rollbacks.plan({ scope: 'prod/api', to: 'v1', author });
    const reason = 'v2 answers 500';
    const { requestId, commit } = await engine.rollbacks.request({
      scope: 'prod/api',
      target,
      digest,
      reason,
      author,
    });
    const stateOf = async () => {
      const { state, desired } = await engine.live.ofRollback({ requestId });
      return { state, desired };
    };
    const desired = { commit, version: 3 };
    application(commit ?? '');
    deployed('v1', 'live');
    expect(await stateOf()).toEqual({ state: 'live', desired });
    const next = await repo.commit(
      { 'envs/prod/api/deployment.yaml': JSON.stringify(manifest('v3')) },
      { date: new Date().toISOString() },
    );
    application(next);
    deployed('v3', 'live');
    expect(await stateOf()).toEqual({ state: 'overtaken', desired });
    expect(await statusOf()).toMatchObject({ state: 'live', desired: { commit: next, version: 4 } });
    await expect(engine.live.ofRollback({ requestId: 'rbk-00000000000000000000000000' })).rejects.toThrow(
      expect.objectContaining({ code: 'REQUEST_UNKNOWN' }),
    );
  });
});
