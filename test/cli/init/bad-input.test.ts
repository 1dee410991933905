import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MODE, type TreeView } from '../../../engine/model/index.ts';
import { propose } from '../../../engine/init/proposal/propose.ts';
import { backtrail, stateOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';
import { DEPLOYMENT, files, VALUES } from '../../helpers/trees/tree-files.ts';

const shape = z.looseObject({
  chosen: z.string().nullish(),
  error: z.looseObject({ code: z.string(), message: z.string() }),
});

const commits = (tree: Readonly<Record<string, string>>) => (repo: Repo) => repo.commit(tree);

const SERVICES = ['api', 'web', 'worker'];

describe('init on what is no configuration repository', () => {
  it.each(
    someOf<[string, (repo: Repo) => Promise<unknown>, number, string]>(
      [
        [
          'one folder with a text',
          commits({ 'notes/a.txt': 'hello\n' }),
          3,
          'The tree holds no file that describes a deployment: no YAML, JSON or the like.',
        ],
        [
          'sources without YAML',
          commits({ 'src/main.c': 'int main;\n', 'README.md': '# x\n', Makefile: 'all:\n' }),
          3,
          'The tree holds no file that describes a deployment: no YAML, JSON or the like.',
        ],
        [
          'charts alone',
          commits({
            ...files('charts/{0}/Chart.yaml', 'name: x\nversion: 1.0.0\n', SERVICES),
            ...files('charts/{0}/values.yaml', VALUES, SERVICES),
            ...files('charts/{0}/templates/deployment.yaml', '{{ .Values.x }}\n', SERVICES),
          }),
          3,
          'The tree holds charts alone, and nothing that says where they are deployed.',
        ],
        [
          'sources with one deploy/ folder',
          commits({
            ...files('packages/{0}/src/index.ts', 'export {};\n', SERVICES),
            ...files('packages/{0}/package.json', '{}\n', SERVICES),
            'deploy/deployment.yaml': DEPLOYMENT,
            'deploy/service.yaml': 'kind: Service\n',
          }),
          3,
          'The folder deploy describes one deployment, and nothing in it names an environment.',
        ],
        [
          'files that cannot be parsed, and nothing that names an environment',
          commits(files('things/{0}.yaml', 'a: [\n\t- {{ x\n', SERVICES)),
          3,
          'No folder or file of the tree looks like an environment.',
        ],
        [
          'links alone',
          (repo) =>
            repo.replay([
              { files: { production: { link: '../elsewhere' }, staging: { link: '../elsewhere' } } },
            ]),
          3,
          'The tree holds submodules or links, and what they lead to is not looked at: run it in the repository that holds the files.',
        ],
        [
          'submodules alone',
          async (repo) => {
            const id = await repo.commit({ 'README.md': '# x\n' });
            await repo.git('update-index', '--add', '--cacheinfo', `160000,${id},production`);
            await repo.git('commit', '--quiet', '-m', 'modules');
            await mkdir(join(repo.folder, 'production'), { recursive: true });
          },
          3,
          'The tree holds submodules or links, and what they lead to is not looked at: run it in the repository that holds the files.',
        ],
        [
          'environments that are branches',
          async (repo) => {
            await repo.commit(files('{0}/deployment.yaml', DEPLOYMENT, ['apps/one', 'apps/two']));
            for (const name of ['staging', 'production']) await repo.git('branch', name);
          },
          3,
          'The environments seem to be branches (production, staging), and one configuration reads one branch.',
        ],
      ],
      4,
    ),
  )('says in one sentence what is missing, and guesses nothing: %s', async (_, make, code, message) => {
    const repo = await createRepo();
    await make(repo);
    const state = await stateOf(repo);
    const transcript = await backtrail(repo, ['init', '--yes', '-o', 'json']);
    const { chosen, error } = shape.parse(JSON.parse(transcript.stdout));
    expect({ code: transcript.code, message: error.message }).toEqual({ code, message });
    expect(chosen ?? null).toBeNull();
    expect(await stateOf(repo)).toBe(state);
  });

  it('finds environments in names with blanks and of other scripts beside files that cannot be parsed', async () => {
    const repo = await createRepo();
    await repo.commit(
      files('umgebungen/{0}/{1}/werte.yaml', 'a: [\n', ['Produktion', 'Abnahme'], ['Zahlung Süd', '決済']),
    );
    const { code, stdout } = await backtrail(repo, ['init', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Abnahme +Zahlung Süd, 決済\nProduktion +Zahlung Süd, 決済/);
  });

  it('looks at samples of 200,000 files in one folder', async () => {
    const many = Array.from({ length: 200_000 }, (_, index) => ({
      name: `thing-${index}.yaml`,
      mode: MODE.file,
      id: '0'.repeat(40),
    }));
    let reads = 0;
    const view: TreeView = {
      list: (path) => Promise.resolve(path === '' ? many : []),
      entry: () => Promise.resolve(null),
      read: () => {
        reads += 1;
        return Promise.resolve(new TextEncoder().encode('a: 1\n'));
      },
    };
    const { chosen, findings } = await propose(view);
    expect(chosen).toBeNull();
    expect(findings.map(({ message }) => message)).toEqual([
      'No folder or file of the tree looks like an environment.',
    ]);
    expect(reads).toBeLessThan(1000);
  });
});
