/** Repositories with a long line of commits: kinds of layouts that make history dear. Generated, the same every time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Line {
  readonly name: string;
  /** Whose history, plan and environments are measured. */
  readonly scope: string;
  /** What `git log --raw` is given: the paths of the scope. */
  readonly paths: readonly string[];
  readonly stream: () => Generator<string>;
}

/** `commits`: of the long one. */
export function lines(commits: number): readonly Line[] {
  return [
    { name: 'items', scope: 'production', paths: ['values-production.yaml'], stream: items },
    { name: 'components', scope: 'staging', paths: [':(glob)components/*/staging/**'], stream: components },
    { name: 'secrets', scope: 'production', paths: ['envs/production/values.yaml'], stream: secrets },
    { name: 'long', scope: 'production', paths: ['envs/production'], stream: () => long(commits) },
  ];
}

export async function buildLine(folder: string, line: Line, env: NodeJS.ProcessEnv): Promise<string> {
  const repo = join(folder, `line-${line.name}.git`);
  if (existsSync(join(repo, 'bench-complete'))) return repo;
  await mkdir(repo, { recursive: true });
  await git(repo, env, ['init', '--quiet', '--bare', '-b', 'main', '.']);
  const child = spawn('git', ['fast-import', '--quiet'], {
    cwd: repo,
    env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  for (const chunk of line.stream()) if (!child.stdin.write(chunk)) await once(child.stdin, 'drain');
  child.stdin.end('done\n');
  await ended;
  await git(repo, env, ['commit-graph', 'write', '--reachable', '--changed-paths']);
  await writeFile(join(repo, 'bench-complete'), '');
  return repo;
}

async function git(folder: string, env: NodeJS.ProcessEnv, args: string[]): Promise<void> {
  const child = spawn('git', args, { cwd: folder, env, stdio: 'inherit' });
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`git ${args[0] ?? ''} failed`);
}

const START = 1_700_000_000;
const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
const file = (path: string, text: string) => `M 100644 inline ${path}\n${data(text)}`;
const commit = (number: number, message: string) =>
  `commit refs/heads/main\ncommitter Deploy Bot <bot@example.com> ${START + number * 60} +0000\n${data(message)}`;
/** Without pattern (multiplicative hashing). */
const pick = (number: number, count: number) => Math.floor((number * 2_654_435_761) % 4_294_967_296) % count;
const config = (environment: string, service: string) =>
  file(
    '.backtrail/config.yaml',
    `version: 1\nbranch: main\nlayout:\n  environment: [${JSON.stringify(environment)}]\n  service: [${JSON.stringify(service)}]\n`,
  );

/** Services that are items of one file of 104 KB; 400 commits. */
function* items(): Generator<string> {
  const services = Array.from({ length: 400 }, (_, index) => ({
    name: `service-${index}`,
    tag: 0,
    replicas: 2,
    debug: false,
  }));
  const text = () =>
    `global:\n  domain: example.com\napps:\n${services
      .map(
        ({ name, tag, replicas, debug }) =>
          `  - name: ${name}\n    image:\n      repository: registry.example.com/team/${name}\n      tag: v1.${tag}.0\n    replicas: ${replicas}\n    env:\n      LOG_LEVEL: info\n${debug ? '      DEBUG: "true"\n' : ''}      REGION: eu-west-1\n    resources: {cpu: 250m, memory: 256Mi}\n`,
      )
      .join('')}`;
  yield commit(0, 'Initial import');
  yield config('values-{environment}.yaml', 'values-{environment}.yaml#/apps[name={service}]');
  yield file('values-production.yaml', text());
  yield file('values-staging.yaml', text());
  for (let number = 1; number < 400; number += 1) {
    const chosen = services[pick(number, services.length)];
    if (chosen) {
      if (number % 5 === 0) chosen.replicas = 2 + (number % 7);
      else if (number % 7 === 0) chosen.debug = !chosen.debug;
      else chosen.tag = number;
    }
    if (number % 25 === 0) services.splice(pick(number, services.length), 1);
    if (number % 20 === 0) services.push({ name: `new-${number}`, tag: number, replicas: 1, debug: false });
    yield commit(number, `Deploy ${chosen?.name ?? ''}`);
    yield file('values-production.yaml', text());
  }
}

/** A folder a service, in it one an environment: an environment has 300 prefixes. 6,000 commits. */
function* components(): Generator<string> {
  const deployment = (service: number, environment: string, version: number) =>
    file(
      `components/service-${service}/${environment}/deployment.yaml`,
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: service-${service}\n  namespace: ${environment}\nspec:\n  replicas: ${2 + (version % 5)}\n  template:\n    spec:\n      containers:\n        - name: app\n          image: registry.example.com/service-${service}:v1.${version}.0\n          envFrom:\n            - secretRef: {name: service-${service}}\n      volumes:\n        - name: tls\n          secret: {secretName: tls}\n`,
    );
  const store = (service: number, environment: string, version: number) =>
    file(
      `components/service-${service}/${environment}/secrets.yaml`,
      `apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: service-${service}\nspec:\n  refreshInterval: ${version + 1}h\n  secretStoreRef: {kind: SecretStore, name: vault}\n  target: {template: {type: Opaque}}\n  # makes the Secret that the Deployment reads\n`,
    );
  yield commit(0, 'Initial import');
  yield config('components/{service}/{environment}/**', 'components/{service}/{environment}/**');
  for (let service = 0; service < 300; service += 1)
    for (const environment of ['staging', 'production'])
      yield deployment(service, environment, 0) + store(service, environment, 0);
  for (let number = 1; number < 6000; number += 1) {
    const service = pick(number, 300);
    yield commit(number, `Deploy service-${service}`);
    yield deployment(service, number % 3 === 0 ? 'production' : 'staging', number);
    if (number % 4 === 0) yield store(service, 'staging', number);
  }
}

/** A file of 2,400 lines that says `kind: SecretStore` and `Secret`; 300 commits. */
function* secrets(): Generator<string> {
  const tags = Array.from({ length: 200 }, () => 0);
  const text = () =>
    tags
      .map(
        (tag, index) =>
          `service-${index}:\n  image:\n    repository: registry.example.com/service-${index}\n    tag: v1.${tag}.0\n  externalSecret:\n    storeRef:\n      kind: SecretStore\n      name: vault-${index}\n    target:\n      kind: Secret\n  replicas: 2\n  port: 8080\n`,
      )
      .join('');
  yield commit(0, 'Initial import');
  yield config('envs/{environment}/**', 'envs/{environment}/values.yaml#/{service}');
  yield file('envs/production/values.yaml', text());
  for (let number = 1; number < 300; number += 1) {
    tags[pick(number, tags.length)] = number;
    yield commit(number, `Deploy ${number}`);
    yield file('envs/production/values.yaml', text());
  }
}

/** An environment of 700 files on a long line; each commit changes one or two of them. */
function* long(commits: number): Generator<string> {
  const values = (number: number, version: number) =>
    file(
      `envs/production/group-${number % 10}/service-${Math.floor(number / 10)}/values.yaml`,
      `image:\n  repository: registry.example.com/service-${number}\n  tag: v1.${version}.0\nreplicas: ${2 + (version % 5)}\n`,
    );
  yield commit(0, 'Initial import');
  yield config('envs/{environment}/**', 'envs/{environment}/*/{service}/**');
  for (let number = 0; number < 700; number += 1) yield values(number, 0);
  for (let number = 1; number < commits; number += 1) {
    yield commit(number, `Deploy service-${pick(number, 700)}`);
    yield values(pick(number, 700), number);
    if (number % 3 === 0) yield values(pick(number + 7, 700), number);
  }
}
