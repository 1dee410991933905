/** A remote with more branches than anyone needs. */
import { stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { cloneRepo, createRepo, type Repo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { openPlace } from '../../../../engine/git/open.ts';
import { closeAfterTest } from '../../../helpers/run/lifetime.ts';
import { open } from '../open.ts';
import { isProof } from '../../../helpers/run/proof.ts';

const BRANCHES = 1_200;

async function crowded() {
  const repo = await createRepo({ bare: true });
  const [first = '', base = ''] = await repo.replay([{ files: { a: '0' } }, { files: { a: '1' } }]);
  const branches = Array.from(
    { length: BRANCHES },
    (_, index) => `create refs/heads/work/${index} ${base}\n`,
  );
  await repo.gitWith({ input: branches.join('') }, ['update-ref', '--stdin']);
  const [wanted = ''] = await repo.replay([{ files: { b: '1' } }], 'release');
  return { repo, first, base, wanted, url: `file://${repo.folder}`, cacheFolder: await temporaryFolder() };
}

const tracked = async (repo: Repo, directory: string) =>
  (await repo.git('--git-dir', directory, 'for-each-ref', '--format=%(refname)', 'refs/remotes'))
    .split('\n')
    .filter(Boolean);

describe('a remote with very many branches', () => {
  test('is mirrored with the branch that HEAD names, and with those that are asked for', async () => {
    const { repo, base, wanted, url, cacheFolder } = await crowded();
    const git = await open(repo, { location: url, cacheFolder });
    expect(await git.defaultBranch()).toBe('main');
    expect(await git.tip('main')).toBe(base);
    expect(await tracked(repo, git.directory)).toEqual(['refs/remotes/origin/main']);
    expect(await git.tip('release')).toBe(wanted);
    expect((await git.history.named('work/7')).branch).toBe(base);
    expect((await git.history.named('no-such')).branch).toBeNull();
    await expect(git.tip('no-such')).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    expect(await tracked(repo, git.directory)).toEqual(
      ['main', 'release', 'work/7'].map((branch) => `refs/remotes/origin/${branch}`),
    );
  });

  test('is brought up to date with them, also where one of them is gone', async () => {
    const { repo, url, cacheFolder } = await crowded();
    const before = await open(repo, { location: url, cacheFolder });
    await before.tip('release');
    await before.close();
    await repo.git('branch', '-D', 'release');
    const [next = ''] = await repo.replay([{ files: { a: '2' } }]);
    const git = await open(repo, { location: url, cacheFolder });
    expect(await git.tip('main')).toBe(next);
    await expect(git.tip('release')).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    await repo.git('branch', '-m', 'main', 'trunk');
    await repo.git('symbolic-ref', 'HEAD', 'refs/heads/trunk');
    const renamed = await open(repo, { location: url, cacheFolder });
    expect(await renamed.tip(await renamed.defaultBranch())).toBe(next);
  });

  test.runIf(isProof)('is published to, and its ledger is there', async () => {
    const { repo, base, url, cacheFolder } = await crowded();
    await repo.git('update-ref', 'refs/backtrail/ledger', base);
    const git = await open(repo, { location: url, cacheFolder });
    const head = await git.tip('main');
    await repo.git('update-ref', 'refs/heads/other', head);
    expect(await git.ledger.tip('refs/backtrail/ledger')).toBe(base);
    expect(await git.readBack('main')).toBe(base);
  });

  test.runIf(isProof)('is seeded from a clone with the branch that is meant alone', async () => {
    const { repo, base, url, cacheFolder } = await crowded();
    const clone = await cloneRepo(repo);
    const env = clone.env;
    const { git: local, throughUpstream } = await openPlace({ location: clone.folder, env, cacheFolder });
    const git = await throughUpstream('main');
    closeAfterTest(() => git.close());
    expect(local.kind).toBe('local');
    expect(await git.tip('main')).toBe(base);
    expect(await tracked(repo, git.directory)).toEqual(['refs/remotes/origin/main']);
    expect(url).toContain(repo.folder);
  });

  test('of which few are left is fetched as before by a new mirror', async () => {
    const repo = await createRepo({ bare: true });
    const [base = ''] = await repo.replay([{ files: { a: '0' } }]);
    await repo.git('branch', 'side', base);
    const git = await open(repo, { location: `file://${repo.folder}`, cacheFolder: await temporaryFolder() });
    expect(await tracked(repo, git.directory)).toHaveLength(2);
    await expect(stat(`${git.directory}/backtrail-narrow`)).rejects.toThrow('ENOENT');
  });
});
