/** Holds from plan to resume, on real repositories. */
import { describe, expect, it } from 'vitest';
import type { Engine, Finding, GatedPlan } from '../../../engine/internal.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';

const CONFIG = {
  version: 1,
  layout: { service: ['apps/{environment}/{service}/**'] },
  keep: [],
  holds: {
    bots: ['*bot@example.com'],
    set: [{ field: '**/app.yaml#/autoDeploy', value: false }],
    sources: ['git.example.com/acme/config'],
  },
};
const API = 'apps/prod/api';
const BOT = { name: 'Fleet', email: 'image-bot@example.com' };
const app = (tag: string, replicas = 1) =>
  `# the service\nimage:\n  name: api\n  tag: ${tag} # {"$imagepolicy": "flux-system:api:tag"}\nreplicas: ${replicas}\nautoDeploy: true\n`;
const bare = (tag: string, replicas = 1) =>
  `# the service\nimage:\n  name: api\n  tag: ${tag}\nreplicas: ${replicas}\nautoDeploy: false\n`;

async function repoWith(
  files: (tag: string) => Record<string, string>,
  config: object = CONFIG,
): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  const settings = { '.backtrail/config.yaml': `${JSON.stringify(config)}\n` };
  await repo.replay([
    { files: { ...settings, ...files('v1') } },
    { files: files('v2'), author: BOT, message: 'Bump to v2' },
  ]);
  return repo;
}

const marked = () => repoWith((tag) => ({ [`${API}/app.yaml`]: app(tag) }));

type Ask = Parameters<Engine['rollbacks']['plan']>[0];

async function publish(engine: Engine, ask: Ask, reason = 'It answers 500') {
  const plan = await engine.rollbacks.plan({ author: JANE, ...ask });
  return { plan, result: await request(engine, plan, ask, reason) };
}

function request(engine: Engine, plan: GatedPlan, ask: Ask, reason = 'It answers 500') {
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

const codes = ({ findings }: { findings: readonly Finding[] }) => findings.map(({ code }) => code);
const show = (repo: Repo, path: string, at = 'main') =>
  repo.git('show', `${at}:${path}`).then((text) => `${text}\n`);
const holdFiles = async (repo: Repo) =>
  (await repo.git('ls-tree', '-r', '--name-only', 'main', '.backtrail/holds')).split('\n').filter(Boolean);

describe('a hold', () => {
  it('is placed by default where a marker moves a restored field, in the commit of the rollback itself', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const { plan, result } = await publish(engine, { scope: 'prod/api' });
    expect(plan.hold).toEqual({
      for: null,
      fields: [{ path: `${API}/app.yaml`, selector: '/image/tag', held: 'v1' }],
      taken: [
        { adapter: 'flux', path: `${API}/app.yaml`, selector: '/image/tag' },
        { adapter: 'keys', path: `${API}/app.yaml`, selector: '/autoDeploy' },
      ],
    });
    expect(codes(plan)).toContain('HOLD_PLACED');
    expect(await show(repo, `${API}/app.yaml`)).toBe(bare('v1'));
    const path = `.backtrail/holds/prod/${result.requestId}.yaml`;
    expect(await holdFiles(repo)).toEqual([path]);
    expect(
      (await repo.git('log', '-1', '--format=%(trailers:key=Rollback-Hold,valueonly)', 'main')).trim(),
    ).toBe(path);
    const { holds } = await engine.holds({ scope: 'prod/api' });
    expect(holds).toMatchObject([
      {
        path,
        requestId: result.requestId,
        scope: 'prod/api',
        state: 'active',
        until: null,
        author: JANE.email,
        reason: 'It answers 500',
        adapters: ['flux', 'keys'],
        fields: [{ path: `${API}/app.yaml`, selector: '/image/tag', held: 'v1', now: 'v1', broken: false }],
      },
    ]);
  });

  it('gives every byte back when it is resumed, in a commit that says so', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const { result } = await publish(engine, { scope: 'prod/api' });
    const resumed = await publish(engine, { scope: 'prod/api', resume: true }, 'Fixed forward');
    expect(resumed.plan.resumes).toEqual([`.backtrail/holds/prod/${result.requestId}.yaml`]);
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v1'));
    expect(await holdFiles(repo)).toEqual([]);
    const trailers = await repo.git('log', '-1', '--format=%(trailers:only,unfold)', 'main');
    expect(trailers.trim().split('\n')).toEqual([
      'Justification: Fixed forward',
      'Author: jane@example.com',
      `Resume-Hold: .backtrail/holds/prod/${result.requestId}.yaml`,
      `Resume-Request-ID: ${resumed.result.requestId}`,
      `Resume-Plan: ${resumed.plan.digest}`,
    ]);
    await expect(engine.rollbacks.plan({ scope: 'prod/api', resume: true })).rejects.toMatchObject({
      code: 'HOLD_UNKNOWN',
    });
  });

  it('changes neither bytes nor digest of a rollback that places none', async () => {
    const repo = await marked();
    const engine = await engineOf(repo);
    const without = await engine.rollbacks.plan({ scope: 'prod/api', hold: false });
    const held = await engine.rollbacks.plan({ scope: 'prod/api', hold: true });
    const short = await engine.rollbacks.plan({ scope: 'prod/api', holdFor: '7d' });
    expect(new Set([without.digest, held.digest, short.digest]).size).toBe(3);
    expect(without.hold).toBeUndefined();
    await request(engine, without, { scope: 'prod/api', hold: false });
    expect(await show(repo, `${API}/app.yaml`)).toBe(app('v1'));
    expect(await holdFiles(repo)).toEqual([]);
  });

  it('is only advised where a bot wrote what is undone, and nothing shows that it will again', async () => {
    const repo = await repoWith((tag) => ({ [`${API}/app.yaml`]: `image: ${tag}\n` }));
    const engine = await engineOf(repo);
    const plan = await engine.rollbacks.plan({ scope: 'prod/api' });
    expect(plan.hold).toBeUndefined();
    expect(plan.findings.find(({ code }) => code === 'HOLD_ADVISED')?.hint).toContain('--hold');
    expect(codes(await engine.rollbacks.plan({ scope: 'prod/api', hold: false }))).not.toContain(
      'HOLD_ADVISED',
    );
  });
});
