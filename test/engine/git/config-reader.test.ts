import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configValue } from '../../../engine/git/process/config.ts';
import { createConfigReader } from '../../../engine/git/config-reader.ts';
import { createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';

/** A reader of a new repository, and how often it has asked git. */
async function reading() {
  const repo = await createRepo();
  const folder = await temporaryFolder();
  const list = join(folder, 'list');
  const path = repo.env['PATH'] ?? '';
  await writeFile(list, '');
  await writeFile(join(folder, 'git'), `#!/bin/sh\necho x >> '${list}'\nPATH='${path}' exec git "$@"\n`);
  await chmod(join(folder, 'git'), 0o755);
  const directory = join(repo.folder, '.git');
  const env = { ...repo.env, PATH: `${folder}:${path}` };
  const place = { env, folder: repo.folder, timeoutMs: 60_000, directory, common: directory };
  const reader = createConfigReader(place);
  const asked = async () => (await readFile(list, 'utf8')).length / 2;
  const named = async () => configValue(await reader.read(), 'user.name');
  return { repo, reader, asked, named };
}

it('asks git once as long as no file of the configuration changes', async () => {
  const { reader, asked } = await reading();
  expect(await reader.read()).toEqual(await reader.read());
  expect(await asked()).toBe(1);
});

it('asks again once the file of the repository, of the user or of the worktree has changed', async () => {
  const { repo, named, asked } = await reading();
  await named();
  await repo.git('config', 'user.name', 'Repository');
  expect(await named()).toBe('Repository');
  await repo.git('config', '--unset', 'user.name');
  await appendFile(repo.globalConfig, '[user]\n\tname = Global\n');
  expect(await named()).toBe('Global');
  await repo.git('config', 'extensions.worktreeConfig', 'true');
  await repo.git('config', '--worktree', 'user.name', 'Worktree');
  expect(await named()).toBe('Worktree');
  expect(await asked()).toBe(4);
});

it('asks again each time where something is included, and where files are about to be touched', async () => {
  const { repo, reader, named, asked } = await reading();
  await reader.fresh();
  await reader.fresh();
  expect(await asked()).toBe(2);
  const included = join(await temporaryFolder(), 'included');
  await repo.git('config', 'include.path', included);
  expect(await named()).not.toBe('Included');
  await writeFile(included, '[user]\n\tname = Included\n');
  expect(await named()).toBe('Included');
});
