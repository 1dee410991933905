import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { isProof } from '../helpers/run/proof.ts';
import { documentsOf } from '../helpers/trees/deliver.ts';
import { engineOf, rollBack } from '../helpers/repositories/engine.ts';
import { fixtures } from '../helpers/repositories/fixtures.ts';
import { foldersLeft, kubectl, needsKubectl } from '../helpers/program/programs.ts';
import { isolatedEnv } from '../helpers/repositories/repo.ts';

const PORTAL = 'tenants/initech/production/services/portal';
const OUT = 'delivery/initech/production/portal.yaml';

async function portal() {
  const built = await fixtures();
  const { directory } = built;
  const isolated = await isolatedEnv();
  const engine = await engineOf({ folder: directory, env: isolated.env });
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, encoding: 'utf8' });
  return { engine, git, id: (key: string) => built.id(key), directory };
}

describe('a service that Kustomize builds from a base outside of its folder', () => {
  it.skipIf(!kubectl)(`is rolled back, built and delivered in two commits${needsKubectl}`, async () => {
    const { engine, git, id, directory } = await portal();
    const result = await rollBack(engine, { scope: 'initech/production/portal' });
    expect(result).toMatchObject({ status: 'completed', target: id('portal-good') });
    expect(git('diff', '--name-only', id('portal-good'), 'main', '--', PORTAL)).toBe('');
    expect(git('show', '--name-only', '--format=', String(result.deliveryCommit))).toBe(`${OUT}\n`);
    expect(
      git('log', '-1', '--format=%(trailers:key=Delivery-Renderer,valueonly)', String(result.deliveryCommit)),
    ).toMatch(/^kustomize \d+\.\d+\.\d+\n/);
    const built = documentsOf(
      execFileSync('kubectl', ['kustomize', PORTAL], { cwd: directory, encoding: 'utf8' }),
      '1.1',
    );
    const delivered = documentsOf(git('show', `main:${OUT}`), '1.1');
    expect(delivered).toHaveLength(built.length);
    for (const document of built) expect(delivered).toContainEqual(document);
    expect(result.findings).toMatchObject([
      { code: 'RENDER_DIFFERS', path: 'bases/web/deployment.yaml', severity: 'warn' },
    ]);
    expect(foldersLeft()).toEqual([]);
  });

  it.runIf(isProof && kubectl)(`is built once more without a change${needsKubectl}`, async () => {
    const { engine, git } = await portal();
    await rollBack(engine, { scope: 'initech/production/portal' });
    const first = git('rev-parse', `main:${OUT}`);
    await rollBack(engine, { scope: 'initech/production/portal', to: 'v1' });
    const { findings } = await rollBack(engine, { scope: 'initech/production/portal', to: 'v2' });
    expect(git('rev-parse', `main:${OUT}`)).toBe(first);
    expect(findings.map(({ code }) => code)).toEqual(['RENDER_DIFFERS']);
  });

  it.runIf(isProof && kubectl)(`shows an output that a person edited${needsKubectl}`, async () => {
    const { engine, git, directory } = await portal();
    await rollBack(engine, { scope: 'initech/production/portal' });
    execFileSync('sed', ['-i', 's/replicas: 2/replicas: 9/', OUT], { cwd: directory });
    git('-c', 'user.name=J', '-c', 'user.email=j@x', 'commit', '-qam', 'Scale by hand');
    const { plan } = await engine.plan({ scope: 'initech/production/portal', to: 'v1', hold: false });
    expect(plan.findings.map(({ code }) => code)).toEqual(['DELIVERY_DRIFT', 'RENDER_DIFFERS']);
  });

  it('blocks where Kustomize is missing, says what to install, and changes nothing', async () => {
    const folder = execFileSync('sh', ['-c', 'dirname "$(command -v git)"'], { encoding: 'utf8' }).trim();
    const { engine, git, directory } = await portal();
    const before = git('rev-parse', 'main');
    // Git alone is on this path: a folder with one link.
    execFileSync('sh', ['-c', `mkdir ../bin && ln -s "${folder}/git" ../bin/git`], { cwd: directory });
    const isolated = await isolatedEnv();
    const bare = await engineOf({ folder: directory, env: { ...isolated.env, PATH: `${directory}/../bin` } });
    await engine.close();
    const { plan } = await bare.plan({ scope: 'initech/production/portal', hold: false });
    expect(plan.findings).toMatchObject([
      {
        code: 'RENDER_FAILED',
        severity: 'block',
        message: `${PORTAL}/kustomization.yaml needs Kustomize, but neither kustomize nor kubectl was found.`,
      },
    ]);
    await expect(rollBack(bare, { scope: 'initech/production/portal' })).rejects.toMatchObject({
      code: 'RENDER_FAILED',
    });
    expect(git('rev-parse', 'main')).toBe(before);
  });
});
