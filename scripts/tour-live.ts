/**
 * `npm run tour:live`: a bad release degrades in a cluster, is rolled back by itself, once, and becomes live; a hand edit is found; the cluster goes away
 * while somebody rolls back, and comes back. The cluster is one of our own on loopback, asked by the real kubectl; every command is the real command
 * line in a process of its own, and every claim is checked. docs/live.md shows what it shows: `--write` writes that part anew.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { hasKubectl, kubectlFolder } from '../test/helpers/program/kubectl.ts';
import { say, title } from './narrate.ts';
import { allowedSigners, letTrust, makeSomebody, type Somebody } from './people.ts';
import { LOCAL_KINDS, withRedis } from './redis.ts';
import { type ClusterProcess, startClusterProcess } from './tour/cluster-process.ts';
import { holdPart, type Shot } from './tour/live-page.ts';
import { ask, backtrail, claim, git, type Stage } from './tour/run.ts';
import { startWorker, type Worker } from './tour/worker.ts';

const SCOPE = 'production/api';
const CONFIG = `version: 1
layout: { service: [ "envs/{environment}/{service}/**" ] }
delivery: { output: "delivery/{environment}/{service}.yaml" }
live:
  - { match: production, cluster: prod-eu, within: 4s, kubernetes: { namespace: production } }
auto:
  - { match: production, window: 5m, bad: 2s, limit: 1/6h }
deployments: { record: always }
policy:
  environments: [ { match: production, quorum: 1, automatic: exempt } ]
  permissions:
    - { allow: [ read, propose, deploy ], in: [ "**" ], users: [ jane@example.com, bob@example.com ] }
    - { allow: [ read, propose, record ], in: [ "**" ], users: [ worker@example.com ] }
`;

const manifest = (version: string, replicas = 2) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: production
spec:
  replicas: ${replicas}
  selector:
    matchLabels: { app: api }
  template:
    metadata:
      labels: { app: api }
    spec:
      containers:
        - name: api
          image: registry.example.com/api:${version}
`;

const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'backtrail-tour-'));
const stage: Stage = { folder };
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

interface Cast {
  readonly jane: Somebody;
  readonly bob: Somebody;
  readonly worker: Somebody;
  readonly bot: Somebody;
}

const shots: Shot[] = [];
const MOST_MS = 90_000;
const EXITS: Readonly<Record<string, number>> = { live: 0, degraded: 3, unconfirmed: 6 };
const stateShape = z.looseObject({ state: z.string() });
const listShape = z.looseObject({ deployments: z.array(z.looseObject({ status: z.string() })) });
const requestShape = z.looseObject({ status: z.string() });

if (!hasKubectl) say('tour:live: skipped, as there is a kubectl for Linux x86_64 only.');
else
  try {
    await withRedis(({ url }) => tour(url), { only: LOCAL_KINDS });
    holdPart('docs/live.md', shots);
    say(
      `\nEvery step did what it says. Done in ${((Date.now() - started) / 1000).toFixed(0)} s; nothing is left behind.`,
    );
  } catch (error) {
    process.stderr.write(`\ntour:live: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }

async function tour(redisUrl: string): Promise<void> {
  const cluster = await startClusterProcess({ folder, repo: join(folder, 'config'), bad: 'v2.1.0' });
  const clusters = join(folder, 'clusters.yaml');
  writeFileSync(clusters, `prod-eu: { context: prod-eu, kubeconfig: ${cluster.kubeconfig}, timeout: 2 }\n`);
  const more = {
    PATH: `${await kubectlFolder(folder)}:${process.env['PATH'] ?? ''}`,
    BACKTRAIL_CLUSTERS: clusters,
    REDIS_URL: redisUrl,
  };
  const person = (account: string, name: string): Somebody => {
    const made = makeSomebody(join(folder, account), { name, email: `${account}@example.com`, signs: true });
    return { ...made, env: { ...made.env, ...more } };
  };
  const cast: Cast = {
    jane: person('jane', 'Jane Doe'),
    bob: person('bob', 'Bob Roe'),
    worker: person('worker', 'Backtrail'),
    bot: person('bot', 'Release Bot'),
  };
  const signers = join(folder, 'signers');
  writeFileSync(signers, allowedSigners([cast.jane, cast.bob, cast.worker]));
  for (const each of Object.values(cast)) letTrust(each, signers);
  let worker: Worker | null = null;
  try {
    await firstRelease(cast);
    worker = startWorker(stage, { redisUrl, signers: 'signers', env: cast.worker.env });
    await badRelease(cast);
    await handEdit(cast, cluster);
    await clusterAway(cast, cluster);
  } catch (error) {
    say(worker?.log() ?? '');
    throw error;
  } finally {
    await worker?.stop();
    await cluster.stop();
  }
}

/** As a pipeline does it: the source, and what is rendered from it. */
function release({ bot }: Cast, version: string): void {
  for (const path of ['envs/production/api/deployment.yaml', 'delivery/production/api.yaml']) {
    mkdirSync(join(folder, 'config', path, '..'), { recursive: true });
    writeFileSync(join(folder, 'config', path), manifest(version));
  }
  git(stage, bot, 'add', '--all');
  git(stage, bot, 'commit', '--quiet', '-m', `Release api ${version}`);
}

async function firstRelease(cast: Cast): Promise<void> {
  title('1. A release that is well: the cluster runs what Git holds');
  mkdirSync(join(folder, 'config', '.backtrail'), { recursive: true });
  git(stage, cast.bot, 'init', '--quiet', '--initial-branch=main');
  // Nothing is checked out: rollbacks are published by a worker.
  writeFileSync(join(folder, 'config', '.backtrail', 'config.yaml'), CONFIG);
  release(cast, 'v2.0.5');
  await until(cast, 'live');
  show('The cluster runs what Git holds.', cast.jane, 0, 'status', SCOPE);
}

async function badRelease(cast: Cast): Promise<void> {
  title('2. A bad release: it degrades, and is rolled back by itself');
  // The worker has seen that the release before it was well.
  await untilRecorded(cast, 'deployed');
  release(cast, 'v2.1.0');
  await until(cast, 'degraded');
  show('A release that crashes: it is `degraded`, and nobody is awake.', cast.jane, 3, 'status', SCOPE);
  await untilRecorded(cast, 'rolled_back');
  await until(cast, 'live');
  show(
    'Two seconds later the worker has asked for a rollback to the last revision that was well, without approval, as the policy exempts it, and recorded both.',
    cast.jane,
    0,
    'log',
    SCOPE,
  );
  show('It is live, and stays the only one: `limit` is 1 in 6 hours.', cast.jane, 0, 'status', SCOPE);
  show('What became of each release is recorded.', cast.jane, 0, 'deployment', 'list', SCOPE);
}

async function handEdit(cast: Cast, cluster: ClusterProcess): Promise<void> {
  title('3. Somebody scales by hand: drift');
  await cluster.say('scale production/api 5');
  const drift = show('A replica count that was edited by hand is drift.', cast.jane, 3, 'drift', SCOPE);
  claim(drift.includes('/spec/replicas'), 'The drift does not name the replicas');
  await cluster.say('scale production/api 2');
  show('Set back, there is none.', cast.jane, 0, 'drift', SCOPE);
}

async function clusterAway(cast: Cast, cluster: ClusterProcess): Promise<void> {
  title('4. The cluster goes away: a rollback is completed all the same, and told as what it is');
  release(cast, 'v2.2.0');
  await until(cast, 'live');
  await cluster.say('away');
  const id = opened(
    show(
      'The cluster goes away. A rollback is asked for, and approved.',
      cast.jane,
      5,
      'rollback',
      SCOPE,
      '--to',
      'previous',
      '--reason',
      'v2.2.0 is slow',
      '--queue',
      '--yes',
    ),
  );
  show('', cast.bob, 0, 'request', 'approve', id, '--yes');
  await untilRequest(cast, id, 'completed');
  show(
    'It is completed, as it is in Git; whether it is live is not known.',
    cast.jane,
    0,
    'request',
    'show',
    id,
  );
  show('', cast.jane, 6, 'status', SCOPE);
  await cluster.say('back');
  await until(cast, 'live');
  show('The cluster is back, and the state follows.', cast.jane, 0, 'status', SCOPE);
  await untilRecorded(cast, 'deployed');
}

/** Runs a command, shows it here, and on the page. */
function show(text: string, who: Somebody, exit: number, ...args: string[]): string {
  const output = backtrail(stage, who, exit, ...args);
  shots.push({ text, who: who.account, args, exit, output });
  return output;
}

function opened(output: string): string {
  return /\brbk-[0-9A-Z]{26}\b/.exec(output)?.[0] ?? '';
}

/** Every command is bounded; what a worker does takes as long as it takes. */
async function wait(what: string, isThere: () => boolean): Promise<void> {
  const end = Date.now() + MOST_MS;
  while (!isThere()) {
    claim(Date.now() < end, `After ${MOST_MS / 1000} s there is still no ${what}`);
    await sleep(300);
  }
}

async function until({ jane }: Cast, state: string): Promise<void> {
  await wait(`state ${state}`, () => {
    try {
      return stateShape.parse(ask(stage, jane, EXITS[state] ?? 5, 'status', SCOPE)).state === state;
    } catch {
      return false;
    }
  });
}

/** Of the newest two. */
async function untilRecorded({ jane }: Cast, status: string): Promise<void> {
  await wait(`record ${status}`, () => {
    const { deployments } = listShape.parse(ask(stage, jane, 0, 'deployment', 'list', SCOPE));
    return deployments.slice(0, 2).some((each) => each.status === status);
  });
}

async function untilRequest({ jane }: Cast, id: string, status: string): Promise<void> {
  await wait(`request that is ${status}`, () => {
    try {
      return requestShape.parse(ask(stage, jane, 0, 'request', 'show', id)).status === status;
    } catch {
      return false;
    }
  });
}
