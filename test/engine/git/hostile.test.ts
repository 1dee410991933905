import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGit } from '../../../engine/git/open.ts';
import { MODE } from '../../../engine/model/index.ts';
import { canary, poison } from '../../helpers/program/canary.ts';
import { createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { open, PERSON, REQUEST, SERVICE, stage } from './open.ts';
import { isProof } from '../../helpers/run/proof.ts';

test('nothing that a repository names is run: not by opening, reading, writing or publishing', async () => {
  const repo = await createRepo();
  await repo.commit({ 'a.txt': '1\n', '.gitattributes': '* diff=evil merge=evil\n*.x filter=evil\n' });
  const base = await repo.commit({ 'a.txt': '2\n' });
  await repo.git('branch', 'other');
  const { program, marks } = await canary();
  await poison(repo, program);

  const git = await open(repo);
  await git.history.log({ tip: base, path: 'a.txt' });
  await git.history.log({ tip: base, path: '' });
  await git.history.recorded(base);
  await git.history.firstParents(base);
  await git.history.findCommit(base.slice(0, 8));
  const { tree } = await git.objects.commit(base);
  for (const { id } of await git.objects.tree(tree)) await git.objects.blob(id);
  await git.identity();
  await git.preview({ branch: 'main', base, paths: ['a.txt'] });
  await git.defaultBranch();
  const write = { path: 'b.txt', after: { mode: MODE.file, id: '', content: Buffer.from('b\n') } };
  const change = { path: 'a.txt', after: { mode: MODE.file, id: '', content: Buffer.from('3\n') } };
  const commit = {
    parent: base,
    author: PERSON,
    committer: SERVICE,
    time: '2026-03-04T05:06:07Z',
    message: 'X\n',
  };
  const [next = ''] = await git.writeCommits({
    requestId: REQUEST,
    commits: [{ ...commit, writes: [write, change] }],
  });
  await git.messages([next]);
  await git.diffPaths(base, next);
  await git.history.renames(base, next);
  await git.publish({ branch: 'other', expected: base, next });
  await git.publish({ branch: 'main', expected: base, next });
  await git.findRequest({ tip: next, base, requestId: REQUEST });
  await git.readBack('main');
  await git.deleteStaging(REQUEST);
  // A lazy fetch of what is missing would go through the remote's programs.
  await expect(git.objects.blob('4'.repeat(40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  await git.close();

  expect(await marks()).toEqual([]);
  expect(await readFile(join(repo.folder, 'a.txt'), 'utf8')).toBe('3\n');
  expect(await readFile(join(repo.folder, 'b.txt'), 'utf8')).toBe('b\n');
});

test.runIf(isProof)('the canaries do sing for plain git', async () => {
  const repo = await createRepo();
  await repo.commit({ 'a.txt': '1\n' });
  const { program, marks } = await canary();
  await poison(repo, program);
  await repo.git('status').catch(() => '');
  await repo.git('update-ref', 'refs/heads/x', 'HEAD').catch(() => '');
  expect((await marks()).length).toBeGreaterThan(1);
});

describe('a filter that only the repository defines', () => {
  const filtered = async () => {
    const repo = await createRepo();
    const base = await repo.commit({ 'a.crypt': '1\n', 'b.txt': '1\n' });
    const { program, marks } = await canary();
    await repo.git('config', 'filter.crypt.smudge', await program('smudge'));
    await repo.write({ '.git/info/attributes': '*.crypt filter=crypt\n' });
    const publish = async (path: string) => {
      const git = await open(repo);
      const after = { mode: MODE.file, id: '', content: Buffer.from('2\n') };
      const commit = {
        parent: base,
        author: PERSON,
        committer: SERVICE,
        time: '2026-03-04T05:06:07Z',
        message: 'X\n',
      };
      const writes = [{ path, after }];
      const [next = ''] = await git.writeCommits({ requestId: REQUEST, commits: [{ ...commit, writes }] });
      return git.publish({ branch: 'main', expected: base, next });
    };
    return { repo, base, marks, publish };
  };

  test('is named, and nothing of a rollback that it concerns is published', async () => {
    const { repo, base, marks, publish } = await filtered();
    for (const path of ['a.crypt', '.gitattributes'])
      await expect(publish(path)).rejects.toMatchObject({
        code: 'FILTER_UNTRUSTED',
        message: expect.stringContaining('"crypt"') as unknown,
      });
    expect(await repo.git('rev-parse', 'main')).toBe(base);
    expect(await repo.git('status', '--porcelain', '--untracked-files=no', '--', 'b.txt')).toBe('');
    expect(await marks()).toEqual([]);
  });

  test('is in the way of no other file', async () => {
    const { repo, marks, publish } = await filtered();
    await publish('b.txt');
    expect(await readFile(join(repo.folder, 'b.txt'), 'utf8')).toBe('2\n');
    expect(await marks()).toEqual([]);
  });
});

describe('what belongs to the user stays', () => {
  test('filters of the user run where files follow, also where the repository redefines them', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ 'a.txt': '1\n' });
    await repo.git('config', '--global', 'filter.upper.smudge', 'tr a-z A-Z');
    await repo.git('config', '--global', 'filter.upper.clean', 'tr A-Z a-z');
    const { program, marks } = await canary();
    await repo.git('config', 'filter.upper.smudge', await program('smudge'));
    await repo.commit({ '.gitattributes': '*.up filter=upper\n' }).catch(() => '');
    const tip = await repo.git('rev-parse', 'HEAD');
    const git = await open(repo);
    const next = await stage(git, tip, { 'x.up': 'loud\n' });
    await git.publish({ branch: 'main', expected: tip, next });
    expect(await readFile(join(repo.folder, 'x.up'), 'utf8')).toBe('LOUD\n');
    expect(await marks()).toEqual([]);
    expect(tip).not.toBe(base);
  });

  test('the configuration that the user gives by the environment counts as theirs', async () => {
    const repo = await createRepo();
    await repo.commit({ 'a.txt': '1\n' });
    const env = {
      ...repo.env,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: 'By Environment',
      GIT_CONFIG_PARAMETERS: "'user.email=parameter@example.com'",
    };
    const git = await open({ ...repo, env });
    expect(await git.identity()).toEqual({ name: 'By Environment', email: 'parameter@example.com' });
  });
});

describe('places that a repository must not choose', () => {
  test('a worktree somewhere else is refused', async () => {
    const repo = await createRepo();
    await repo.commit({ 'a.txt': '1\n' });
    const parent = join(repo.folder, '..');
    await repo.git('config', 'core.worktree', parent);
    await expect(open(repo)).rejects.toMatchObject({ code: 'REPOSITORY_UNTRUSTED' });
  });

  test('a repository of another owner is refused', async () => {
    const repo = await createRepo();
    await repo.commit({ 'a.txt': '1\n' });
    const bin = await temporaryFolder();
    const real = (repo.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'git'));
    const script = `#!/bin/sh\nexport GIT_TEST_ASSUME_DIFFERENT_OWNER=1\nfor g in ${real.join(' ')}; do [ -x "$g" ] && exec "$g" "$@"; done\n`;
    await writeFile(join(bin, 'git'), script, { mode: 0o755 });
    const opening = openGit({
      location: repo.folder,
      env: { ...repo.env, PATH: `${bin}:${repo.env['PATH']}` },
      cacheFolder: bin,
    });
    await expect(opening).rejects.toMatchObject({ code: 'REPOSITORY_UNTRUSTED' });
  });
});

test('grafts do not rewrite the line of parents', async () => {
  const repo = await createRepo();
  const first = await repo.commit({ a: '1' });
  const second = await repo.commit({ a: '2' });
  const tip = await repo.commit({ a: '3' });
  await repo.write({ '.git/info/grafts': `${tip} ${first}\n` });
  expect(await repo.git('rev-list', '--first-parent', tip)).not.toContain(second);
  const { history } = await open(repo);
  expect(await history.firstParents(tip)).toEqual([tip, second, first]);
  expect((await history.log({ tip, path: 'a' })).map(({ id }) => id)).toEqual([tip, second, first]);
});

test('trees with names that must not be checked out are read, and never written out', async () => {
  const repo = await createRepo({ bare: true });
  const files = {
    '../escape': 'x',
    '.git/hooks/post-merge': 'x',
    '.GIT/config': 'x',
    'a\\..\\b': 'x',
    ok: '1',
  };
  const [base = ''] = await repo.replay([{ files: { ok: '0' } }]);
  const [tip = ''] = await repo.replay([{ files }]);
  const git = await open(repo);
  const { tree } = await git.objects.commit(tip);
  expect((await git.objects.tree(tree)).map(({ name }) => name).sort()).toEqual([
    '..',
    '.GIT',
    '.git',
    'a\\..\\b',
    'ok',
  ]);
  expect((await git.history.log({ tip, path: '.git/hooks' })).map(({ id }) => id)).toEqual([tip]);
  expect((await git.diffPaths(base, tip)).map(({ path }) => path).sort()).toEqual(Object.keys(files).sort());

  const clone = await createRepo();
  await clone.git('fetch', '--quiet', repo.folder, 'main');
  await clone.git('reset', '--quiet', '--hard', base);
  const local = await open(clone);
  await expect(local.publish({ branch: 'main', expected: base, next: tip })).rejects.toMatchObject({
    code: 'PATH_UNSAFE',
  });
  expect(await readdir(join(clone.folder, '..'))).toEqual(['repo']);
  expect((await readdir(clone.folder)).sort()).toEqual(['.git', 'ok']);
  expect(await local.tip('main')).toBe(base);
});

test('a link in the tree is not followed where files follow', async () => {
  const outside = await temporaryFolder();
  const repo = await createRepo();
  const base = await repo.commit({ link: { link: outside } });
  const git = await open(repo);
  const writes = [
    { path: 'link', after: null },
    { path: 'link/file', after: { mode: MODE.file, id: '', content: Buffer.from('x') } },
  ];
  const commit = {
    parent: base,
    author: PERSON,
    committer: SERVICE,
    time: '2026-03-04T05:06:07Z',
    message: 'X\n',
    writes,
  };
  const [next = ''] = await git.writeCommits({ requestId: REQUEST, commits: [commit] });
  await git.publish({ branch: 'main', expected: base, next });
  expect(await readdir(outside)).toEqual([]);
  expect(await readFile(join(repo.folder, 'link/file'), 'utf8')).toBe('x');
});
