/** A namespace of a real cluster that is made for a run, a repository whose manifests are applied there, and the end of both. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Engine, openEngine } from '../../../engine/index.ts';
import type { KubernetesObject } from '../../../test/helpers/cluster/server/types.ts';
import { environmentOf } from '../../people.ts';

export interface Place {
  readonly namespace: string;
  readonly engine: Engine;
  /** The same by whoever the entry of the operator's file says. */
  engineWith(entry: object): Promise<Engine>;
  /** Commits manifests as those of a service, and applies them. */
  release(service: string, objects: readonly KubernetesObject[]): Promise<void>;
  /** The same, without applying them. */
  commit(service: string, objects: readonly KubernetesObject[]): Promise<void>;
  kubectl(...args: string[]): Promise<string>;
  readonly kubeconfig: string;
  readonly context: string;
  end(): Promise<void>;
}

/** Progress has to be seen within so long. */
const WITHIN = '45s';

/** @throws where the cluster cannot be asked, or makes no namespace */
export async function openPlace(kubeconfig: string): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'backtrail-proof-'));
  const namespace = `backtrail-proof-${randomBytes(4).toString('hex')}`;
  const kubectl: Place['kubectl'] = async (...args) =>
    (await promisify(execFile)('kubectl', [`--kubeconfig=${kubeconfig}`, ...args], { maxBuffer: 1e8 }))
      .stdout;
  const context = (await kubectl('config', 'current-context')).trim();
  await kubectl('create', 'namespace', namespace);
  const env = {
    ...environmentOf(join(folder, 'home')),
    // Login plugins look for their own files there.
    HOME: homedir(),
    PATH: process.env['PATH'] ?? '',
    GIT_AUTHOR_NAME: 'Proof',
    GIT_AUTHOR_EMAIL: 'proof@example.com',
    GIT_COMMITTER_NAME: 'Proof',
    GIT_COMMITTER_EMAIL: 'proof@example.com',
  };
  const repo = join(folder, 'config');
  const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: repo, env });
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(repo, path)), { recursive: true });
    await writeFile(join(repo, path), text);
  };
  await write(
    '.backtrail/config.yaml',
    `version: 1\nlayout: { service: ["envs/{environment}/{service}/**"] }\nlive: [{ match: proof, cluster: proof, within: ${WITHIN}, kubernetes: { namespace: ${namespace} } }]\n`,
  );
  await git('init', '--quiet', '--initial-branch=main');
  const opened: Engine[] = [];
  const engineWith: Place['engineWith'] = async (entry) => {
    const file = join(folder, `clusters-${opened.length}.yaml`);
    await writeFile(file, JSON.stringify({ proof: entry }));
    const engine = await openEngine({
      repo,
      env: { ...env, BACKTRAIL_CLUSTERS: file },
      cacheFolder: join(folder, 'cache'),
    });
    opened.push(engine);
    return engine;
  };
  const commit: Place['commit'] = async (service, objects) => {
    const text = objects.map((object) => `---\n${JSON.stringify(object, null, 2)}\n`).join('');
    await write(`envs/proof/${service}/manifests.yaml`, text);
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '-m', `Release ${service}`);
  };
  return {
    namespace,
    kubeconfig,
    context,
    engine: await engineWith({ context, kubeconfig }),
    engineWith,
    commit,
    release: async (service, objects) => {
      await commit(service, objects);
      await kubectl('apply', `--namespace=${namespace}`, `--filename=${join(repo, 'envs/proof', service)}`);
    },
    kubectl,
    end: async () => {
      for (const engine of opened) await engine.close();
      await kubectl('delete', 'namespace', namespace, '--wait=false');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
