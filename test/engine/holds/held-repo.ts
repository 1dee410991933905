/** Repositories with automation in them, and rollbacks through the public door. */
import type { Engine, Finding, GatedPlan } from '../../../engine/internal.ts';
import { JANE } from '../../helpers/repositories/engine.ts';
import { createRepo, type Files, type Repo } from '../../helpers/repositories/repo.ts';

export const CONFIG = {
  version: 1,
  layout: { service: ['apps/{environment}/{service}/**'] },
  keep: [],
  holds: {
    bots: ['*bot@example.com'],
    set: [{ field: '**/app.yaml#/autoDeploy', value: false }],
    sources: ['git.example.com/acme/config'],
  },
};
export const API = 'apps/prod/api';
export const BOT = { name: 'Fleet', email: 'image-bot@example.com' };
export const app = (tag: string, replicas = 1) =>
  `# the service\nimage:\n  name: api\n  tag: ${tag} # {"$imagepolicy": "flux-system:api:tag"}\nreplicas: ${replicas}\nautoDeploy: true\n`;
export const bare = (tag: string, replicas = 1) =>
  `# the service\nimage:\n  name: api\n  tag: ${tag}\nreplicas: ${replicas}\nautoDeploy: false\n`;

export async function repoWith(files: (tag: string) => Files, config: object = CONFIG): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  const settings = { '.backtrail/config.yaml': `${JSON.stringify(config)}\n` };
  await repo.replay([
    { files: { ...settings, ...files('v1') } },
    { files: files('v2'), author: BOT, message: 'Bump to v2' },
  ]);
  return repo;
}

export const marked = () => repoWith((tag) => ({ [`${API}/app.yaml`]: app(tag) }));

export type Ask = Parameters<Engine['rollbacks']['plan']>[0];

export async function publish(engine: Engine, ask: Ask, reason = 'It answers 500') {
  const plan = await engine.rollbacks.plan({ author: JANE, ...ask });
  return { plan, result: await request(engine, plan, ask, reason) };
}

export function request(engine: Engine, plan: GatedPlan, ask: Ask, reason = 'It answers 500') {
  const { target, digest, base, fields } = plan;
  const { to: _, revisions: __, ...rest } = ask;
  return engine.rollbacks.request({
    ...rest,
    ...(fields && { fields }),
    target,
    digest,
    base,
    reason,
    author: JANE,
  });
}

export const codes = ({ findings }: { findings: readonly Finding[] }) => findings.map(({ code }) => code);
export const show = (repo: Repo, path: string, at = 'main') =>
  repo.git('show', `${at}:${path}`).then((text) => `${text}\n`);
export const holdFiles = async (repo: Repo) =>
  (await repo.git('ls-tree', '-r', '--name-only', 'main', '.backtrail/holds')).split('\n').filter(Boolean);
