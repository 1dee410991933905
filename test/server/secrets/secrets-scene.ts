/** A repository full of secrets, behind a server that shows its page: some were rolled back, some are asked for, and a cluster runs others. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster } from '../../helpers/cluster/cluster.ts';
import { deploy } from '../../helpers/cluster/objects/rollout.ts';
import type { KubernetesObject } from '../../helpers/cluster/server/types.ts';
import { configOf } from '../../helpers/people/requests.ts';
import { builtConsole } from '../../helpers/program/browser.ts';
import { hasKubectl, kubectlFolder } from '../../helpers/program/kubectl.ts';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { closeAfterFile } from '../../helpers/run/lifetime.ts';
import { type Api, startApi } from '../../helpers/servers/api.ts';

/** In every secret, and in nothing else: of six characters, so that it is in what base64 makes of them as well. */
const CORE = 'Zq7Zq7';
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** What a text has of a secret: as it is, in base64 wherever it begins, in hexadecimal digits, or backwards. */
export function leaksIn(text: string): readonly string[] {
  const shifted = [0, 1, 2].map((by) =>
    base64(`${'-'.repeat(by)}${CORE}`).slice(by === 0 ? 0 : by + 1, by === 0 ? 8 : by === 1 ? -2 : -1),
  );
  const forms = [CORE, ...shifted, Buffer.from(CORE).toString('hex'), CORE.split('').toReversed().join('')];
  return forms.filter((form) => text.includes(form));
}

export interface SecretsScene {
  readonly api: Api;
  /** Of a rollback that was completed, and of one that waits. */
  readonly done: string;
  readonly waiting: string;
  /** A record, and a break-glass session. */
  readonly deployment: string;
  readonly session: string;
}

export async function secretsScene(): Promise<SecretsScene> {
  const cluster = await startCluster();
  closeAfterFile(() => cluster.stop());
  const clusters = join(await temporaryFolder(), 'clusters.yaml');
  await writeFile(
    clusters,
    `prod-eu: { context: prod-eu, kubeconfig: ${cluster.kubeconfig}, timeout: 20 }\n`,
  );
  const repo = await createRepo();
  const policy = {
    environments: [
      { match: '*/production', quorum: 1, unsignedApprovals: true, breakGlass: { allowed: true } },
    ],
  };
  const layout = { service: ['apps/{tenant}/{environment}/{service}/**'] };
  const live = [{ match: '**', cluster: 'prod-eu', kubernetes: { namespace: 'acme' } }];
  const delivery = { output: 'rendered/{tenant}/{environment}/{service}.yaml' };
  const checks = { RAW_SECRET: 'info' };
  await repo.commit({
    '.backtrail/config.yaml': configOf(policy, { layout, live, delivery, checks }),
    'apps/acme/staging/web/app.yaml': 'image: registry.example.com/web:1\n',
  });
  for (const version of [1, 2, 3]) await repo.commit(files(version), { message: `Release ${version}` });
  deploy(cluster, manifest(9));
  const env = {
    BACKTRAIL_CLUSTERS: clusters,
    PATH: `${hasKubectl ? `${await kubectlFolder()}:` : ''}${process.env['PATH'] ?? ''}`,
  };
  const engine = await engineOf(repo, { lives: 'file', env });
  const { requestId } = await rollBack(engine, { scope: 'acme/staging/api', to: 'v1', hold: true });
  const api = await startApi(engine, { lives: 'file', settings: { page: await builtConsole() } });
  const production = { tenant: 'acme', environment: 'production' };
  const asked = await api.post('/api/v1/rollbacks', {
    ...production,
    service: 'api',
    target: 'v1',
    justification: 'v3 answers 500',
  });
  const place = { tenant: 'acme', environment: 'staging', service: 'web' };
  const recorded = await api.post('/api/v1/deployments', { ...place, status: 'deployed' });
  const opened = await api.post('/api/v1/break-glass', {
    ...production,
    justification: 'Nobody is awake',
  });
  const [waiting, deployment, session] = [asked.body.request.id, recorded.body.id, opened.body.id];
  return { api, done: requestId, waiting, deployment, session };
}

/** Every form that files of such repositories have secrets in. */
function files(version: number): Readonly<Record<string, string>> {
  const secret = (name: string) => `${name}${CORE}${name}${version}`;
  const pem = `-----BEGIN PRIVATE KEY-----\n${base64(secret('key'))}\n${base64(secret('more'))}\n-----END PRIVATE KEY-----\n`;
  const indented = (text: string, by: string) => text.trimEnd().replaceAll('\n', `\n${by}`);
  const ofService = {
    'deployment.yaml': JSON.stringify(manifest(version), null, 2),
    'secret.yaml': `kind: Secret\napiVersion: v1\nmetadata: { name: api }\ndata:\n  a: ${base64(secret('data'))}\nstringData:\n  b: ${secret('string')}\n  tls.key: |\n    ${indented(pem, '    ')}\n`,
    'values.yaml': `image: { tag: "${version}" }\nauth:\n  postgresPassword: ${secret('pg')}\n  deeper: { token: ["${secret('list')}"] }\nextraEnv:\n  - name: API_TOKEN\n    value: "${secret('env')}"\ndatabaseUrl: postgres://api:${secret('url')}@db.example.com/api\nconfig: |\n  log: debug\n  password: ${secret('nested')}\n  privateKey: |\n    ${indented(pem, '    ')}\n# password: ${secret('comment')}\n`,
    'config-map.yaml': `kind: ConfigMap\napiVersion: v1\nmetadata: { name: api }\ndata:\n  app.properties: |\n    version=${version}\n    spring.datasource.password=${secret('spring')}\n  .dockerconfigjson: '${JSON.stringify({ auths: { 'r.example.com': { auth: base64(secret('docker')) } } })}'\n`,
    '.env': `VERSION=${version}\nDB_PASSWORD=${secret('dotenv')}\nexport AWS_SECRET_ACCESS_KEY="${secret('aws')}"\n`,
    'application.properties': `version=${version}\nspring.datasource.password=${secret('spring')}\n`,
    'config.json': JSON.stringify({ version, nested: { clientSecret: secret('json') } }, null, 2),
    'users.htpasswd': `admin:${secret('htpasswd')}\n`,
    'private-key.pem': `${pem}# ${version}\n`,
    'run.sh': `# ${version}\ncurl -u admin:${secret('curl')} https://example.com\nmysql -p${secret('mysql')} api\n`,
  };
  return Object.fromEntries(
    ['production', 'staging'].flatMap((environment) => [
      ...Object.entries(ofService).map(([name, text]) => [`apps/acme/${environment}/api/${name}`, text]),
      [`rendered/acme/${environment}/api.yaml`, `${JSON.stringify(manifest(version))}\n`],
    ]),
  );
}

/** A Deployment whose environment and arguments have passwords. */
function manifest(version: number): KubernetesObject {
  const secret = `${CORE}${version}`;
  const container = {
    name: 'api',
    image: `registry.example.com/api:${version}`,
    args: ['--verbose', `--password=${secret}`],
    env: [
      { name: 'LOG_LEVEL', value: version > 2 ? 'debug' : 'info' },
      { name: 'DB_PASSWORD', value: secret },
      { name: 'DATABASE_URL', value: `postgres://api:${secret}@db.example.com/api` },
    ],
  };
  const labels = { app: 'api' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'acme' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}
