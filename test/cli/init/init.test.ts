import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeRequestId } from '../../../engine/internal.ts';
import {
  backtrail,
  completedOf,
  exampleRepo,
  jsonOf,
  refusalOf,
  stateOf,
} from '../../helpers/program/cli.ts';
import { engineOf, JANE } from '../../helpers/repositories/engine.ts';
import {
  cloneRepo,
  createRepo,
  isolatedEnv,
  type Repo,
  temporaryFolder,
} from '../../helpers/repositories/repo.ts';
import { isProof } from '../../helpers/run/proof.ts';

const shape = z.object({
  config: z.string(),
  environments: z.array(
    z.object({ tenant: z.string().optional(), environment: z.string(), services: z.array(z.string()) }),
  ),
  findings: z.array(z.looseObject({ code: z.string() })),
  commit: z.string().nullable(),
  file: z.string().nullable(),
  ledgerFetch: z.string().nullable(),
});
const CONFIG = '.backtrail/config.yaml';
const values = (tag: string) => `image:\n  repository: registry.example.com/api\n  tag: ${tag}\n`;
const PLAIN = {
  'environments/production/api/values.yaml': values('v1'),
  'environments/staging/api/values.yaml': values('v1'),
};

async function plainRepo(options: { bare?: boolean } = {}): Promise<Repo> {
  const repo = await createRepo(options);
  await repo.replay([
    { files: PLAIN },
    { files: { 'environments/production/api/values.yaml': values('v2') } },
  ]);
  return repo;
}

const init = (repo: Repo, ...args: string[]) => backtrail(repo, ['init', ...args]);

describe('init', () => {
  it('commits what it proposes, and a first rollback follows', async () => {
    const repo = await plainRepo();
    const before = await repo.git('rev-parse', 'HEAD');
    const { config, environments, commit, file } = jsonOf(await init(repo, '--yes', '-o', 'json'), shape);
    expect(environments).toEqual([
      { environment: 'production', services: ['api'] },
      { environment: 'staging', services: ['api'] },
    ]);
    expect(file).toBeNull();
    expect(await repo.git('log', '-1', '--format=%H %P%n%an <%ae>%n%cn%n%s%n%(trailers)')).toBe(
      `${commit} ${before}\nTest <test@example.com>\nBacktrail\nAdd Backtrail's configuration\n`,
    );
    expect(await repo.git('diff', '--name-status', before, 'HEAD')).toBe(`A\t${CONFIG}`);
    // The files of the clone follow.
    expect(await readFile(join(repo.folder, CONFIG), 'utf8')).toBe(config);
    expect(await repo.git('status', '--porcelain')).toBe('');
    expect(await repo.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    const listed = await backtrail(repo, ['environments', '-o', 'json']);
    expect(jsonOf(listed, shape.pick({ environments: true })).environments).toEqual(environments);
    const result = completedOf(
      await backtrail(repo, ['rollback', 'production/api', '--yes', '--reason', 'It fails', '-o', 'json']),
    );
    expect(await repo.git('show', `${result.commit}:environments/production/api/values.yaml`)).toBe(
      values('v1').trimEnd(),
    );
  });

  it.runIf(isProof)('commits to a bare repository, and through a URL to a remote one', async () => {
    const bare = await plainRepo({ bare: true });
    const first = jsonOf(await init(bare, '--yes', '-o', 'json'), shape);
    expect(await bare.git('rev-parse', 'main')).toBe(first.commit);
    const remote = await plainRepo({ bare: true });
    const url = `file://${remote.folder}`;
    const second = jsonOf(await backtrail(bare, ['--repo', url, 'init', '--yes', '-o', 'json']), shape);
    expect(await remote.git('rev-parse', 'main')).toBe(second.commit);
    expect(await remote.git('show', `main:${CONFIG}`)).toBe(second.config.trimEnd());
  });

  it.runIf(isProof)('publishes from a clone to its upstream, and brings the clone along', async () => {
    const remote = await plainRepo({ bare: true });
    const clone = await cloneRepo(remote);
    await clone.write({ 'notes.txt': 'mine\n' });
    const { commit, config, ledgerFetch } = jsonOf(await init(clone, '--yes', '-o', 'json'), shape);
    expect(ledgerFetch).toBe('origin');
    expect(await remote.git('rev-parse', 'main')).toBe(commit);
    expect(await clone.git('rev-parse', 'main')).toBe(commit);
    expect(await readFile(join(clone.folder, CONFIG), 'utf8')).toBe(config);
    expect(await clone.git('status', '--porcelain')).toBe('?? notes.txt');
  });

  it('has `git fetch` of a clone bring the ledger, once it is confirmed', async () => {
    const remote = await plainRepo({ bare: true });
    const clone = await cloneRepo(remote, { args: ['--origin', 'up.stream'] });
    const fetches = () => clone.git('config', '--get-all', 'remote.up.stream.fetch');
    const before = await fetches();
    expect((await init(clone)).code).toBe(2);
    expect((await init(clone, '--dry-run')).code).toBe(0);
    expect(await fetches()).toBe(before);
    const { code, stdout } = await init(clone, '--yes');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('`git fetch up.stream` brings'),
    });
    expect(await fetches()).toBe(`${before}\n+refs/backtrail/*:refs/backtrail/remote/*`);
    await remote.git('update-ref', 'refs/backtrail/ledger', 'main');
    await clone.git('fetch', '--quiet');
    expect(await clone.git('rev-parse', 'refs/backtrail/remote/ledger')).toBe(
      await remote.git('rev-parse', 'main'),
    );
    const engine = await engineOf(clone);
    expect(await engine.ledgerFetch('main')).toBeNull();
  });

  it.runIf(isProof)('reads a configuration that appeared meanwhile, and leaves it', async () => {
    const repo = await plainRepo({ bare: true });
    const engine = await engineOf(repo);
    const { branch, chosen } = await engine.propose();
    const config = chosen?.config ?? '';
    await repo.replay([{ files: { [CONFIG]: config.replace('layout:', 'subject: Back\nlayout:') } }]);
    const state = await stateOf(repo);
    const id = makeRequestId(1_790_000_000_000, new Uint8Array(10).fill(7));
    await expect(engine.writeConfig({ branch, text: config, id, author: JANE })).rejects.toMatchObject({
      code: 'CONFIG_PRESENT',
    });
    expect(await stateOf(repo)).toBe(state);
  });

  it('shows the text, what it finds and what it leaves out', async () => {
    const repo = await plainRepo();
    await repo.commit({ 'charts/api/Chart.yaml': 'name: api\n' });
    const state = await stateOf(repo);
    const { code, stdout } = await init(repo, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain('- "environments/{environment}/{service}/**"');
    expect(stdout).toMatch(/production {2}api\nstaging {5}api/);
    expect(stdout).toContain('1 of 3 files belong to no environment: charts/api (1).');
    expect(await stateOf(repo)).toBe(state);
  });

  it('writes nothing where nobody confirms it', async () => {
    const repo = await plainRepo();
    const state = await stateOf(repo);
    const { code, stdout, stderr } = await init(repo);
    expect(code).toBe(2);
    expect(stdout).toContain('environments/{environment}/{service}/**');
    expect(stderr).toContain('code: CONFIRMATION_REQUIRED');
    expect(await stateOf(repo)).toBe(state);
  });

  it('writes the proposal to a new file, which --config reads, and never over another', async () => {
    const repo = await plainRepo({ bare: true });
    const state = await stateOf(repo);
    const file = join(await temporaryFolder(), 'layout.yaml');
    const written = jsonOf(await init(repo, '--file', file, '-o', 'json'), shape);
    expect(written).toMatchObject({ commit: null, file });
    expect(await readFile(file, 'utf8')).toBe(written.config);
    const listed = await backtrail(repo, ['--config', file, 'environments', '-o', 'json']);
    expect(jsonOf(listed, shape.pick({ environments: true })).environments).toEqual(written.environments);
    expect(await stateOf(repo)).toBe(state);
    await writeFile(file, 'mine\n');
    const again = await backtrail(repo, ['init', '--file', file]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`The file ${file} is there already.`);
    expect(await readFile(file, 'utf8')).toBe('mine\n');
  });

  it.runIf(isProof)(
    'leaves a configuration that is there alone, and still writes a proposal beside it',
    async () => {
      const repo = await exampleRepo({ bare: true });
      const state = await stateOf(repo);
      expect(refusalOf(await init(repo, '--yes'))).toMatchObject({ exit: 2, code: 'CONFIG_PRESENT' });
      const file = join(await temporaryFolder(), 'layout.yaml');
      const { environments, config } = jsonOf(await init(repo, '--file', file, '-o', 'json'), shape);
      const listed = await backtrail(repo, ['environments', '-o', 'json']);
      expect(environments).toEqual(jsonOf(listed, shape.pick({ environments: true })).environments);
      expect(config).toContain('- "tenants/{tenant}/{environment}/services/{service}/**"');
      expect(config).toContain('- "tenants/{tenant}/{environment}/variables.yaml#/services/{service}"');
      expect(config).toContain('image: "service.yaml#/image/tag"');
      expect(await stateOf(repo)).toBe(state);
    },
  );

  it('gives a template and exit code 3 where nothing looks like an environment', async () => {
    const repo = await createRepo();
    await repo.commit({ 'lib/thing.yaml': 'a: 1\n', 'README.md': '# Thing\n' });
    const state = await stateOf(repo);
    const { code, stdout, stderr } = await init(repo, '--yes');
    expect(code).toBe(3);
    expect(stderr).toContain('code: LAYOUT_UNCLEAR');
    expect(stdout).toContain('environments/{environment}/{service}/**');
    const json = await init(repo, '--yes', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({ config: null, environments: [], commit: null });
    // The template is a configuration that can be tried at once.
    const file = join(await temporaryFolder(), 'layout.yaml');
    await writeFile(file, stdout);
    expect((await backtrail(repo, ['--config', file, 'environments'])).code).toBe(0);
    expect(await stateOf(repo)).toBe(state);
  });

  it('makes the folder of the file that it writes', async () => {
    const repo = await plainRepo();
    const file = join(repo.folder, CONFIG);
    expect((await init(repo, '--file', file)).code).toBe(0);
    expect(await readFile(file, 'utf8')).toContain('environments/{environment}');
  });

  it('does not send rollbacks to the branch on which it was written', async () => {
    const repo = await plainRepo();
    await repo.git('switch', '--quiet', '-c', 'feature');
    expect((await init(repo, '--yes')).code).toBe(0);
    await repo.git('switch', '--quiet', 'main');
    await repo.git('merge', '--quiet', 'feature');
    const feature = await repo.git('rev-parse', 'feature');
    const args = ['rollback', 'production/api', '--yes', '--reason', 'Why', '-o', 'json'];
    const { commit } = completedOf(await backtrail(repo, args));
    expect(await repo.git('rev-parse', 'main', 'feature')).toBe(`${commit}\n${feature}`);
  });

  it('refuses a branch without a commit', async () => {
    const repo = await createRepo();
    expect(refusalOf(await init(repo, '--yes'))).toMatchObject({
      exit: 2,
      code: 'BRANCH_UNKNOWN',
      message: 'The branch main has no commit yet.',
    });
  });

  it.runIf(isProof)('says how to go on where the branch is protected', async () => {
    const remote = await plainRepo({ bare: true });
    await writeFile(
      join(remote.folder, 'hooks/pre-receive'),
      '#!/bin/sh\necho "main is protected: open a pull request" >&2\nexit 1\n',
      { mode: 0o755 },
    );
    const state = await stateOf(remote);
    const { env } = await isolatedEnv();
    const transcript = await backtrail({ folder: remote.folder, env }, [
      '--repo',
      `file://${remote.folder}`,
      'init',
      '--yes',
    ]);
    expect(transcript.code).toBe(3);
    expect(transcript.stderr).toContain('code: REMOTE_REJECTED');
    expect(transcript.stderr).toMatch(/hint: Write it to a file instead .*pull request/);
    expect(await stateOf(remote)).toBe(state);
  });

  it('writes into no file or link that stands in the place of its folder', async () => {
    const repo = await plainRepo({ bare: true });
    await repo.replay([{ files: { '.backtrail': { link: '/tmp' } } }]);
    const state = await stateOf(repo);
    const { code, stderr } = await init(repo, '--yes');
    expect([code, stderr]).toEqual([3, expect.stringContaining('code: PATH_COLLISION')]);
    expect(await stateOf(repo)).toBe(state);
  });
});

const real = process.env['BACKTRAIL_REAL_REPOS'] ?? '/nowhere';

describe.skipIf(!existsSync(real))('init on real repositories (needs BACKTRAIL_REAL_REPOS)', () => {
  async function proposed(name: string) {
    const { env } = await isolatedEnv();
    const place = await createRepo({ env });
    await place.git('fetch', '--quiet', join(real, `${name}.bundle`), '+refs/heads/main:refs/heads/real');
    await place.git('symbolic-ref', 'HEAD', 'refs/heads/real');
    const bare = await cloneRepo(place, { bare: true, args: ['-b', 'real'] });
    return { repo: bare, ...jsonOf(await init(bare, '--yes', '-o', 'json'), shape) };
  }

  it('finds clusters that list their releases, and the values beside them', async () => {
    const { repo, config, environments } = await proposed('kubernetes-management');
    expect(config).toContain(`  environment:
    - "clusters/{environment}.yaml"
    - "config/{environment}/**"
`);
    expect(config).toContain(`  service:
    - "clusters/{environment}.yaml#/releases[name={service}]"
    - "config/{environment}/{service}.yaml"
`);
    const clusters = (await repo.git('ls-tree', '--name-only', 'real:clusters')).split('\n');
    expect(environments.map(({ environment }) => `${environment}.yaml`)).toEqual(clusters);
    for (const { environment, services } of environments) {
      // Independently of any parser: what the list of releases names, at its indentation.
      const text = await repo.git('show', `real:clusters/${environment}.yaml`);
      const [, releases = ''] = text.split(/^releases:$/m);
      const names = [...releases.matchAll(/^ {2}- name: (\S+)$/gm)].map(([, name = '']) => name);
      expect(names.length).toBeGreaterThan(0);
      expect(services).toEqual(expect.arrayContaining(names));
      const files = await repo.git('ls-tree', '--name-only', `real:config/${environment}`);
      const stems = [...files.matchAll(/^(.+)\.yaml$/gm)].map(([, stem = '']) => stem);
      expect(services).toEqual([...new Set([...names, ...stems])].sort());
    }
  });

  it.runIf(isProof)('finds overlays of environments beside a base', async () => {
    const { config, environments } = await proposed('flux2-kustomize-helm-example');
    expect(config).toContain('- "apps/{environment}/**"');
    expect(config).toContain('- "clusters/{environment}/**"');
    expect(config).toContain('- "apps/{environment}/{service}-values.yaml"');
    expect(environments).toEqual([
      { environment: 'production', services: ['podinfo'] },
      { environment: 'staging', services: ['podinfo'] },
    ]);
  });
});
