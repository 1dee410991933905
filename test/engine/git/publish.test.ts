import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MODE } from '../../../engine/model/index.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { cloneRepo, createRepo, temporaryFolder } from '../../helpers/repositories/repo.ts';
import { open, PERSON, REQUEST, SERVICE, stage } from './open.ts';

describe('publishing to a local repository', () => {
  test('moves a branch of a bare repository, and one that is checked out nowhere', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    await repo.git('branch', 'other');
    for (const [place, branch] of [
      [await cloneRepo(repo, { bare: true }), 'main'],
      [repo, 'other'],
    ] as const) {
      const git = await open(place);
      const next = await stage(git, base, { a: '2' });
      await git.publish({ branch, expected: base, next });
      expect(await git.readBack(branch)).toBe(next);
      expect(await place.git('rev-parse', branch)).toBe(next);
    }
    expect(await readFile(join(repo.folder, 'a'), 'utf8')).toBe('1');
  });

  test('files follow where the branch is checked out, and unrelated local changes stay', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1', b: '1', c: '1' });
    await repo.write({ b: 'local', untracked: 'x' });
    const git = await open(repo, { location: repo.folder });
    const next = await stage(git, base, { a: '2', 'new/file': '2' });
    await git.publish({ branch: 'main', expected: base, next });
    expect(await repo.git('rev-parse', 'HEAD')).toBe(next);
    expect(await repo.git('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(await readFile(join(repo.folder, 'a'), 'utf8')).toBe('2');
    expect(await readFile(join(repo.folder, 'new/file'), 'utf8')).toBe('2');
    expect(await repo.git('status', '--porcelain')).toBe(' M b\n?? untracked');
  });

  test('refuses where a local change overlaps, and names it', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ 'dir/a': '1', b: '1' });
    const git = await open(repo);
    const next = await stage(git, base, { 'dir/a': '2', 'c d': '2' });
    const refusals: [Record<string, string>, string][] = [
      [{ 'dir/a': 'local' }, 'dir/a'],
      [{ 'dir/a': '1', 'c d': 'untracked' }, 'c d'],
    ];
    for (const [files, path] of refusals) {
      await repo.write(files);
      const publishing = git.publish({ branch: 'main', expected: base, next });
      await expect(publishing).rejects.toMatchObject({ code: 'WORKTREE_DIRTY', details: { path } });
      expect(await git.tip('main')).toBe(base);
      expect(await readFile(join(repo.folder, path), 'utf8')).toBe(files[path]);
    }
    await writeFile(join(repo.gitDir, 'info', 'exclude'), 'c d\n');
    const ignored = git.publish({ branch: 'main', expected: base, next });
    await expect(ignored).rejects.toMatchObject({ code: 'WORKTREE_DIRTY' });
    expect(await readFile(join(repo.folder, 'c d'), 'utf8')).toBe('untracked');
  });

  test('refuses a staged change of the same file', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    await repo.write({ a: 'staged' });
    await repo.git('add', 'a');
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    await expect(git.publish({ branch: 'main', expected: base, next })).rejects.toMatchObject({
      code: 'WORKTREE_DIRTY',
      details: { path: 'a' },
    });
  });

  test('refuses a branch that is checked out in another worktree, or seen from the git directory only', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const linked = join(await temporaryFolder(), 'linked');
    await repo.git('worktree', 'add', '--quiet', '-b', 'other', linked);
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    const refused = { code: 'BRANCH_CHECKED_OUT' };
    await expect(git.publish({ branch: 'other', expected: base, next })).rejects.toMatchObject(refused);
    const inside = await open(repo, { location: repo.gitDir });
    await expect(inside.publish({ branch: 'main', expected: base, next })).rejects.toMatchObject(refused);
    const there = await open(repo, { location: linked });
    await there.publish({ branch: 'other', expected: base, next });
    expect(await readFile(join(linked, 'a'), 'utf8')).toBe('2');
    expect(await repo.git('-C', linked, 'status', '--porcelain')).toBe('');
    expect(await repo.git('rev-parse', 'main')).toBe(base);
  });

  test('a worktree whose folder is gone holds nothing back', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const linked = join(await temporaryFolder(), 'linked');
    await repo.git('worktree', 'add', '--quiet', '-b', 'other', linked);
    await rm(linked, { recursive: true });
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    await git.publish({ branch: 'other', expected: base, next });
    expect(await git.tip('other')).toBe(next);
  });

  test('a branch that moved stays where it is', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const bare = await cloneRepo(repo, { bare: true });
    for (const place of [repo, bare]) {
      const git = await open(place);
      const next = await stage(git, base, { a: '2' });
      const [moved = ''] = await place.replay([{ files: { b: '3' } }]);
      await expect(git.publish({ branch: 'main', expected: base, next })).rejects.toMatchObject({
        code: 'BRANCH_MOVED',
      });
      expect(await git.tip('main')).toBe(moved);
    }
  });

  test('two that publish at once: one wins, the other one is told', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const gits = await Promise.all([open(repo), open(repo), open(repo), open(repo)]);
    const nexts = await Promise.all(gits.map((git, index) => stage(git, base, { a: `next ${index}` })));
    const all = await Promise.allSettled(
      gits.map((git, index) => git.publish({ branch: 'main', expected: base, next: nexts[index] ?? '' })),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const codes = all.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.code)] : []));
    expect(codes.filter((code) => code !== 'BRANCH_MOVED' && code !== 'REPOSITORY_LOCKED')).toEqual([]);
    expect(nexts).toContain(await gits[0]?.tip('main'));
  });

  test('what does not descend from the expected tip is never published', async () => {
    const repo = await createRepo({ bare: true });
    const [first = '', second = ''] = await repo.replay([{ files: { a: '1' } }, { files: { a: '2' } }]);
    const git = await open(repo);
    const beside = await stage(git, first, { a: '3' });
    for (const next of [beside, first])
      await expect(git.publish({ branch: 'main', expected: second, next })).rejects.toMatchObject({
        code: 'DESCENT_BROKEN',
      });
    expect(await git.tip('main')).toBe(second);
  });

  test('descent is proven over any distance and through merges', async () => {
    const repo = await createRepo({ bare: true });
    const made = await repo.replay(Array.from({ length: 30 }, (_, i) => ({ files: { a: `${i}` } })));
    const git = await open(repo);
    const tip = made.at(-1) ?? '';
    const tree = (await git.objects.commit(tip)).tree;
    const merge = await repo.git('commit-tree', '-m', 'Merge', '-p', made[0] ?? '', '-p', tip, tree);
    await git.publish({ branch: 'main', expected: tip, next: merge });
    expect(await git.isAncestor(made[0] ?? '', merge)).toBe(true);
    expect(await git.isAncestor(merge, tip)).toBe(false);
  });

  test.runIf(isProof)('a lock of another git is reported and left alone', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    const lock = join(repo.gitDir, 'refs/heads/main.lock');
    await writeFile(lock, '');
    const publishing = git.publish({ branch: 'main', expected: base, next });
    await expect(publishing).rejects.toMatchObject({ code: 'REPOSITORY_LOCKED', details: { lock } });
    expect(await readFile(lock, 'utf8')).toBe('');
  });

  test('a branch that cannot be moved takes its files back, and no local change with them', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1', 'gone/b': '1', c: '1', d: '1' });
    await repo.write({ c: 'staged' });
    await repo.git('add', 'c');
    await repo.write({ d: 'local', untracked: 'x' });
    const before = await repo.git('status', '--porcelain');
    const git = await open(repo);
    const writes = [
      { path: 'a', after: { mode: MODE.file, id: '', content: Buffer.from('2') } },
      { path: 'new/x', after: { mode: MODE.executable, id: '', content: Buffer.from('2') } },
      { path: 'gone/b', after: null },
    ];
    const time = '2026-03-04T05:06:07Z';
    const commit = { parent: base, author: PERSON, committer: SERVICE, time, message: 'Next\n', writes };
    const [next = ''] = await git.writeCommits({ requestId: REQUEST, commits: [commit] });
    const lock = join(repo.gitDir, 'refs/heads/main.lock');
    await writeFile(lock, '');
    await expect(git.publish({ branch: 'main', expected: base, next })).rejects.toMatchObject({
      code: 'REPOSITORY_LOCKED',
      details: { lock },
    });
    expect(await repo.git('status', '--porcelain')).toBe(before);
    expect(await repo.git('rev-parse', 'HEAD')).toBe(base);
    expect(await readFile(join(repo.folder, 'a'), 'utf8')).toBe('1');
    expect(await readFile(join(repo.folder, 'gone/b'), 'utf8')).toBe('1');
    await expect(readdir(join(repo.folder, 'new'))).rejects.toMatchObject({ code: 'ENOENT' });
    await rm(lock);
    await git.publish({ branch: 'main', expected: base, next });
    expect(await repo.git('status', '--porcelain')).toBe(before);
    expect(await repo.git('rev-parse', 'HEAD')).toBe(next);
  });

  test('a branch that another process moves under the files takes its files back', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1', b: '1' });
    const moved = await repo.git('commit-tree', '-p', base, '-m', 'Moved', `${base}^{tree}`);
    // git runs this filter of the user while it writes the file: before it moves the branch.
    await repo.git(
      'config',
      '--global',
      'filter.slow.smudge',
      `git update-ref refs/heads/main ${moved}; cat`,
    );
    await repo.write({ '.git/info/attributes': 'a filter=slow\n' });
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    await expect(git.publish({ branch: 'main', expected: base, next })).rejects.toMatchObject({
      code: 'BRANCH_MOVED',
    });
    expect(await git.tip('main')).toBe(moved);
    expect(await repo.git('status', '--porcelain')).toBe('');
    expect(await readFile(join(repo.folder, 'a'), 'utf8')).toBe('1');
  });

  test('a locked index is a lock, not a local change', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    await writeFile(join(repo.gitDir, 'index.lock'), '');
    await expect(git.publish({ branch: 'main', expected: base, next })).rejects.toMatchObject({
      code: 'REPOSITORY_LOCKED',
    });
    expect(await git.tip('main')).toBe(base);
  });

  test('an unknown branch is not made', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '1' } }]);
    const git = await open(repo);
    const next = await stage(git, base, { a: '2' });
    for (const branch of ['absent', '--force', 'a b', `x\0delete refs/heads/main\0${base}`])
      await expect(git.publish({ branch, expected: base, next })).rejects.toMatchObject({
        code: 'BRANCH_UNKNOWN',
      });
    expect(await git.tip('main')).toBe(base);
  });
});
