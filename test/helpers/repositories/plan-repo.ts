import type { Engine } from '../../../engine/internal.ts';
import { engineOf } from './engine.ts';
import { type CommitOptions, createRepo, type Files, type Repo } from './repo.ts';

/** A layout with every kind of selection: a folder, a key of a shared map, kept paths and parts, delivered manifests. */
export const CONFIG = {
  version: 1,
  layout: {
    environment: ['tenants/{tenant}/{environment}/**'],
    service: [
      'tenants/{tenant}/{environment}/services/{service}/**',
      'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
    ],
    bindings: ['**/bindings/**'],
    variables: ['**/variables.yaml'],
  },
  fields: { image: 'service.yaml#/image/tag', replicas: 'service.yaml#/replicas' },
  keep: ['**/secrets/**', 'kind:Secret', 'format:sops', '**/environment.yaml#/metadata'],
  source: [
    { subject: '^promote', is: 'promotion' },
    { author: 'bot', is: 'release' },
  ],
};

/** Releases in one file, a file beside it, no tenants. */
export const SHARED = {
  version: 1,
  layout: {
    service: ['clusters/{environment}.yaml#/releases[name={service}]', 'config/{environment}/{service}.yaml'],
  },
  keep: [],
};

export type Step = Files | (CommitOptions & { readonly files: Files });

export interface Planning {
  readonly repo: Repo;
  readonly engine: Engine;
  /** Commit ids, oldest first; the first holds the configuration. */
  readonly ids: string[];
}

/** A bare repository with these commits, its configuration in the first of them. */
export async function planning(steps: readonly Step[], config: object = CONFIG): Promise<Planning> {
  const repo = await createRepo({ bare: true });
  const commits = steps.map((step) => (isCommit(step) ? step : { files: step }));
  const first = { '.backtrail/config.yaml': `${JSON.stringify(config)}\n` };
  const ids = await repo.replay(
    commits.map((commit, index) =>
      index === 0 ? { ...commit, files: { ...first, ...commit.files } } : commit,
    ),
  );
  return { repo, engine: await engineOf(repo), ids };
}

function isCommit(step: Step): step is CommitOptions & { readonly files: Files } {
  return (
    'files' in step &&
    typeof step['files'] === 'object' &&
    step['files'] !== null &&
    !('link' in step['files'])
  );
}

/** `v3 Subject`, newest first. */
export async function versions(engine: Engine, scope: string, fields: string[] = []): Promise<string[]> {
  const { revisions } = await engine.history({ scope, fields, limit: 100 });
  return revisions.map(({ version, subject }) => `v${version} ${subject}`);
}
