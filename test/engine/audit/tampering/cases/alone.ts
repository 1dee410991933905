/** Rollbacks that need nobody else, one after the other in one repository. */
import { engineOf } from '../../../../helpers/repositories/engine.ts';
import { createRepo, type Files, type Repo } from '../../../../helpers/repositories/repo.ts';
import { publish } from '../../../holds/held-repo.ts';
import { type Case, keysWith, type Story } from '../case.ts';
import { diary } from './diary.ts';

const LAYOUT = {
  environment: ['apps/{environment}/env.yaml'],
  service: ['apps/{environment}/{service}/**', 'values/{environment}.yaml#/{service}'],
};
const configOf = (more: object = {}): Files => ({
  '.backtrail/config.yaml': `${JSON.stringify({
    version: 1,
    layout: LAYOUT,
    keep: ['**/secret.yaml', '**/app.yaml#/pinned'],
    ...more,
  })}\n`,
});

const ODD = 'apps/prod/ödd "x"';
const filesAt = (version: string): Files => ({
  'apps/prod/env.yaml': `region: ${version}\n`,
  'apps/prod/api/app.yaml': `image: ${version}\nreplicas: 1\npinned: ${version}\n`,
  'apps/prod/api/run.sh': { executable: `echo ${version}\n` },
  'apps/prod/api/secret.yaml': `key: ${version}\n`,
  'apps/prod/web/app.yaml': `image: ${version}\nreplicas: 1\n`,
  'apps/prod/db/app.yaml': `image: ${version}\n`,
  'apps/prod/kind/app.yaml': `kind: ${version === 'v1' ? 'Deployment' : 'StatefulSet'}\nimage: ${version}\n`,
  'apps/prod/merged/app.yaml': `image: ${version}\n`,
  'apps/prod/styled/app.yaml': `image: ${version}\n`,
  [`${ODD}/ä "quoted" #1 .yaml`]: `image: ${version}\n`,
  [`${ODD}/with space/\\back\ttab.yaml`]: `image: ${version}\n`,
  'values/prod.yaml': `api:\n  tag: ${version}\n  size: 1\nweb:\n  tag: ${version}\ndb:\n  tag: ${version}\n`,
});

const plain = { kind: 'rollback', how: 'push' } as const;

const CASES: readonly Case[] = [
  {
    ...plain,
    name: 'service',
    what: 'a service: files, a part of a shared file, kept files and kept parts',
    trailers: keysWith(),
    restored: 'apps/prod/api/app.yaml',
    other: 'values/prod.yaml',
    executable: 'apps/prod/api/run.sh',
    kept: 'apps/prod/api/secret.yaml',
    part: ['apps/prod/api/app.yaml', 'pinned: v2'],
    neighbour: 'web',
  },
  {
    ...plain,
    name: 'field',
    what: 'one field of a file',
    trailers: keysWith(['Rollback-Field']),
    restored: 'values/prod.yaml',
    part: ['values/prod.yaml', '  size: 1'],
  },
  {
    ...plain,
    name: 'whole file',
    what: 'a service whose shared file is restored as a whole',
    trailers: keysWith(['Rollback-Field']),
    restored: 'apps/prod/db/app.yaml',
    other: 'values/prod.yaml',
    neighbour: 'web',
  },
  {
    ...plain,
    name: 'removal',
    what: 'what did not exist at the target is removed',
    trailers: keysWith(['Rollback-Override']),
    restored: 'apps/prod/new/new.yaml',
    removed: 'apps/prod/new/new.yaml',
  },
  {
    ...plain,
    name: 'full',
    what: 'an environment',
    trailers: keysWith([], ['Service']),
    restored: 'apps/prod/env.yaml',
    other: 'apps/prod/web/app.yaml',
    kept: 'apps/prod/api/secret.yaml',
  },
  {
    ...plain,
    name: 'odd names',
    what: 'blanks, quotes, a backslash, a tab and letters that are not ASCII in the names',
    trailers: keysWith(),
    restored: `${ODD}/ä "quoted" #1 .yaml`,
    other: `${ODD}/with space/\\back\ttab.yaml`,
    neighbour: 'web',
  },
  {
    ...plain,
    name: 'override',
    what: 'over a check that blocks it',
    trailers: keysWith(['Rollback-Override']),
    restored: 'apps/prod/kind/app.yaml',
    neighbour: 'web',
  },
  {
    ...plain,
    name: 'merges',
    what: 'on a line with merges, on top of one',
    trailers: keysWith(),
    restored: 'apps/prod/merged/app.yaml',
    neighbour: 'web',
  },
  {
    ...plain,
    name: 'styled',
    what: 'with a subject and trailers of a template, and signed off',
    trailers: keysWith(['Change', 'Signed-off-by']),
    restored: 'apps/prod/styled/app.yaml',
    isSignedOff: true,
  },
];

/** A merge at the tip, whose second parent changed a file. */
async function merge(repo: Repo, files: Files): Promise<void> {
  const main = await repo.git('rev-parse', 'main');
  await repo.git('update-ref', 'refs/heads/side', main);
  await repo.replay([{ files }], 'side');
  const commit = await repo.git('commit-tree', '-p', main, '-p', 'side', '-m', 'Merge side', 'side^{tree}');
  await repo.git('update-ref', 'refs/heads/main', commit);
  await repo.git('update-ref', '-d', 'refs/heads/side');
}

export const ALONE: Story = {
  name: 'alone',
  cases: CASES,
  async build() {
    const repo = await createRepo({ bare: true });
    const [first = ''] = await repo.replay([
      { files: { ...configOf(), 'README.md': 'one\n', ...filesAt('v1'), 'apps/prod/new/new.yaml': null } },
      { files: { ...filesAt('v2'), 'apps/prod/new/new.yaml': 'image: v2\n' } },
      { files: { 'README.md': 'two\n' } },
    ]);
    const engine = await engineOf(repo, { lives: 'file' });
    const { note, done } = diary(repo);
    const roll = async (name: string, ask: Parameters<typeof publish>[1], reason?: string) =>
      note(name, (await publish(engine, { hold: false, ...ask }, reason)).result);
    await roll('service', { scope: 'prod/api' }, 'First line\n\n  and  more: of it\n');
    await roll('field', { scope: 'prod/web', fields: ['values/prod.yaml#/web/tag'] });
    // What is not its own comes back with the whole file.
    await repo.replay([
      { files: { 'values/prod.yaml': 'api:\n  tag: v1\n  size: 2\nweb:\n  tag: v1\ndb:\n  tag: v2\n' } },
    ]);
    await roll('whole file', { scope: 'prod/db', to: first, wholeFile: true });
    await roll('removal', { scope: 'prod/new', to: first, allowRemoval: true });
    await roll('odd names', { scope: 'prod/ödd "x"' });
    await roll('override', { scope: 'prod/kind', override: ['FIXED_FIELD'] });
    await merge(repo, { 'apps/prod/merged/app.yaml': 'image: v3\n' });
    await roll('merges', { scope: 'prod/merged' });
    const commit = {
      subject: 'fix({service}): {reason}',
      trailers: { Change: '{target} {mode}' },
      signoff: true,
    };
    await repo.replay([{ files: configOf({ commit }) }]);
    await roll('styled', { scope: 'prod/styled' });
    await repo.replay([{ files: configOf() }]);
    await roll('full', { scope: 'prod', to: first });
    return { repo, signers: null, done };
  },
};
