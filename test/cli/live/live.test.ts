/** `status`, `drift`, and what `rollback --wait` and `request show` say: on a repository and on a server, with the real kubectl. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { drift, liveStatus } from '../../../server/live/schemas.ts';
import { type Cluster, startCluster } from '../../helpers/cluster/cluster.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { deployment } from '../../helpers/cluster/objects/manifests.ts';
import { type Release, releaseOf } from '../../helpers/cluster/release.ts';
import { crashing, live, pending, slow } from '../../helpers/cluster/scenes.ts';
import { backtrail, type Transcript } from '../../helpers/program/cli.ts';
import { hasKubectl, kubectlFolder } from '../../helpers/program/kubectl.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

const ADDRESS = 'https://git.example.com/acme/config.git';
const imageOf = (tag: string) => `registry.example.com/api:${tag}`;
const manifest = (tag: string, replicas = 3) =>
  deployment({ name: 'api', namespace: 'shop', image: imageOf(tag), replicas });

/** Minutes: what is old is given no more time. */
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

let cluster: Cluster;
let repo: Repo;
let api: Api;
let tokenFile: string;
let env: Record<string, string>;
let release: Release;

beforeAll(async () => {
  const folder = await temporaryFolder();
  cluster = await startCluster({ name: 'prod-eu' });
  const clusters = join(folder, 'clusters.yaml');
  const entry = { context: 'prod-eu', kubeconfig: cluster.kubeconfig, timeout: 2 };
  await writeFile(clusters, JSON.stringify({ 'prod-eu': entry }));
  repo = await createRepo();
  const config = {
    version: 1,
    layout: { service: ['apps/{environment}/{service}/**'] },
    keep: [],
    holds: { sources: [ADDRESS] },
    live: ['prod', 'staging'].map((match) => ({
      match,
      cluster: 'prod-eu',
      within: '7d',
      argocd: { application: '{environment}-{service}' },
    })),
  };
  const app = (tag: string) => ({
    'apps/prod/api/app.yaml': JSON.stringify(manifest(tag), null, 2),
    'apps/dev/api/app.yaml': JSON.stringify(manifest(tag), null, 2),
    'apps/staging/api/app.yaml': JSON.stringify(manifest(tag), null, 2),
  });
  const [former = '', current = ''] = await repo.replay([
    { date: ago(2), files: { '.backtrail/config.yaml': JSON.stringify(config), ...app('v1') } },
    { date: ago(1), files: app('v2') },
  ]);
  release = releaseOf({
    name: 'api',
    application: 'prod-api',
    repoURL: ADDRESS,
    former: { commit: former, image: imageOf('v1') },
    current: { commit: current, image: imageOf('v2') },
  });
  const path = hasKubectl ? `${await kubectlFolder()}:` : '';
  env = { BACKTRAIL_CLUSTERS: clusters, PATH: `${path}${repo.env['PATH'] ?? ''}` };
  const engine = await engineOf(repo, { lives: 'file', env });
  const person = (await engine.identity()) ?? undefined;
  api = await startApi(engine, { lives: 'file', ...(person && { person }) });
  tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${api.token}\n`);
});

beforeEach(() => {
  cluster.recover();
  cluster.requests.length = 0;
  live(cluster, release);
});

const here = (...args: string[]): Promise<Transcript> => backtrail(repo, args, { env });
const there = (...args: string[]): Promise<Transcript> =>
  here('--server', api.url, '--token-file', tokenFile, ...args);

/** What is printed has the form of the document, and nothing more. */
function read<Value>(schema: z.ZodType<Value>, { stdout }: { readonly stdout: string }): Value {
  const printed: unknown = JSON.parse(stdout);
  const value = schema.parse(printed);
  expect(value).toEqual(printed);
  return value;
}

/** Resolves once somebody has asked the cluster. */
async function whenAsked(): Promise<void> {
  while (cluster.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

const untimed = (text: string) => text.replaceAll(/\d\d:\d\d:\d\d(?:\.\d+)?/g, '…');

describe.runIf(hasKubectl)('status', () => {
  it('says what the cluster says, and that the scope is live', async () => {
    const ended = await here('-o', 'json', 'status', 'prod/api');
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(read(liveStatus, ended)).toMatchObject({
      scope: 'prod/api',
      desired: { commit: release.current.commit, version: 2 },
      state: 'live',
      live: [{ source: 'argocd', cluster: 'prod-eu', state: 'live', revision: release.current.commit }],
    });
  });

  it.each<[string, number, () => void]>([
    ['pending', 5, () => pending(cluster, release)],
    ['progressing', 5, () => slow(cluster, release)],
    ['degraded', 3, () => crashing(cluster, release)],
    ['unconfirmed', 6, () => void cluster.fault({ answer: 'forbidden' })],
  ])('ends with its own code where it is %s: %i', async (state, code, scene) => {
    scene();
    const ended = await here('status', 'prod/api');
    expect([ended.code, ended.stderr]).toEqual([code, '']);
    expect(ended.stdout).toMatch(new RegExp(`^prod/api  v2 \\(\\w{7}\\)  ${state}: `));
    expect(ended.stdout).toContain('Application argocd/prod-api');
  });

  it('waits until it is live, and says meanwhile what it waits for', async () => {
    slow(cluster, release);
    const ending = here('status', 'prod/api', '--wait', '10m');
    await whenAsked();
    live(cluster, release);
    const ended = await ending;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/^ {2}progressing {2}Application argocd\/prod-api: /);
    expect(ended.stdout).toContain('live: the clusters run it');
  });

  it('says what to write where nobody can be asked', async () => {
    const ended = await here('-o', 'json', 'status', 'dev/api');
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.stdout).error).toMatchObject({
      code: 'LIVE_NOT_CONFIGURED',
      hint: expect.stringContaining('`live`'),
    });
  });

  it('refuses a duration that is none', async () => {
    const ended = await here('status', 'prod/api', '--wait', 'soon');
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('90s, 10m or 2h')]);
  });

  it.runIf(isProof)('says the same of a server', async () => {
    for (const output of ['text', 'json'] as const)
      for (const args of [['prod/api'], ['prod'], ['dev/api'], ['prod/nothing']]) {
        const [far, near] = [
          await there('-o', output, 'status', ...args),
          await here('-o', output, 'status', ...args),
        ];
        expect({ ...far, stdout: untimed(far.stdout) }).toEqual({ ...near, stdout: untimed(near.stdout) });
      }
  });
});

describe.runIf(hasKubectl)('drift', () => {
  it('is none where the cluster has what is declared', async () => {
    const ended = await here('-o', 'json', 'drift', 'prod/api');
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(read(drift, ended)).toEqual({
      scope: 'prod/api',
      commit: release.current.commit,
      objects: [
        { cluster: 'prod-eu', kind: 'Deployment', namespace: 'shop', name: 'api', state: 'same', fields: [] },
      ],
    });
  });

  it('finds a number of replicas that was edited by hand', async () => {
    cluster.patch({ kind: 'Deployment', namespace: 'shop', name: 'api' }, { spec: { replicas: 7 } });
    const ended = await here('-o', 'json', 'drift', 'prod/api');
    expect(ended.code).toBe(3);
    expect(read(drift, ended).objects).toMatchObject([
      { state: 'differs', fields: [{ path: '/spec/replicas', desired: 3, live: 7 }] },
    ]);
    const shown = await here('drift', 'prod');
    expect([shown.code, shown.stderr]).toEqual([3, '']);
    expect(shown.stdout).toContain('differs  Deployment shop/api  in prod-eu');
    expect(shown.stdout).toContain('/spec/replicas is 7, declared 3');
  });

  it.runIf(isProof)('is none where an autoscaler or the Application says that it may differ', async () => {
    const resize = () =>
      cluster.patch({ kind: 'Deployment', namespace: 'shop', name: 'api' }, { spec: { replicas: 7 } });
    resize();
    const hpa = { kind: 'HorizontalPodAutoscaler', namespace: 'shop', name: 'api' };
    cluster.apply({
      apiVersion: 'autoscaling/v2',
      kind: hpa.kind,
      metadata: { namespace: hpa.namespace, name: hpa.name },
      spec: { maxReplicas: 9, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } },
    });
    expect((await here('drift', 'prod/api')).code).toBe(0);
    cluster.remove(hpa);
    expect((await here('drift', 'prod/api')).code).toBe(3);
    const application = { kind: 'Application', namespace: 'argocd', name: 'prod-api' };
    const ignored = { group: 'apps', kind: 'Deployment', jqPathExpressions: ['.spec.replicas'] };
    cluster.patch(application, { spec: { ignoreDifferences: [ignored] } });
    expect((await here('drift', 'prod/api')).code).toBe(0);
  });

  it('finds what is missing, and names what could not be checked', async () => {
    cluster.remove({ kind: 'Deployment', namespace: 'shop', name: 'api' });
    expect((await here('drift', 'prod/api')).code).toBe(3);
    cluster.fault({ answer: 'forbidden' });
    const ended = await here('drift', 'prod/api');
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('1 unchecked')]);
  });

  it.runIf(isProof)('says the same of a server', async () => {
    cluster.patch({ kind: 'Deployment', namespace: 'shop', name: 'api' }, { spec: { replicas: 7 } });
    for (const output of ['text', 'json'] as const)
      for (const scope of ['prod/api', 'dev/api']) {
        const [far, near] = [
          await there('-o', output, 'drift', scope),
          await here('-o', output, 'drift', scope),
        ];
        expect(far).toEqual(near);
      }
  });
});

describe.runIf(hasKubectl)('a rollback', () => {
  it.runIf(isProof)(
    'is followed until it is live, keeps its exit code, and is shown with what the cluster says',
    async () => {
      const before = (await repo.git('rev-parse', 'main')).trim();
      const ending = here(
        '-o',
        'json',
        'rollback',
        'prod/api',
        '--reason',
        'It answers 500',
        '--yes',
        '--wait',
        '10m',
      );
      await whenAsked();
      const commit = (await repo.git('rev-parse', 'main')).trim();
      expect(commit).not.toBe(before);
      crashing(cluster, { ...release, current: { commit, image: imageOf('v1') } });
      const ended = await ending;
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      const { requestId, ...result } = JSON.parse(ended.stdout);
      expect(result).toMatchObject({
        status: 'completed',
        commit,
        live: { desired: { commit }, state: 'degraded' },
      });
      const answered = await api.get(`/api/v1/rollbacks/${requestId}/live`);
      expect(answered.body).toMatchObject({ requestId, scope: 'prod/api', state: 'degraded' });
    },
  );

  it.runIf(isProof)(
    'of the ledger is shown with what the cluster says now, also where that is nothing',
    async () => {
      const ask = {
        environment: 'staging',
        service: 'api',
        targetSha: 'previous',
        justification: 'v1 is slow',
      };
      const { requestId: id } = (await api.post('/api/v1/rollbacks', ask)).body;
      expect(JSON.parse((await here('-o', 'json', 'request', 'show', id)).stdout)).not.toHaveProperty('live');
      const retried = await here('request', 'retry', id, '--here', '--yes');
      expect([retried.code, retried.stderr]).toMatchObject([0, expect.any(String)]);
      const commit = (await repo.git('rev-parse', 'main')).trim();
      live(cluster, { ...release, application: 'staging-api', current: { commit, image: imageOf('v1') } });
      const shown = await here('-o', 'json', 'request', 'show', id);
      expect([shown.code, JSON.parse(shown.stdout)]).toMatchObject([
        0,
        { status: 'completed', live: { desired: { commit }, state: 'live' } },
      ]);
      cluster.fault({ answer: 'hang' });
      const hanging = await here('request', 'show', id);
      expect([hanging.code, hanging.stdout]).toEqual([0, expect.stringContaining('unconfirmed')]);
    },
  );
});
