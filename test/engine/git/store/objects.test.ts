import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { isProof } from '../../../helpers/run/proof.ts';
import { compiled } from '../../../helpers/program/compiled.ts';
import { cloneRepo, createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { open } from '../open.ts';

describe('reading objects', () => {
  test('trees, commits and blobs are what git prints of them', async () => {
    const repo = await createRepo();
    const binary = randomBytes(300_000);
    const first = await repo.commit({
      'a/ü.txt': 'one\n',
      'a/b/c.yaml': 'x: 1\n',
      'run.sh': { executable: '#!/bin/sh\n' },
      link: { link: '../outside' },
      'empty.txt': '',
      'binary.bin': binary,
    });
    const second = await repo.commit({ 'a/b/c.yaml': 'x: 2\n' });
    const git = await open(repo);
    const commit = await git.objects.commit(second);
    expect(commit).toEqual({
      id: second,
      tree: await repo.git('rev-parse', 'HEAD^{tree}'),
      parents: [first],
    });

    const listed = await repo.git('-c', 'core.quotePath=false', 'ls-tree', '-z', second);
    const tree = await git.objects.tree(commit.tree);
    const types: Record<string, string> = { '040000': 'tree', '160000': 'commit' };
    expect(
      tree.map(({ mode, id, name }) => `${mode} ${types[mode] ?? 'blob'} ${id}\t${name}\0`).join(''),
    ).toBe(listed);
    const byName = new Map(tree.map((entry) => [entry.name, entry.id]));
    expect(Buffer.from(await git.objects.blob(byName.get('binary.bin') ?? ''))).toEqual(binary);
    expect(await git.objects.blob(byName.get('empty.txt') ?? '')).toHaveLength(0);
    expect(Buffer.from(await git.objects.blob(byName.get('link') ?? '')).toString()).toBe('../outside');
    expect(git.hasher.blobId(binary)).toBe(byName.get('binary.bin'));
  });

  test('names that are not UTF-8 keep their bytes', async () => {
    const repo = await createRepo({ bare: true });
    const blob = await repo.gitWith({ input: 'x' }, ['hash-object', '-w', '--stdin']);
    const entry = (name: Buffer) =>
      Buffer.concat([Buffer.from('100644 '), name, Buffer.from([0]), Buffer.from(blob, 'hex')]);
    const input = Buffer.concat([entry(Buffer.from('\ufeffbom')), entry(Buffer.from([0xff, 0x61]))]);
    const tree = await repo.gitWith({ input }, ['hash-object', '-w', '-t', 'tree', '--literally', '--stdin']);
    const git = await open(repo);
    const read = await git.objects.tree(tree);
    expect(read.map(({ name }) => name)).toEqual(['\ufeffbom', '\udcffa']);
  });

  test('what is missing, of another type, no id, or too large is refused', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a', 'big.bin': randomBytes(8 * 1024 * 1024 + 1) });
    const git = await open(repo);
    const { tree } = await git.objects.commit(tip);
    const big = await repo.git('rev-parse', 'HEAD:big.bin');
    await expect(git.objects.blob(big)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await expect(git.objects.blob('1'.repeat(40))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(git.objects.tree(tip)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(git.objects.commit(tree)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    for (const id of ['HEAD', 'main', `${tip}\ninfo ${tip}`, `${tip}:a.txt`, tip.slice(0, 12), ''])
      await expect(git.objects.commit(id)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect((await git.objects.commit(tip)).tree).toBe(tree);
  });

  test('a thousand questions at once are answered in any order that they were asked', async () => {
    const repo = await createRepo({ bare: true });
    const files = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`f${i}`, `${i}\n`.repeat(i + 1)]),
    );
    const [tip = ''] = await repo.replay([{ files }]);
    const git = await open(repo);
    const tree = await git.objects.tree((await git.objects.commit(tip)).tree);
    const asked = [...tree, ...tree].map(async ({ id, name }) => [
      name,
      Buffer.from(await git.objects.blob(id)).toString(),
    ]);
    expect(Object.fromEntries(await Promise.all(asked))).toEqual(files);
  });

  test('objects that are written later are seen', async () => {
    const repo = await createRepo();
    const first = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo);
    await git.objects.commit(first);
    const second = await repo.commit({ 'a.txt': 'b' });
    await repo.git('gc', '--quiet');
    expect((await git.objects.commit(second)).parents).toEqual([first]);
    expect(await git.tip('main')).toBe(second);
  });

  test('a commit beyond the cut of a shallow clone is told apart from a missing one', async () => {
    const repo = await createRepo();
    const first = await repo.commit({ 'a.txt': 'a' });
    await repo.commit({ 'a.txt': 'b' });
    const clone = await cloneRepo(repo, { args: ['--depth=1', '--no-local'] });
    const git = await open(clone);
    expect(git.shallow).toBe(true);
    await expect(git.objects.commit(first)).rejects.toMatchObject({ code: 'SHALLOW_TARGET' });
  });
});

describe('the child that reads', () => {
  test('when it is killed its questions fail, and the next one starts another', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo);
    const { tree } = await git.objects.commit(tip);
    const [child = 0] = await catFiles(repo.gitDir);
    process.kill(child, 'SIGSTOP');
    const waiting = [git.objects.tree(tree), git.objects.commit('2'.repeat(40))];
    process.kill(child, 'SIGKILL');
    for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected');
    expect(await git.objects.tree(tree)).toHaveLength(1);
  });

  test.runIf(isProof)('a child that does not answer is given up after the time limit', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const git = await open(repo, { timeoutMs: 8_000 });
    const { tree } = await git.objects.commit(tip);
    const [child = 0] = await catFiles(repo.gitDir);
    process.kill(child, 'SIGSTOP');
    await expect(git.objects.tree(tree)).rejects.toMatchObject({ code: 'GIT_TIMEOUT' });
    // A stopped process hears SIGTERM only when it goes on.
    process.kill(child, 'SIGCONT');
    expect(await git.objects.tree(tree)).toHaveLength(1);
  });

  test('ends when the repository is closed, and does not keep a process alive', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const script = join(await temporaryFolder(), 'reader.mjs');
    const source = `import { openGit } from '${compiled('engine/git/open.ts')}';
      const git = await openGit({ location: ${JSON.stringify(repo.folder)}, env: process.env, cacheFolder: '/nowhere' });
      console.log((await git.objects.commit('${tip}')).id);`;
    await writeFile(script, source);
    const run = promisify(execFile)(process.execPath, [script], {
      timeout: 120_000,
    });
    expect((await run).stdout.trim()).toBe(tip);
    const git = await open(repo);
    await git.objects.commit(tip);
    expect(await catFiles(repo.gitDir)).toHaveLength(1);
    await git.close();
    await expect.poll(() => catFiles(repo.gitDir)).toHaveLength(0);
    await expect(git.objects.tree(tip)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  test('a damaged object is a failure of this question only', async () => {
    const repo = await createRepo();
    const tip = await repo.commit({ 'a.txt': 'a' });
    const blob = await repo.git('rev-parse', 'HEAD:a.txt');
    const file = join(repo.gitDir, 'objects', blob.slice(0, 2), blob.slice(2));
    await rm(file);
    const git = await open(repo);
    await expect(git.objects.blob(blob)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect((await git.objects.commit(tip)).id).toBe(tip);
  });
});

/** Process ids of living `git cat-file` children of a git directory. */
async function catFiles(gitDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    if (!/^\d+$/.test(pid) || !(await read('cmdline')).includes('--batch-command')) continue;
    if (/\) [ZX]/.test(await read('stat'))) continue;
    if ((await read('environ')).split('\0').includes(`GIT_DIR=${gitDir}`)) found.push(Number(pid));
  }
  return found;
}
