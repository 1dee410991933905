/**
 * Whether a service is live, beside one `kubectl get` of the same objects; two hundred services beside one `kubectl get` of all of theirs, with what the
 * cluster was asked; and what a worker that observes them holds, beside one that does not. The cluster is one of our own on loopback, which answers
 * within a millisecond or two: on a real one everything here waits longer, and ratios come closer to 1.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openEngine } from '../../engine/index.ts';
import { type Cluster, startCluster } from '../../test/helpers/cluster/cluster.ts';
import { deploy } from '../../test/helpers/cluster/objects/rollout.ts';
import { kubectlFolder } from '../../test/helpers/program/kubectl.ts';
import { withRedis } from '../redis.ts';
import { BUILT } from './incident.ts';
import { git, median, megabytes, say, unshared, unsharedOfChildren } from './measure.ts';

const SERVICES = 200;
const NAMESPACE = 'prod';
const CONFIG = `version: 1
layout: { service: ["envs/{environment}/{service}/**"] }
live: [{ match: prod, cluster: prod-eu, kubernetes: { namespace: prod } }]
auto: [{ match: prod }]
deployments: { record: always }
`;

interface Place {
  readonly repo: string;
  readonly env: Record<string, string>;
  readonly cluster: Cluster;
  readonly kubectl: string;
}

export async function benchLive({
  folder,
  env,
  rounds,
}: {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly rounds: number;
}): Promise<void> {
  const place = await makePlace(folder, env);
  await benchOne(place, rounds);
  await benchMany(place, Math.min(rounds, 7));
  await benchWorker(place);
  await place.cluster.stop();
}

const nameOf = (index: number) => `svc-${String(index).padStart(3, '0')}`;

const objectsOf = (name: string) => [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: `registry.example.com/${name}:v1` }] },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: NAMESPACE },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];

async function makePlace(folder: string, env: Record<string, string>): Promise<Place> {
  const repo = join(folder, 'live');
  const cluster = await startCluster({ name: 'prod-eu', folder });
  for (let index = 0; index < SERVICES; index += 1) {
    const own = join(repo, 'envs', NAMESPACE, nameOf(index));
    mkdirSync(own, { recursive: true });
    const objects = objectsOf(nameOf(index));
    writeFileSync(
      join(own, 'manifests.yaml'),
      objects.map((object) => `---\n${JSON.stringify(object)}\n`).join(''),
    );
    for (const object of objects) deploy(cluster, object, 'live');
  }
  mkdirSync(join(repo, '.backtrail'), { recursive: true });
  writeFileSync(join(repo, '.backtrail', 'config.yaml'), CONFIG);
  const clusters = join(folder, 'clusters.yaml');
  writeFileSync(
    clusters,
    JSON.stringify({ 'prod-eu': { context: 'prod-eu', kubeconfig: cluster.kubeconfig } }),
  );
  const kubectl = await kubectlFolder(folder);
  const all = { ...env, PATH: `${kubectl}:${env['PATH'] ?? ''}`, BACKTRAIL_CLUSTERS: clusters };
  git({ cwd: folder, env }, ['init', '--quiet', '--initial-branch=main', repo]);
  git({ cwd: repo, env }, ['config', 'user.email', 'bench@example.com']);
  git({ cwd: repo, env }, ['config', 'user.name', 'Bench']);
  git({ cwd: repo, env }, ['add', '--all']);
  git({ cwd: repo, env }, ['commit', '--quiet', '-m', 'Deploy everything']);
  return { repo, env: all, cluster, kubectl: join(kubectl, 'kubectl') };
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

const get = ({ kubectl, env, cluster }: Place, ...words: string[]) =>
  promisify(execFile)(
    kubectl,
    [`--kubeconfig=${cluster.kubeconfig}`, 'get', `--namespace=${NAMESPACE}`, '--output=json', ...words],
    { env, maxBuffer: 1e9 },
  );

async function benchOne(place: Place, rounds: number): Promise<void> {
  const { repo, env } = place;
  const engine = await openEngine({ repo, env });
  const scope = `${NAMESPACE}/${nameOf(7)}`;
  const [bare, asked, typed]: [number[], number[], number[]] = [[], [], []];
  const status = async () => {
    const { state } = await engine.live.status({ scope });
    if (state !== 'live') throw new Error(`${scope} is ${state}.`);
  };
  await status();
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await timed(() => get(place, `deployments.apps/${nameOf(7)}`, `services/${nameOf(7)}`)));
    asked.push(await timed(status));
    typed.push(
      await timed(() =>
        promisify(execFile)(process.execPath, [BUILT, '--repo', repo, 'status', scope], { env }),
      ),
    );
  }
  await engine.close();
  const one = median(bare);
  say(
    `one service: kubectl get ${one.toFixed(0)} ms; in a process that is there ${ratio(asked, one)}; \`backtrail status\` ${ratio(typed, one)}`,
  );
}

const ratio = (numbers: readonly number[], one: number) =>
  `${median(numbers).toFixed(0)} ms, ${(median(numbers) / one).toFixed(2)} ×`;

async function benchMany(place: Place, rounds: number): Promise<void> {
  const { repo, env, cluster } = place;
  const engine = await openEngine({ repo, env });
  const [bare, asked]: [number[], number[]] = [[], []];
  let lines: readonly string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await timed(() => get(place, 'deployments.apps,services')));
    cluster.requests.length = 0;
    asked.push(
      await timed(async () => {
        const { state } = await engine.live.status({ scope: NAMESPACE });
        if (state !== 'live') throw new Error(`They are ${state}.`);
      }),
    );
    lines = cluster.lines();
  }
  await engine.close();
  say(
    `${SERVICES} services: kubectl get of all ${median(bare).toFixed(0)} ms; observed ${ratio(asked, median(bare))}, by ${lines.length} requests: ${lines.join(', ')}`,
  );
}

/** Seconds. */
const SETTLED = 25;

async function benchWorker({ repo, env, cluster }: Place): Promise<void> {
  await withRedis(async ({ url }) => {
    const start = (more: Record<string, string>) => {
      const { BACKTRAIL_CLUSTERS: _, ...without } = env;
      return spawn(process.execPath, [BUILT, '--repo', repo, 'worker'], {
        env: { ...without, REDIS_URL: url, ...more },
        stdio: 'ignore',
      });
    };
    const memoryOf = async (more: Record<string, string>) => {
      const child = start(more);
      await sleep(SETTLED * 1000);
      const pid = child.pid ?? 0;
      const held = (unshared(pid) ?? 0) + unsharedOfChildren(pid);
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      return held;
    };
    const without = await memoryOf({});
    cluster.requests.length = 0;
    const observing = await memoryOf({ BACKTRAIL_CLUSTERS: env['BACKTRAIL_CLUSTERS'] ?? '' });
    const asked = cluster.lines().length;
    say(
      `a worker after ${SETTLED} s: ${megabytes(without)} MB; that observes ${SERVICES} services (${asked} requests): ${megabytes(observing)} MB, ${(observing / without).toFixed(2)} ×`,
    );
  });
}
