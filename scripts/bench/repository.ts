/** A configuration repository of a given size, made by one fast-import stream; the same every time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Size {
  readonly tenants: number;
  readonly services: number;
  readonly commits: number;
}

export const ENVIRONMENTS = ['development', 'staging', 'production'] as const;

/** Files: tenants × 3 environments × services × 3. R1: 9,000 files, 20,000 commits. R2: 360,000 files, 100,000 commits. */
export const SIZES: Readonly<Record<string, Size>> = {
  r0: { tenants: 5, services: 5, commits: 500 },
  r1: { tenants: 100, services: 10, commits: 20_000 },
  r2: { tenants: 2000, services: 20, commits: 100_000 },
};

export const CONFIG = `version: 1
branch: main
layout:
  environment: ["tenants/{tenant}/{environment}/**"]
  service: ["tenants/{tenant}/{environment}/{service}/**"]
`;

/** The same services, in two places: files of their own, and a part of the environment's `releases.yaml`. */
export const CONFIG_TWO_PATTERNS = `version: 1
branch: main
layout:
  service: ["tenants/{tenant}/{environment}/{service}/service.yaml", "tenants/{tenant}/{environment}/{service}/config.yaml"]
`;

export const tenantName = (number: number) => `tenant-${String(number).padStart(4, '0')}`;
export const serviceName = (number: number) => `service-${String(number).padStart(2, '0')}`;

/** Builds it as a bare repository with a commit-graph that holds changed paths, as a mirror of ours has. */
export async function buildRepository(folder: string, size: Size, env: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(folder, { recursive: true });
  await git(folder, env, ['init', '--quiet', '--bare', '-b', 'main', '.']);
  const child = spawn('git', ['fast-import', '--quiet'], {
    cwd: folder,
    env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  for (const chunk of stream(size)) if (!child.stdin.write(chunk)) await once(child.stdin, 'drain');
  child.stdin.end();
  await ended;
  await git(folder, env, ['commit-graph', 'write', '--reachable', '--changed-paths']);
  await writeFile(join(folder, 'bench-complete'), '');
}

function* stream({ tenants, services, commits }: Size): Generator<string> {
  const files = (tenant: number, environment: string, service: number, version: number) => {
    const folder = `tenants/${tenantName(tenant)}/${environment}/${serviceName(service)}`;
    return [
      file(
        `${folder}/service.yaml`,
        `image:\n  repository: registry.example.com/${serviceName(service)}\n  tag: v1.${version}.0\nreplicas: ${2 + (version % 5)}\n`,
      ),
      file(
        `${folder}/config.yaml`,
        `logLevel: ${version % 2 === 0 ? 'info' : 'debug'}\nowner: ${tenantName(tenant)}\n`,
      ),
      file(`${folder}/limits.yaml`, `cpu: 500m\nmemory: 256Mi\nname: ${folder}\n`),
    ];
  };
  yield commit(0, 'Initial import');
  yield file('.backtrail/config.yaml', CONFIG);
  for (let tenant = 0; tenant < tenants; tenant += 1) {
    for (const environment of ENVIRONMENTS)
      for (let service = 0; service < services; service += 1)
        yield files(tenant, environment, service, 0).join('');
  }
  for (let number = 1; number < commits; number += 1) {
    const { tenant, service, environment } = changedIn(number, { tenants, services });
    yield commit(number, `Deploy ${serviceName(service)} of ${tenantName(tenant)}`);
    yield files(tenant, environment, service, number)[0] ?? '';
    if (number % 3 === 0) yield files(tenant, environment, service, number)[1] ?? '';
  }
  yield 'done\n';
}

/** What a commit changes: the sequence visits every service again and again, in an order without pattern (multiplicative hashing). */
function changedIn(number: number, { tenants, services }: Pick<Size, 'tenants' | 'services'>) {
  const pick = (number * 2_654_435_761) % 4_294_967_296;
  return {
    tenant: pick % tenants,
    service: Math.floor(pick / tenants) % services,
    environment: ENVIRONMENTS[number % ENVIRONMENTS.length] ?? 'production',
  };
}

/** Services of production that have an earlier revision. */
export function changedScopes(size: Size, count: number): string[] {
  const scopes = new Set<string>();
  for (let number = 1; number < size.commits && scopes.size < count; number += 1) {
    const { tenant, service, environment } = changedIn(number, size);
    if (environment === 'production') scopes.add(`${tenantName(tenant)}/production/${serviceName(service)}`);
  }
  return [...scopes];
}

const START = 1_700_000_000;
const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
const file = (path: string, text: string) => `M 100644 inline ${path}\n${data(text)}`;
const commit = (number: number, message: string) =>
  `commit refs/heads/main\ncommitter Deploy Bot <bot@example.com> ${START + number * 60} +0000\n${data(message)}`;

async function git(folder: string, env: NodeJS.ProcessEnv, args: string[]): Promise<void> {
  const child = spawn('git', args, { cwd: folder, env, stdio: 'inherit' });
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`git ${args[0] ?? ''} failed`);
}
