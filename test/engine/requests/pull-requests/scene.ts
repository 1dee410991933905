/** A configuration repository on a code host whose branch takes no push, and what happens there. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../../../engine/internal.ts';
import type { HostKind } from '../../../../engine/model/index.ts';
import { configOf, createTeam, engineFor, type Team } from '../../../helpers/people/requests.ts';
import { engineOf } from '../../../helpers/repositories/engine.ts';
import { createRepo, type Files, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { closeAfterFile, closeAfterTest } from '../../../helpers/run/lifetime.ts';
import { type Host, type HostSettings, startHost } from '../../../helpers/servers/host/host.ts';
import { opensAs } from '../../../helpers/servers/host/opens-as.ts';

export { askFor, lookOf, proposeFor, stateOf } from '../../../helpers/people/proposing.ts';

export interface SceneOptions {
  readonly kind?: HostKind;
  /** Of the rule in `publish`. */
  readonly rule?: object;
  readonly policy?: object;
  readonly more?: object;
  readonly settings?: Partial<HostSettings>;
  /** The operator lists no host. */
  readonly isUnlisted?: boolean;
  /** In prod; `api` and `web` where absent. */
  readonly services?: readonly string[];
  /** More files of the first commit, and of the second. */
  readonly files?: readonly [Files, Files];
  /** Git speaks with the host, as it does in life; otherwise it opens the host's repository, by half as many processes. */
  readonly overHttp?: boolean;
  /** Made in `beforeAll`. */
  readonly lives?: 'test' | 'file';
}

export interface Scene {
  readonly repo: Repo;
  readonly host: Host;
  readonly team: Team;
  readonly janes: Engine;
  readonly bobs: Engine;
  readonly worker: Engine;
  /** Another worker, with a cache of its own. `isUnlisted`: its operator lists no host. */
  another(options?: Pick<SceneOptions, 'isUnlisted' | 'overHttp'>): Promise<Engine>;
  /** `apps/prod/<service>/app.yaml` on the branch, by a person who may push. */
  deploy(service: string, content: string): Promise<string>;
  /** The configuration on the branch, with another policy. */
  configure(policy: object, more?: object): Promise<string>;
  /** The list of keys that everybody here trusts. */
  readonly signers: string;
  /** Milliseconds later, for whoever looks at clocks. */
  later(milliseconds: number): void;
  /** `path` on the branch. */
  show(path: string): Promise<string>;
  /** Subjects of the branch's first-parent line, newest first. */
  subjects(): Promise<readonly string[]>;
  branches(): Promise<readonly string[]>;
}

const NO_POLICY = { environments: [] };

/** `apps/prod/<service>`, each with a good and a bad revision; `apps/prod/shared.yaml` has no service. */
export async function createScene({
  kind = 'github',
  rule = {},
  policy = NO_POLICY,
  more = {},
  settings = {},
  isUnlisted = false,
  services = ['api', 'web'],
  files = [{}, {}],
  overHttp = false,
  lives = 'test',
}: SceneOptions = {}): Promise<Scene> {
  const repo = await createRepo({ bare: true });
  const publish = [{ match: 'prod', via: 'pull-request', ...rule }];
  const deployed = (image: string) =>
    Object.fromEntries(
      services.map((service) => [`apps/prod/${service}/app.yaml`, `image: ${image}\nreplicas: 1\n`]),
    );
  await repo.replay([
    {
      files: {
        '.backtrail/config.yaml': configOf(policy, { publish, ...more }),
        ...deployed('v1'),
        ...files[0],
        'apps/dev/api/app.yaml': 'image: v1\n',
        'README.md': 'one\n',
      },
      message: 'Start',
    },
    {
      files: { ...deployed('v2'), 'apps/dev/api/app.yaml': 'image: v2\n', ...files[1] },
      message: 'Deploy v2',
    },
  ]);
  const host = await startHost({
    kind,
    bare: repo.folder,
    settings,
  });
  (lives === 'file' ? closeAfterFile : closeAfterTest)(() => host.close());
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'token'), `${host.token}\n`);
  await writeFile(
    join(folder, 'hosts.yaml'),
    `"${host.name}": { kind: ${kind}, api: "${host.api}", token: token }\n`,
  );
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 50))),
  };
  // Of this file: what a file makes is gone after it.
  const team = await createTeam();
  const { jane, bob, signers: all } = team;
  const signers = join(folder, 'signers');
  await copyFile(all, signers);
  const near = await opensAs(host.url, repo.folder);
  const envOf = (own: Pick<SceneOptions, 'isUnlisted' | 'overHttp'>): Record<string, string> => ({
    ...(own.overHttp !== true && near),
    ...(own.isUnlisted !== true && { BACKTRAIL_HOSTS: join(folder, 'hosts.yaml') }),
  });
  const env = envOf({ isUnlisted, overHttp });
  const options = { location: host.authenticated, allowedSigners: signers, clock, env, lives };
  const open: Scene['another'] = (own = {}) =>
    engineOf(repo, { ...options, lives: 'test', env: envOf({ isUnlisted, overHttp, ...own }) });
  const [janes, bobs, worker] = await Promise.all([
    engineFor(repo, jane, options),
    engineFor(repo, bob, options),
    engineOf(repo, options),
  ]);
  return {
    repo,
    host,
    team,
    janes,
    bobs,
    worker,
    another: open,
    signers,
    configure: (changed, now = {}) =>
      host.commitOn('main', {
        files: { '.backtrail/config.yaml': configOf(changed, { publish, ...more, ...now }) },
        message: 'Configure',
      }),
    deploy: (service, content) =>
      host.commitOn('main', {
        files: { [`apps/prod/${service}/app.yaml`]: content },
        message: `Deploy ${service}`,
      }),
    later: (milliseconds) => void (offset += milliseconds),
    show: (path) => repo.git('show', `main:${path}`),
    subjects: async () => (await repo.git('log', '--first-parent', '--format=%s', 'main')).split('\n'),
    branches: async () =>
      (await repo.git('for-each-ref', '--format=%(refname:short)', 'refs/heads')).split('\n'),
  };
}
