/** Holds from plan to resume, on real repositories. */
import { describe, expect, it } from 'vitest';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import {
  API,
  app,
  bare,
  CONFIG,
  codes,
  holdFiles,
  marked,
  publish,
  repoWith,
  request,
  show,
} from './held-repo.ts';

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

  it('is behind the gate of every environment that owns what adapters write', async () => {
    const layout = {
      service: ['apps/{environment}/{service}/**'],
      environment: ['apps/*/*/argo-{environment}.yaml'],
    };
    const policy = { environments: [{ match: 'staging', quorum: 1, unsignedApprovals: true }] };
    const argo =
      'kind: Application\nmetadata:\n  annotations:\n    argocd-image-updater.argoproj.io/image-list: a=b\n';
    const repo = await repoWith(
      (tag) => ({ [`${API}/app.yaml`]: `image: ${tag}\n`, [`${API}/argo-staging.yaml`]: argo }),
      { ...CONFIG, layout, policy },
    );
    const engine = await engineOf(repo);
    const plan = await engine.rollbacks.plan({ scope: 'prod/api', to: 'v1', author: JANE });
    expect(plan.hold?.taken).toMatchObject([
      { adapter: 'argocd-image-updater', path: `${API}/argo-staging.yaml` },
    ]);
    expect(plan.owners).toEqual(['prod', 'staging']);
    expect(plan.gate.needsApproval).toBe(true);
    const once = await engine.rollbacks.plan({ scope: 'prod/api', to: 'v1', hold: false, author: JANE });
    expect([once.owners, once.gate.needsApproval]).toEqual([undefined, false]);
  });

  it('writes manifests of what it holds, and those again of what a resume gives back', async () => {
    const delivery = { output: 'out/{environment}/{service}.yaml' };
    const files = (tag: string) => ({
      [`${API}/app.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: api}\ndata:\n  tag: ${tag} # {"$imagepolicy": "a:b:tag"}\nautoDeploy: true\n`,
    });
    const repo = await repoWith(files, { ...CONFIG, delivery });
    const engine = await engineOf(repo);
    const { result } = await publish(engine, { scope: 'prod/api' });
    expect(result.deliveryCommit).not.toBeNull();
    expect(await show(repo, 'out/prod/api.yaml')).toContain('autoDeploy: false');
    const resumed = await publish(engine, { scope: 'prod/api', resume: true });
    expect(resumed.result.deliveryCommit).not.toBeNull();
    expect(await show(repo, 'out/prod/api.yaml')).toContain('autoDeploy: true');
    expect(await engine.guard({ head: 'main' })).toMatchObject({ violations: [] });
  });
});
