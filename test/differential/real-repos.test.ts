import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { engineOf, rollBack } from '../helpers/repositories/engine.ts';
import { runs } from '../helpers/run/proof.ts';

const folder = process.env['BACKTRAIL_REAL_REPOS'] ?? '';
const bundle = (name: string) => join(folder, `${name}.bundle`);
const skipped = folder === '' || !existsSync(bundle('kubernetes-management'));

async function fromBundle(name: string): Promise<Repo> {
  const repo = await createRepo({ bare: true });
  await repo.git('fetch', '--quiet', bundle(name), '+refs/heads/*:refs/heads/*');
  return repo;
}

/** A small repeatable generator, so that a failure can be run again (Lehmer, modulus 2^31-1, multiplier 48271). */
function randomizer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

describe.skipIf(skipped)('real repositories, against git restore (needs BACKTRAIL_REAL_REPOS)', () => {
  it.each([
    [
      'kubernetes-management',
      'config/{environment}/{service}.yaml',
      (env: string, service: string) => `config/${env}/${service}.yaml`,
    ],
    [
      'flux2-kustomize-helm-example',
      'apps/{environment}/{service}-values.yaml',
      (env: string, service: string) => `apps/${env}/${service}-values.yaml`,
    ],
  ])('restores services of %s exactly as git restore does', async (name, pattern, pathOf) => {
    const repo = await fromBundle(name);
    const config = `version: 1\nbranch: main\nlayout: { service: ["${pattern}"] }\nkeep: []\n`;
    const engine = await engineOf(repo, { config });
    const next = randomizer(name.length);
    const environments = (await engine.environments()).filter(({ services }) => services.length > 0);
    let compared = 0;
    for (let round = 0; round < runs(25, 6); round += 1) {
      const { environment, services } = environments[next(environments.length)] ?? {
        environment: '',
        services: [],
      };
      const service = services[next(services.length)] ?? '';
      const path = pathOf(environment, service);
      const { revisions } = await engine.history({ scope: `${environment}/${service}`, limit: 100 });
      const target = revisions[next(revisions.length)]?.commit ?? '';
      const tip = await repo.git('rev-parse', 'main');
      const index = { GIT_INDEX_FILE: join(repo.gitDir, `index-${round}`) };
      await repo.gitWith({ env: index }, ['read-tree', tip]);
      const entry = await repo.git('ls-tree', target, '--', path);
      if (entry === '') continue;
      const [mode = '', , id = ''] = entry.split(/[ \t]/);
      await repo.gitWith({ env: index }, ['update-index', '--add', '--cacheinfo', `${mode},${id},${path}`]);
      const expected = await repo.gitWith({ env: index }, ['write-tree']);
      const result = await rollBack(engine, {
        scope: `${environment}/${service}`,
        to: target,
        allowRemoval: true,
      });
      expect(await repo.git('rev-parse', 'main^{tree}')).toBe(expected);
      expect(result.status).toBe(
        expected === (await repo.git('rev-parse', `${tip}^{tree}`)) ? 'unchanged' : 'completed',
      );
      await repo.git('update-ref', 'refs/heads/main', tip);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(runs(15, 3));
    await expect(repo.git('fsck', '--strict', '--no-dangling')).resolves.not.toMatch(/error/);
  });
});
