import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openGit } from '../../../engine/git/open.ts';
import type { GitRepository } from '../../../engine/git/open.ts';
import { runs } from '../../helpers/run/proof.ts';
import { cloneRepo, createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';

const opened: GitRepository[] = [];
afterEach(async () => {
  for (const git of opened.splice(0)) await git.close();
});

async function open(repo: Repo, location = repo.folder): Promise<GitRepository> {
  const git = await openGit({
    location,
    env: repo.env,
    cacheFolder: await temporaryFolder(),
    timeoutMs: 30_000,
  });
  opened.push(git);
  return git;
}

describe('opening', () => {
  test('finds a worktree, a folder in it, its git directory, a bare repository and a linked worktree', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a/b/c.txt': 'c\n' });
    const bare = await cloneRepo(repo, { bare: true });
    const linked = join(await temporaryFolder(), 'linked');
    await repo.git('worktree', 'add', '--quiet', '-b', 'other', linked);

    for (const folder of [repo.folder, join(repo.folder, 'a/b'), repo.gitDir, bare.folder, linked]) {
      const git = await open(repo, folder);
      expect(git.kind).toBe('local');
      expect(await git.tip('main')).toBe(tip);
    }
    expect((await open(repo, join(repo.folder, 'a/b'))).worktree).toBe(repo.folder);
    expect((await open(repo, linked)).worktree).toBe(linked);
    expect((await open(repo, bare.folder)).worktree).toBeNull();
    expect(await (await open(repo, linked)).defaultBranch()).toBe('other');
  });

  test('opens a bare repository that the user names, though git is set to find none by itself', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a\n' });
    const bare = await cloneRepo(repo, { bare: true });
    await repo.git('config', '--global', 'safe.bareRepository', 'explicit');
    await expect(repo.git('-C', bare.folder, 'rev-parse', '--git-dir')).rejects.toThrow(
      'safe.bareRepository',
    );
    expect(await (await open(repo, bare.folder)).tip('main')).toBe(tip);
  });

  test('works where the path holds blanks and quotes, and ignores the git variables of a hook', async () => {
    const folder = join(await temporaryFolder(), `it's a "repo"`);
    const repo = await createRepo({ folder });
    const tip = await repo.commit({ 'a.txt': 'a' });
    const other = await createRepo();
    await other.commit({ 'b.txt': 'b' });
    const env = {
      ...repo.env,
      GIT_DIR: other.gitDir,
      GIT_INDEX_FILE: '/nowhere',
      GIT_OBJECT_DIRECTORY: '/nowhere',
    };
    const git = await openGit({ location: folder, env, cacheFolder: await temporaryFolder() });
    opened.push(git);
    expect(await git.tip('main')).toBe(tip);
    expect((await git.history.log({ tip, path: 'a.txt' })).map(({ id }) => id)).toEqual([tip]);
  });

  test.each([
    ['', 'an empty name'],
    ['--upload-pack=touch /tmp/x', 'an option'],
    ['ext::sh -c touch% /tmp/x', 'a helper program'],
    ['fd::17', 'another helper'],
    ['gopher://example.com/x', 'a scheme that git does not know'],
    ['ssh://-oProxyCommand=x/y', 'an option as host'],
    ['file://host/path', 'a file on a host'],
    ['/nowhere/at/all', 'a folder that is not there'],
  ])('refuses %j: %s', async (location) => {
    const repo = await createRepo();
    await expect(open(repo, location)).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' });
  });

  test('refuses a folder without a repository', async () => {
    const repo = await createRepo();
    await expect(open(repo, await temporaryFolder())).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' });
  });

  test('without git a folder is only read, and says so where it is written', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const git = await openGit({
      location: repo.folder,
      env: { ...repo.env, PATH: await temporaryFolder() },
      cacheFolder: repo.folder,
    });
    expect(await git.tip('main')).toBe(tip);
    const refused = { code: 'GIT_MISSING', message: expect.stringContaining('read without it') };
    expect(() => git.requireWriting()).toThrow(expect.objectContaining(refused));
    const writing = { branch: 'main', expected: tip, next: tip };
    await expect(git.publish(writing)).rejects.toMatchObject(refused);
    await expect(git.writeCommits({ requestId: 'rbk-1', commits: [] })).rejects.toMatchObject(refused);
    await expect(git.ledger.tip('refs/backtrail/ledger')).rejects.toMatchObject(refused);
    await expect(git.ledger.signs()).rejects.toMatchObject(refused);
  });

  test('refuses a git that is too old', async () => {
    const repo = await createRepo();
    const bin = await temporaryFolder();
    await writeFile(join(bin, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
    const opening = openGit({
      location: repo.folder,
      env: { ...repo.env, PATH: bin },
      cacheFolder: repo.folder,
    });
    await expect(opening).rejects.toMatchObject({
      code: 'GIT_MISSING',
      message: expect.stringContaining('2.30'),
    });
  });

  test('a git that does not answer is ended, with everything that it started', async () => {
    const repo = await createRepo();
    const bin = await temporaryFolder();
    const pid = join(bin, 'pid');
    await writeFile(join(bin, 'git'), `#!/bin/sh\n/bin/sleep 60 &\necho $! > '${pid}'\nwait\n`, {
      mode: 0o755,
    });
    const opening = openGit({
      location: repo.folder,
      env: { ...repo.env, PATH: bin },
      cacheFolder: repo.folder,
      timeoutMs: runs(8_000, 5_000),
    });
    await expect(opening).rejects.toMatchObject({ code: 'GIT_TIMEOUT' });
    await expect.poll(async () => isRunning(Number(await readFile(pid, 'utf8')))).toBe(false);
  });
});

describe('refs', () => {
  test('names of branches are names, never revisions or options', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo);
    const hostile = [
      'main^',
      'main~1',
      'main@{u}',
      'main@{0}',
      'main:a.txt',
      '--all',
      '-h',
      '',
      '@',
      'HEAD',
      'a..b',
      tip,
    ];
    for (const name of [
      ...hostile,
      `x-g${tip}`,
      `x-g${tip.slice(0, 7)}`,
      'main lock',
      'x.lock',
      'a\nb',
      'refs/heads/main',
      '.',
      '/',
    ])
      await expect(git.tip(name)).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    await repo.git('branch', `v-g${tip.slice(0, 7)}`);
    await repo.git('branch', 'feature/ü-1');
    expect(await git.tip(`v-g${tip.slice(0, 7)}`)).toBe(tip);
    expect(await git.tip('feature/ü-1')).toBe(tip);
  });

  test('a detached HEAD names no branch, but a commit', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo);
    expect(await git.defaultBranch()).toBe('main');
    expect(await git.head()).toEqual({ branch: 'main', commit: null });
    await repo.git('checkout', '--quiet', '--detach');
    await expect(git.defaultBranch()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    expect(await git.head()).toEqual({ branch: null, commit: tip });
    await repo.write({ '.git/HEAD': `${'4'.repeat(40)}\n` });
    await expect(git.head()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
  });

  test('identity is the environment before the configuration', async () => {
    const repo = await createRepo();
    expect(await (await open(repo)).identity()).toEqual({ name: 'Test', email: 'test@example.com' });
    const env = { ...repo.env, GIT_AUTHOR_NAME: 'Jane', GIT_AUTHOR_EMAIL: 'jane@example.com' };
    expect(await (await open({ ...repo, env })).identity()).toEqual({
      name: 'Jane',
      email: 'jane@example.com',
    });
    await writeFile(repo.globalConfig, '');
    expect(await (await open(repo)).identity()).toBeNull();
  });
});

/** A killed process that nobody has waited for is a zombie: not running. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(stat);
}

test('the git directory of a repository can be any folder', async () => {
  const repo = await createRepo();
  const tip = await repo.commit({ 'a.txt': 'a' });
  const place = join(await temporaryFolder(), 'deep', 'er');
  await mkdir(place, { recursive: true });
  await repo.git('init', '--quiet', `--separate-git-dir=${place}/git`);
  const git = await open(repo);
  expect(git.directory).toBe(`${place}/git`);
  expect(git.worktree).toBe(repo.folder);
  expect(await git.tip('main')).toBe(tip);
});
