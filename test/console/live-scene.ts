/** A release that a cluster on loopback runs, two people who look at it in pages of their own, one who may not, and a worker. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Person } from '../../engine/internal.ts';
import { createLogger, executeInBatches, startWorker } from '../../workers/index.ts';
import { type Cluster, startCluster } from '../helpers/cluster/cluster.ts';
import { configMap, deployment } from '../helpers/cluster/objects/manifests.ts';
import { deploy, rollout, type RolloutState } from '../helpers/cluster/objects/rollout.ts';
import { configOf } from '../helpers/people/requests.ts';
import { builtConsole } from '../helpers/program/browser.ts';
import { kubectlFolder } from '../helpers/program/kubectl.ts';
import { engineOf, JANE } from '../helpers/repositories/engine.ts';
import { createRepo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { closeAfterFile } from '../helpers/run/lifetime.ts';
import { type Api, startApi } from '../helpers/servers/api.ts';

const BOB: Person = { name: 'Bob', email: 'bob@example.com' };
const MALLORY: Person = { name: 'Mallory', email: 'mallory@example.com' };
const SAFE = { namespace: 'acme', name: 'api' };

export interface LiveScene {
  readonly cluster: Cluster;
  readonly jane: Api;
  readonly bob: Api;
  /** May read nothing. */
  readonly mallory: Api;
  /** What the cluster runs: a version of the Deployment, and how far it is. */
  runs(version: number, to?: RolloutState): void;
  /** So much later no earlier answer of the cluster counts. */
  pass(): void;
}

/** `acme/production` with three revisions of api, the newest of which runs; `acme/canary`, of which nothing says where it runs. */
export async function liveScene(redisUrl: string): Promise<LiveScene> {
  const cluster = await startCluster();
  closeAfterFile(() => cluster.stop());
  const repo = await createRepo();
  const policy = {
    environments: [{ match: '*/production', quorum: 1, unsignedApprovals: true, unsignedRequests: true }],
    permissions: [{ allow: ['read', 'propose', 'deploy'], in: ['**'], users: [JANE.email, BOB.email] }],
  };
  const config = configOf(policy, {
    layout: { service: ['apps/{tenant}/{environment}/{service}/**'] },
    branch: 'main',
    delivery: { output: 'rendered/{tenant}/{environment}/{service}.yaml' },
    live: [{ match: '*/production', cluster: 'prod-eu', within: '1h', kubernetes: { namespace: 'acme' } }],
  });
  await repo.commit({ '.backtrail/config.yaml': config, 'apps/acme/canary/api/app.yaml': 'replicas: 1\n' });
  for (const version of [1, 2]) await repo.commit(release(version), { message: `Release ${version}` });
  // A cluster is given an hour to have it.
  await repo.commit(release(3), { message: 'Release 3', date: new Date().toISOString() });
  await repo.git('checkout', '--quiet', '--detach');
  const clock = { ms: 0 };
  const clusters = join(await temporaryFolder(), 'clusters.yaml');
  await writeFile(
    clusters,
    `prod-eu: { context: prod-eu, kubeconfig: ${cluster.kubeconfig}, timeout: 60 }\n`,
  );
  const env = { BACKTRAIL_CLUSTERS: clusters, PATH: `${await kubectlFolder()}:${process.env['PATH'] ?? ''}` };
  const now = () => Date.now() + clock.ms;
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const open = () => engineOf(repo, { lives: 'file', env, clock: { now, sleep } });
  const page = await builtConsole();
  const serve = async (person: Person) =>
    startApi(await open(), { lives: 'file', person, settings: { page, redisUrl } });
  const logger = createLogger({ name: 'worker', destination: { write: () => undefined } });
  const worker = startWorker({ redisUrl, execute: executeInBatches(open), logger });
  closeAfterFile(() => worker.close());
  const [jane, bob, mallory] = await Promise.all([JANE, BOB, MALLORY].map(serve));
  if (!jane || !bob || !mallory) throw new Error('three were served');
  const runs: LiveScene['runs'] = (version, to = 'live') => {
    deploy(cluster, manifestOf(version), to);
    cluster.apply(configMap({ ...SAFE, data: { VERSION: String(version) } }));
    if (to === 'crash') rollout(cluster, { kind: 'Deployment', ...SAFE }, { to, deadlineExceeded: true });
  };
  return { cluster, jane, bob, mallory, runs, pass: () => void (clock.ms += 15_000) };
}

const manifestOf = (version: number) =>
  deployment({ ...SAFE, image: `registry.example.com/api:${version}.0.0`, replicas: 2 });

/** As a pipeline commits it: the source, and what is rendered from it. */
function release(version: number): Readonly<Record<string, string>> {
  const texts = [manifestOf(version), configMap({ ...SAFE, data: { VERSION: String(version) } })].map(
    (object) => stringify(object),
  );
  return {
    'apps/acme/production/api/deployment.yaml': texts[0] ?? '',
    'apps/acme/production/api/config-map.yaml': texts[1] ?? '',
    'rendered/acme/production/api.yaml': texts.join('---\n'),
  };
}
