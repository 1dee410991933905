import { describe, expect, it } from 'vitest';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { countingGit } from '../../helpers/repositories/counting-git.ts';
import { open } from './open.ts';

/** A branch with a merge, a commit that changes nothing, and messages that look like what git and we print between commits. */
async function stage() {
  const repo = await createRepo();
  await repo.commit({ 'a.yaml': '1\n' });
  await repo.git('checkout', '--quiet', '-b', 'side');
  await repo.commit({ 'b.yaml': '1\n' });
  await repo.git('checkout', '--quiet', 'main');
  await repo.commit({ 'a.yaml': '2\n' });
  await repo.git('merge', '--quiet', '--no-ff', '-m', 'Merge side\n\nKey: value', 'side');
  await repo.git('commit', '--quiet', '--allow-empty', '-m', '=\n\n=00000000\n\n:100644 M\n\nKey: of\n two');
  await repo.commit({ 'a.yaml': null, 'ö\n.yaml': '3\n' });
  const { path, asked } = await countingGit(repo);
  const git = await open({ ...repo, env: { ...repo.env, PATH: path } });
  const countOf = async (command: string) =>
    (await asked()).filter((line) => line.split(' ').includes(command)).length;
  return { repo, git, countOf };
}

describe('a process of git that stays', () => {
  it('reads single commits as their log does, whatever they say and hold', async () => {
    const { repo, git, countOf } = await stage();
    const tip = await repo.git('rev-parse', 'main');
    const log = await git.history.log({ tip, path: '' });
    expect(log).toHaveLength(5);
    const before = await countOf('log');
    for (const commit of log) expect(await git.inspect([commit.id])).toEqual([commit]);
    const ids = log.map(({ id }) => id);
    expect(await Promise.all([git.inspect(ids), git.inspect(ids.toReversed())])).toEqual([
      log,
      log.toReversed(),
    ]);
    expect(await countOf('diff-tree')).toBe(1);
    expect(await countOf('log')).toBe(before);
  });

  it('says what is missing as git does, and reads what is written later', async () => {
    const { repo, git, countOf } = await stage();
    const tip = await repo.git('rev-parse', 'main');
    expect(await git.inspect([tip])).toHaveLength(1);
    await expect(git.inspect([tip, 'f'.repeat(40)])).rejects.toMatchObject({ code: 'GIT_FAILED' });
    await expect(git.inspect(['main'])).rejects.toMatchObject({ code: 'REVISION_INVALID' });
    const next = await repo.commit({ 'a.yaml': '4\n' });
    expect((await git.inspect([next]))[0]?.changes.map(({ path }) => path)).toEqual(['a.yaml']);
    expect(await countOf('diff-tree')).toBe(1);
  });

  it('is not started to follow a line that went a little further, nor to see that it did', async () => {
    const { repo, git, countOf } = await stage();
    // A short line would be followed from its first commit on.
    await repo.replay(Array.from({ length: 40 }, (_, index) => ({ files: { 'a.yaml': `a${index}\n` } })));
    const first = await repo.git('rev-parse', 'main');
    await git.history.firstParents(first);
    await repo.commit({ 'a.yaml': '4\n' });
    await repo.git('merge', '--quiet', '--no-ff', '-m', 'Again', await other(repo));
    const tip = await repo.git('rev-parse', 'main');
    expect((await git.history.firstParents(tip)).join('\n')).toBe(
      await repo.git('rev-list', '--first-parent', tip),
    );
    expect(await git.isAncestor(first, tip)).toBe(true);
    expect(await countOf('rev-list')).toBe(1);
    expect(await countOf('merge-base')).toBe(0);
    // Not on the first-parent line, or not at all: git is asked.
    expect(await git.isAncestor(await repo.git('rev-parse', 'main^2'), tip)).toBe(true);
    expect(await git.isAncestor(tip, first)).toBe(false);
    expect(await countOf('merge-base')).toBe(2);
  });
});

/** A commit beside the branch. */
async function other(repo: Awaited<ReturnType<typeof createRepo>>): Promise<string> {
  const tree = await repo.git('rev-parse', 'main^{tree}');
  return repo.git('commit-tree', '-p', 'main~1', '-m', 'Beside', tree);
}
