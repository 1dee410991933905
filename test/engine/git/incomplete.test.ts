import { describe, expect, test } from 'vitest';
import { cloneRepo, createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { open } from './open.ts';

async function source(): Promise<{ repo: Repo; ids: string[] }> {
  const repo = await createRepo({ bare: true });
  await repo.git('config', 'uploadpack.allowFilter', 'true');
  const ids = await repo.replay(
    [1, 2, 3, 4].map((index) => ({ files: { a: `a${index}`, [`b/${index}`]: `b${index}` } })),
  );
  return { repo, ids };
}

const cloneOf = (repo: Repo, ...args: string[]) =>
  cloneRepo({ ...repo, folder: `file://${repo.folder}` }, { args });

describe('a remote that is shallow itself', () => {
  test('is mirrored as far as it goes, and older commits are SHALLOW_TARGET', async () => {
    const { repo, ids } = await source();
    const shallow = await cloneOf(repo, '--depth=2', '--bare');
    const git = await open(repo, { location: `file://${shallow.folder}` });
    const [first = '', second = '', , tip = ''] = ids;
    expect([git.shallow, await git.tip('main')]).toEqual([true, tip]);
    // What the oldest commit there is changed, nobody can know.
    expect(await git.history.log({ tip, path: 'a' })).toHaveLength(1);
    await expect(git.objects.commit(second)).rejects.toMatchObject({ code: 'SHALLOW_TARGET' });
    await shallow.git('fetch', '--quiet', '--unshallow', repo.folder, 'main');
    await git.refresh();
    expect((await git.objects.commit(first)).parents).toEqual([]);
  });
});

describe('a clone of the user that is partial', () => {
  test('without old files: what is there is read, what is not is refused, and nothing is fetched', async () => {
    const { repo, ids } = await source();
    const clone = await cloneOf(repo, '--filter=blob:none');
    const git = await open(clone);
    const [first = '', , , tip = ''] = ids;
    const old = await repo.git('rev-parse', `${first}:a`);
    const lacks = () => clone.git('rev-list', '--objects', '--all', '--missing=print');
    const before = await lacks();
    expect(before).toContain(`?${old}`);
    expect(await git.history.log({ tip, path: 'a' })).toHaveLength(4);
    const now = await repo.git('rev-parse', `${tip}:a`);
    expect(Buffer.from(await git.objects.blob(now)).toString()).toBe('a4');
    await expect(git.objects.blob(old)).rejects.toMatchObject({
      code: 'PARTIAL_CLONE',
      message: expect.stringContaining(old) as unknown,
      hint: expect.stringContaining('git fetch --refetch --no-filter') as unknown,
    });
    expect(await lacks()).toBe(before);
    // What the hint says mends it.
    await clone.git('fetch', '--quiet', '--refetch', '--no-filter');
    const whole = await open(clone);
    expect(Buffer.from(await whole.objects.blob(old)).toString()).toBe('a1');
  });

  test('without old trees: its history is refused in the same words', async () => {
    const { repo, ids } = await source();
    const clone = await cloneOf(repo, '--filter=tree:0');
    const git = await open(clone);
    await expect(git.history.log({ tip: ids[3] ?? '', path: 'a' })).rejects.toMatchObject({
      code: 'PARTIAL_CLONE',
    });
  });

  test('cannot be fetched from as a remote', async () => {
    const { repo } = await source();
    const clone = await cloneOf(repo, '--filter=blob:none', '--bare');
    await expect(open(repo, { location: `file://${clone.folder}` })).rejects.toMatchObject({
      code: 'REMOTE_UNAVAILABLE',
      message: expect.stringContaining('a partial clone') as unknown,
    });
  });
});
