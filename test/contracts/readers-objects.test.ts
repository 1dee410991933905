import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { READERS } from '../helpers/repositories/readers.ts';
import { cloneRepo, copyRepo, createRepo, type Repo } from '../helpers/repositories/repo.ts';
import { manyKinds as buildManyKinds } from './odd-history.ts';

let built: Promise<Repo> | undefined;
const manyKinds = async () => copyRepo(await (built ??= buildManyKinds()));
describe.each(READERS)('the reader %s', (_, open) => {
  test('gives trees, commits and blobs as git prints them', async () => {
    const repo = await manyKinds();
    const git = await open(repo);
    const tip = await git.tip('main');
    const { tree, parents } = await git.objects.commit(tip);
    expect([tree, ...parents].join(' ')).toBe(await repo.git('log', '-1', '--format=%T %P', tip));
    const listed = await repo.git('-c', 'core.quotePath=false', 'ls-tree', '-z', tip);
    const types: Record<string, string> = { '040000': 'tree', '160000': 'commit' };
    const entries = await git.objects.tree(tree);
    expect(
      entries.map(({ mode, id, name }) => `${mode} ${types[mode] ?? 'blob'} ${id}\t${name}\0`).join(''),
    ).toBe(listed);
    for (const { id } of entries.filter(({ mode }) => types[mode] === undefined)) {
      const bytes = Buffer.from(await git.objects.blob(id));
      expect(git.hasher.blobId(bytes)).toBe(id);
    }
  });

  test('tells an object that is missing, of another type, or too large', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a', 'big.bin': randomBytes(8 * 1024 * 1024 + 1) });
    const git = await open(repo);
    const { tree } = await git.objects.commit(tip);
    const big = await repo.git('rev-parse', 'HEAD:big.bin');
    await expect(git.objects.blob(big)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await expect(git.objects.blob('1'.repeat(40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(git.objects.tree(tip)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(git.objects.commit(tree)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    for (const id of ['HEAD', tip.slice(0, 12), '../../config', ''])
      await expect(git.objects.commit(id)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  test('sees what is written and packed after it was opened', async () => {
    const repo = await createRepo();
    const first = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo);
    await expect(git.objects.commit('2'.repeat(40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const second = await repo.commit({ 'a.txt': 'b' });
    await repo.git('gc', '--quiet');
    expect((await git.objects.commit(second)).parents).toEqual([first]);
    expect(await git.tip('main')).toBe(second);
  });

  test('reads branches loose, packed and symbolic, and takes names as names', async () => {
    const repo = await createRepo();
    const old = await repo.commit({ a: '1' });
    await repo.git('branch', 'packed/one');
    await repo.git('pack-refs', '--all');
    const tip = await repo.commit({ a: '2' });
    await repo.git('branch', 'feature/ü-1');
    await repo.git('symbolic-ref', 'refs/heads/alias', 'refs/heads/packed/one');
    const git = await open(repo);
    expect(await git.tip('main')).toBe(tip);
    expect(await git.tip('feature/ü-1')).toBe(tip);
    expect(await git.tip('packed/one')).toBe(old);
    expect(await git.tip('alias')).toBe(old);
    for (const name of ['packed', 'one', 'main^', '../../HEAD', 'HEAD', '--all', '', tip, 'absent'])
      await expect(git.tip(name)).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    expect(await git.head()).toEqual({ branch: 'main', commit: null });
    await repo.git('checkout', '--quiet', '--detach', old);
    expect(await git.head()).toEqual({ branch: null, commit: old });
    await expect(git.defaultBranch()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    await repo.write({ '.git/HEAD': `${'4'.repeat(40)}\n` });
    await expect(git.head()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
  });

  test('reads the upstream and the identity that the repository is configured with', async () => {
    const repo = await createRepo();
    await repo.commit({ a: '1' });
    const clone = await cloneRepo(repo);
    await clone.git('config', 'user.name', 'Jane "J" Doe; #1');
    await clone.git('config', 'user.email', 'jane@example.com');
    await clone.git('config', 'branch.with.dots"and\\quotes.remote', 'origin');
    await clone.git('config', 'branch.with.dots"and\\quotes.merge', 'refs/heads/main');
    const git = await open(clone);
    const preview = (branch: string) => git.preview({ branch, base: '', paths: [] });
    const notRead = [
      { code: 'UPSTREAM_NOT_READ', message: expect.stringContaining('main at origin') as unknown },
    ];
    expect(await preview('main')).toMatchObject(notRead);
    expect(await preview('with.dots"and\\quotes')).toMatchObject(notRead);
    expect(await preview('other')).toMatchObject([{ code: 'UPSTREAM_NOT_UPDATED', severity: 'warn' }]);
    expect(await git.identity()).toEqual({ name: 'Jane "J" Doe; #1', email: 'jane@example.com' });
  });

  test('is found from a folder of the worktree, from the git directory and in a bare repository', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a/b/c.txt': 'c\n' });
    const bare = await cloneRepo(repo, { bare: true });
    const places = [
      [repo.folder, repo.folder],
      [join(repo.folder, 'a/b'), repo.folder],
      [repo.gitDir, null],
      [join(repo.gitDir, 'objects'), null],
      [bare.folder, null],
    ] as const;
    for (const [location, worktree] of places) {
      const git = await open(repo, location);
      expect([await git.tip('main'), git.worktree]).toEqual([tip, worktree]);
    }
  });
});
