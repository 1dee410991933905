import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, refusalOf } from '../../helpers/program/cli.ts';
import { cloneRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { someOf } from '../../helpers/run/proof.ts';
import { DEPLOYMENT, files, VALUES } from '../../helpers/trees/tree-files.ts';

const shape = z.strictObject({
  uncovered: z.array(z.strictObject({ path: z.string(), kind: z.string(), suggestion: z.string() })),
});

async function check(repo: Repo) {
  const { code, stdout, stderr } = await backtrail(repo, ['init', '--check', '-o', 'json']);
  const { uncovered } = shape.parse(JSON.parse(stdout));
  return { code, stderr, found: uncovered.map(({ path, kind }) => `${kind} ${path}`), uncovered };
}

const TREE = {
  ...files('clusters/{0}.yaml', VALUES, ['production', 'staging']),
  ...files('apps/{0}/{1}/values.yaml', VALUES, ['production', 'staging'], ['api', 'web']),
  'apps/base/api/deployment.yaml': DEPLOYMENT,
  'charts/api/Chart.yaml': 'name: api\n',
  // Left out when the configuration was written.
  'bootstrap/production/root.yaml': DEPLOYMENT,
  '.backtrail/config.yaml': `version: 1
layout:
  environment: [ "clusters/{environment}.yaml", "apps/{environment}/**" ]
  service: [ "apps/{environment}/{service}/**" ]
  ignore: { environment: [ base, tools ] }
`,
};

async function coveredRepo(): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit(TREE);
  return repo;
}

describe('init --check', () => {
  it('finds nothing after init itself, and nothing where all that has come is covered', async () => {
    const repo = await createRepo();
    await repo.commit(files('envs/{0}/{1}/values.yaml', VALUES, ['production', 'staging'], ['api', 'web']));
    await repo.commit({ 'bootstrap/production/root.yaml': DEPLOYMENT });
    expect((await backtrail(repo, ['init', '--yes', '--environments', 'production,staging'])).code).toBe(0);
    expect(await check(repo)).toMatchObject({ code: 0, stderr: '', uncovered: [] });
    await repo.commit({
      ...files('envs/{0}/worker/values.yaml', VALUES, ['production', 'staging', 'qa']),
      'envs/production/extra.yaml': VALUES,
      'README.md': '# production\n',
      'charts/api/Chart.yaml': 'name: api\n',
      'docs/production/how.yaml': VALUES,
      '.github/production.yaml': VALUES,
    });
    expect(await check(repo)).toMatchObject({ code: 0, uncovered: [] });
    const text = await backtrail(repo, ['init', '--check']);
    expect(text.stdout).toBe('Nothing has come that the configuration does not cover.\n');
  });

  it.each(
    someOf<[string, Record<string, string>, string, string]>(
      [
        [
          'an environment with another ending',
          { 'clusters/qa.yml': VALUES },
          'environment clusters/qa.yml',
          'Add "clusters/{environment}.yml" to `layout.environment`',
        ],
        [
          'a folder of an environment where files are taken',
          { 'clusters/uat/a.yaml': VALUES, 'clusters/uat/b.yaml': VALUES },
          'environment clusters/uat',
          'Add "clusters/{environment}/**"',
        ],
        [
          'an environment that is known, elsewhere',
          { 'databases/production/db/values.yaml': VALUES },
          'sibling databases/production',
          'Add "databases/{environment}/**"',
        ],
        [
          'values of an environment that is known, elsewhere',
          { 'databases/values-production.yaml': VALUES },
          'sibling databases/values-production.yaml',
          'Add "databases/values-{environment}.yaml"',
        ],
        [
          'something beside what is taken',
          { 'clusters/moon.yml': VALUES },
          'sibling clusters/moon.yml',
          '"clusters/{environment}.yaml" takes what is beside it, and not moon.yml',
        ],
      ],
      2,
    ),
  )('ends with exit code 3 and a suggestion for %s', async (_, come, found, suggestion) => {
    const repo = await coveredRepo();
    expect(await check(repo)).toMatchObject({ code: 0, uncovered: [] });
    await repo.commit(come);
    const seen = await check(repo);
    expect({ code: seen.code, found: seen.found, stderr: seen.stderr }).toEqual({
      code: 3,
      found: [found],
      stderr: '',
    });
    expect(seen.uncovered[0]?.suggestion).toContain(suggestion);
    const text = await backtrail(repo, ['init', '--check']);
    expect(text.code).toBe(3);
    expect(text.stdout).toContain(`! ${found}`);
  });

  it('is silent about names that the configuration ignores, and bases', async () => {
    const repo = await coveredRepo();
    await repo.commit({ 'apps/tools/x/values.yaml': VALUES, 'apps/base/web/values.yaml': VALUES });
    expect(await check(repo)).toMatchObject({ code: 0, uncovered: [] });
  });

  it('holds all against a configuration from outside, as it does not say since when', async () => {
    const repo = await coveredRepo();
    const { '.backtrail/config.yaml': text } = TREE;
    await repo.git('rm', '--quiet', '-r', '.backtrail');
    await repo.commit({ 'layout.txt': text });
    const seen = await backtrail(repo, ['--config', 'layout.txt', 'init', '--check', '-o', 'json']);
    expect(shape.parse(JSON.parse(seen.stdout)).uncovered.map(({ path }) => path)).toEqual([
      'bootstrap/production',
    ]);
  });

  it('does not take the cut of a shallow clone for the change of the configuration', async () => {
    const repo = await coveredRepo();
    await repo.commit({ 'clusters/qa.yml': VALUES });
    const shallow = await cloneRepo(repo, { bare: true, args: ['--depth', '1', '--no-local'] });
    expect(refusalOf(await backtrail(shallow, ['init', '--check']))).toMatchObject({
      exit: 3,
      code: 'SHALLOW_TARGET',
    });
  });

  it('goes with no option that proposes something', async () => {
    const refusal = refusalOf(await backtrail(await coveredRepo(), ['init', '--check', '--yes']));
    expect(refusal).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
  });

  it('counts files that the layout shares as covered', async () => {
    const repo = await coveredRepo();
    const added = (name: string) => ({ [`databases/production/${name}/values.yaml`]: VALUES });
    await repo.commit(added('db'));
    expect((await check(repo)).code).toBe(3);
    const config = TREE['.backtrail/config.yaml'].replace(
      '  ignore:',
      '  shared: [ "databases/**" ]\n  ignore:',
    );
    await repo.commit({ '.backtrail/config.yaml': config });
    await repo.commit({ ...added('cache'), 'databases/staging/db/values.yaml': VALUES });
    expect(await check(repo)).toMatchObject({ code: 0, uncovered: [] });
  });
});
