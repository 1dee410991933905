import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkup } from '../../../engine/internal.ts';
import { diagnose } from '../../helpers/program/doctor.ts';
import { kubectl, needsKubectl } from '../../helpers/program/programs.ts';
import { createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';

const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n';
const config = (delivery: string) =>
  `version: 1\nlayout: { service: [ "apps/{environment}/{service}/**" ] }\ndelivery: { output: "out/{environment}/{service}.yaml"${delivery} }\n`;

async function repoOf(files: Record<string, string>, delivery = '') {
  const repo = await createRepo();
  await repo.commit({ '.backtrail/config.yaml': config(delivery), ...files });
  return repo;
}

/** A PATH with git, and nothing that renders. */
async function onlyGit(path: string): Promise<string> {
  const folder = join(await temporaryFolder(), 'bin');
  await mkdir(folder);
  const { execFileSync } = await import('node:child_process');
  const git = execFileSync('sh', ['-c', 'command -v git'], { env: { PATH: path }, encoding: 'utf8' }).trim();
  await symlink(git, join(folder, 'git'));
  return folder;
}

it('says what renders the services', async () => {
  const repo = await repoOf({ 'apps/prod/web/web.yaml': MANIFEST, 'apps/prod/none/readme.md': 'x' });
  expect((await diagnose(repo)).one('renderers')).toMatchObject({
    status: 'ok',
    details: { renderers: { 'plain 1': 1, 'nothing to deliver': 1 } },
  });
  expect((await diagnose(await createRepo())).of('renderers')).toEqual([]);
});

it.runIf(kubectl)(`tells where a service needs Kustomize and PATH has none${needsKubectl}`, async () => {
  const repo = await repoOf({
    'apps/prod/web/kustomization.yaml': 'resources: [ web.yaml ]\n',
    'apps/prod/web/web.yaml': MANIFEST,
    'apps/prod/api/api.yaml': MANIFEST,
  });
  const found = await diagnose(repo, { env: { PATH: await onlyGit(repo.env['PATH'] ?? '') } });
  expect(found.code).toBe(0);
  expect(found.one('renderers')).toMatchObject({
    status: 'warn',
    hint: expect.stringContaining('Install kustomize or kubectl'),
    details: { services: ['prod/web'] },
  });
  expect((await diagnose(repo)).one('renderers').message).toMatch(/kustomize [\w.]+ \(1\), plain 1 \(1\)/);
});

it('tells where a command of the repository is not allowed here', async () => {
  const repo = await repoOf(
    { 'apps/prod/web/x.txt': MANIFEST },
    ', command: { run: [ "cat", "{directory}/x.txt" ] }',
  );
  const found = await diagnose(repo);
  expect([found.code, found.one('renderers').status]).toEqual([3, 'fail']);
  expect(found.one('renderers').hint).toContain('BACKTRAIL_RENDER_COMMANDS');
});

it('lets a configuration named on the command line run what it says, as every command does', async () => {
  const repo = await repoOf({ 'apps/prod/web/x.txt': MANIFEST });
  const file = join(await temporaryFolder(), 'config.yaml');
  await writeFile(file, config(', command: { run: [ "cat", "{directory}/x.txt" ] }'));
  const found = await diagnose(repo, { args: ['--config', file] });
  expect([found.code, found.one('renderers').status]).toEqual([0, 'ok']);
  const open = await diagnose(repo, { args: ['--config', file], env: { BACKTRAIL_RENDER_SANDBOX: 'off' } });
  expect(open.one('confinement')).toMatchObject({ status: 'warn', details: { confined: false } });
});

it('stops to render after a minute, and says how many services were not tried', async () => {
  const repo = await repoOf({
    'apps/prod/a/a.yaml': MANIFEST,
    'apps/prod/b/b.yaml': MANIFEST,
    'apps/prod/c/c.yaml': MANIFEST,
  });
  let now = Date.now();
  const person = { name: 'Test', email: 'test@example.com' };
  const { checks } = await checkup({
    repo: repo.folder,
    env: repo.env,
    cacheFolder: await temporaryFolder(),
    account: person,
    committer: person,
    nodeVersion: process.versions.node,
    clock: { now: () => (now += 40_000), sleep: () => Promise.resolve() },
  });
  const { message } = checks.find(({ name }) => name === 'renderers') ?? {};
  expect(message).toBe('Services are rendered by plain 1 (1). 2 more services were not tried.');
});

it('says how far it is while it renders', async () => {
  const repo = await repoOf({ 'apps/prod/web/web.yaml': MANIFEST, 'apps/prod/api/api.yaml': MANIFEST });
  const seen: unknown[] = [];
  await checkup({
    repo: repo.folder,
    env: repo.env,
    cacheFolder: await temporaryFolder(),
    account: { name: 'A', email: 'a@example.com' },
    committer: { name: 'B', email: 'b@example.com' },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    nodeVersion: process.versions.node,
    onProgress: (progress) => seen.push(progress),
  });
  expect(seen).toEqual([
    { phase: 'rendering', percent: 0, objects: 0, amount: '0 of 2' },
    { phase: 'rendering', percent: 50, objects: 1, amount: '1 of 2' },
    null,
  ]);
});
