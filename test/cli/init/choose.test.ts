import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, refusalOf, stateOf } from '../../helpers/program/cli.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { hasScript, onTerminal } from '../../helpers/program/terminal.ts';
import { isProof } from '../../helpers/run/proof.ts';

const candidate = z.strictObject({
  shape: z.string(),
  config: z.string(),
  environments: z.array(z.string()),
  services: z.array(z.string()),
  covered: z.number(),
  uncovered: z.array(z.strictObject({ kind: z.string(), files: z.number(), paths: z.array(z.string()) })),
});
const shape = z.looseObject({
  candidates: z.array(candidate),
  chosen: z.string().nullable(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});
const values = (tag: string) => `image:\n  repository: registry.example.com/api\n  tag: ${tag}\n`;
const tree = (paths: readonly string[], tag = 'v1') =>
  Object.fromEntries(paths.map((path) => [path, values(tag)]));

const REGIONS = ['production', 'staging'].flatMap((environment) =>
  ['eu-west-1', 'us-east-1'].flatMap((region) =>
    ['api', 'web'].map((service) => `envs/${environment}/${region}/${service}/values.yaml`),
  ),
);

/** Whether regions go back together is for people to say. */
async function regionRepo(): Promise<Repo> {
  const repo = await createRepo();
  await repo.commit({ ...tree(REGIONS), 'charts/api/Chart.yaml': 'name: api\n' });
  await repo.commit(tree(REGIONS, 'v2'));
  return repo;
}

/** One for all that write nothing. */
let regions: Repo;
beforeAll(async () => {
  regions = await regionRepo();
});

const init = (repo: Repo, ...args: string[]) => backtrail(repo, ['init', ...args]);

async function jsonFrom(repo: Repo, ...args: string[]) {
  const { code, stdout } = await init(repo, ...args, '-o', 'json');
  return { code, ...shape.parse(JSON.parse(stdout)) };
}

describe('init where two layouts are possible', () => {
  it('ends with exit code 3, and gives the layouts to scripts in the document of the error', async () => {
    const repo = regions;
    const state = await stateOf(repo);
    const { code, chosen, candidates, error } = await jsonFrom(repo, '--yes');
    expect({ code, chosen, error: error?.code }).toEqual({ code: 3, chosen: null, error: 'LAYOUT_UNCLEAR' });
    expect(candidates.map(({ environments }) => environments)).toEqual([
      ['production', 'staging'],
      ['eu-west-1/production', 'eu-west-1/staging', 'us-east-1/production', 'us-east-1/staging'],
    ]);
    expect(candidates[1]?.services).toContain('us-east-1/staging/web');
    for (const { covered, uncovered, config } of candidates) {
      expect({ covered, uncovered }).toEqual({
        covered: 8,
        uncovered: [{ kind: 'chart', files: 1, paths: ['charts/api'] }],
      });
      expect(config).toContain('version: 1');
    }
    expect(await stateOf(repo)).toBe(state);
  });

  it('shows people what each finds and leaves out, and why it chose none', async () => {
    const { code, stdout, stderr } = await init(regions, '--yes');
    expect(code).toBe(3);
    expect(stdout).toContain('2. environment-folder: ');
    expect(stdout).toContain('"envs/{environment}/{tenant}/{service}/**"');
    expect(stdout).toContain('leaves out    1 file, of charts: charts/api');
    expect(stderr).toContain('would both be production/api, and go back together.');
    expect(stderr).toContain('--like PATH');
  });

  it('takes an example for the answer', async () => {
    const like = `${REGIONS[0]}=eu-west-1/production/api`;
    const { code, chosen, candidates } = await jsonFrom(await regionRepo(), '--yes', '--like', like);
    expect({ code, chosen }).toEqual({ code: 0, chosen: 'environment-folder' });
    expect(candidates[0]?.environments).toContain('us-east-1/staging');
  });
});

describe('init that is told what to look for', () => {
  const BOTH = [
    ...['blue', 'green'].flatMap((name) => [
      `slots/${name}/api/values.yaml`,
      `slots/${name}/web/values.yaml`,
    ]),
    ...['production', 'staging'].flatMap((name) => [
      `deploy/${name}/api/values.yaml`,
      `deploy/${name}/web/values.yaml`,
    ]),
  ];

  /** Nothing is written to it. */
  let both: Repo;
  beforeAll(async () => {
    both = await createRepo();
    await both.commit(tree(BOTH));
  });

  it('takes these names for the environments, and no others', async () => {
    const { code, candidates } = await jsonFrom(both, '--dry-run', '--environments', 'blue,green');
    expect(code).toBe(0);
    expect(candidates[0]?.environments).toEqual(['blue', 'green']);
    expect(candidates[0]?.services).toEqual(['blue/api', 'blue/web', 'green/api', 'green/web']);
  });

  it('says which of the names no layout finds', async () => {
    const { code, error } = await jsonFrom(both, '--dry-run', '--environments', 'blue,violet');
    expect(code).toBe(3);
    expect(error?.message).toBe('No layout finds violet; the nearest is slots/{environment}/**.');
    const none = await jsonFrom(both, '--dry-run', '--environments', 'violet');
    expect(none.error?.message).toBe('Nothing in the tree is called violet.');
  });

  it('takes a layout of this shape, or says that there is none', async () => {
    const repo = await createRepo();
    await repo.commit(
      tree([
        ...BOTH,
        'charts/api/values-production.yaml',
        'charts/api/values-staging.yaml',
        'charts/web/values-staging.yaml',
      ]),
    );
    const { candidates, chosen } = await jsonFrom(repo, '--dry-run', '--shape', 'helm-values');
    expect(chosen).toBe('helm-values');
    expect(candidates[0]?.config).toContain('"charts/{service}/values-{environment}.yaml"');
    const none = await jsonFrom(repo, '--dry-run', '--shape', 'terraform-variables');
    expect(none.code).toBe(3);
    expect(none.error?.message).toMatch(/^Nothing in the tree has the shape terraform-variables; /);
  });

  it.each([
    [['--shape', 'kustomise-overlays'], 'Did you mean kustomize-overlays?'],
    [['--environments', 'prod,,stg'], '--environments prod,staging'],
    [['--like', 'no-equals-sign'], 'apps/api/values-prod.yaml=prod/api'],
    [['--like', 'missing.yaml=prod/api'], 'For example --like'],
    [['--like', 'deploy/production/api/values.yaml=staging/api'], 'For example --like'],
    [['--like', 'deploy/production/api/values.yaml=a/b/c/d'], 'For example --like'],
  ])('refuses what cannot be meant, with what could: %j', async (args, hint) => {
    const refusal = refusalOf(await init(both, ...args));
    expect(refusal).toMatchObject({ exit: 2, code: 'INVALID_REQUEST' });
    expect(refusal.hint).toContain(hint);
  });

  it.each([
    ['apps/api/values-prod.yaml', 'prod/api', 'apps/{service}/values-{environment}.yaml'],
    ['apps/api/overlays/prod/kustomization.yaml', 'prod/api', 'apps/{service}/overlays/{environment}/**'],
    ['t/acme/prod/svc/api.yaml', 'acme/prod/api', 't/{tenant}/{environment}/svc/{service}.yaml'],
    ['prod/api/prod/x.yaml', 'prod/api', '{service}/{environment}/**'],
  ])('reads the example %s=%s', async (path, scope, pattern) => {
    const repo = await createRepo();
    await repo.commit(tree([path]));
    const { candidates } = await jsonFrom(repo, '--dry-run', '--like', `${path}=${scope}`);
    expect(candidates[0]?.config).toContain(pattern);
    expect(candidates[0]?.services).toEqual([scope]);
  });
});

describe.skipIf(!hasScript)('init on a terminal', () => {
  it('lets one choose, shows what a plan would look like, and writes nothing before yes', async () => {
    const repo = await regionRepo();
    const state = await stateOf(repo);
    // Down, enter: the second. Then no.
    const { code, seen } = await onTerminal(
      repo,
      ['init'],
      [
        ['Which of these is yours?', '\u001b[B\r'],
        ['Commit this as', 'n'],
      ],
    );
    expect(seen).toContain('leaves out');
    expect(seen).toContain('a rollback would look like this');
    expect(seen).toMatch(/Rollback of .*(?:eu-west-1|us-east-1)\/(?:production|staging)\/(?:api|web)/);
    expect(code).toBe(2);
    expect(await stateOf(repo)).toBe(state);
  });

  it.runIf(isProof)('writes the layout that was chosen and confirmed', async () => {
    const repo = await regionRepo();
    const { code } = await onTerminal(
      repo,
      ['init'],
      [
        ['Which of these is yours?', '\u001b[B\r'],
        ['Commit this as', 'y'],
      ],
    );
    expect(code).toBe(0);
    const text = await readFile(join(repo.folder, '.backtrail/config.yaml'), 'utf8');
    expect(text).toContain('{environment}/{tenant}/{service}');
  });

  it.runIf(isProof)('writes nothing where none is chosen', async () => {
    const repo = await regionRepo();
    const state = await stateOf(repo);
    const { code } = await onTerminal(repo, ['init'], [['Which of these is yours?', '\u001b[A\r']]);
    expect(code).toBe(2);
    expect(await stateOf(repo)).toBe(state);
  });
});
