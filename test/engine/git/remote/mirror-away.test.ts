import { execFile } from 'node:child_process';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { mirrorFolder } from '../../../../engine/git/remote/mirror-cache.ts';
import { someOf } from '../../../helpers/run/proof.ts';
import type { Fate } from '../../../helpers/servers/git-http.ts';
import { open, stage } from '../open.ts';
import { remote, httpRemote, openRemote, hook } from './mirror-scene.ts';

describe('a remote that goes away', () => {
  test('over file: unknown when it never was there, unavailable when it was', async () => {
    const there = await remote();
    const absent = open(there.repo, { location: `${there.url}-absent`, cacheFolder: there.cacheFolder });
    await expect(absent).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' });
    expect(await readdir(join(there.cacheFolder, 'mirrors'))).toEqual([]);
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    await rename(there.repo.folder, `${there.repo.folder}-gone`);
    await expect(git.publish({ branch: 'main', expected: there.base, next })).rejects.toMatchObject({
      code: 'REMOTE_UNAVAILABLE',
    });
    await expect(git.refresh()).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    await expect(git.readBack('main')).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    await rename(`${there.repo.folder}-gone`, there.repo.folder);
    await git.publish({ branch: 'main', expected: there.base, next });
    expect(await git.readBack('main')).toBe(next);
  });

  test.each(someOf<[Fate]>([['hang'], [500], [503], ['drop']], 1))(
    'in mid-push (%s) is unavailable, and nothing moved',
    async (fate) => {
      let broken = false;
      const there = await httpRemote({
        fate: ({ url }) => (broken && url.includes('receive-pack') ? fate : 'serve'),
      });
      // Whoever hangs is given up after the time limit; the others say what is the matter.
      const git = await openRemote(there, fate === 'hang' ? { timeoutMs: 15_000 } : {});
      const next = await stage(git, there.base);
      broken = true;
      const publishing = git.publish({ branch: 'main', expected: there.base, next });
      await expect(publishing).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
      expect(await git.readBack('main')).toBe(there.base);
    },
  );

  test('after it took the push: unavailable, and reading back tells the truth', async () => {
    let broken = false;
    const fate = ({ url }: { url: string }): Fate =>
      broken && url.endsWith('/git-receive-pack') ? 'drop-answer' : 'serve';
    const there = await httpRemote({ fate });
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    broken = true;
    await expect(git.publish({ branch: 'main', expected: there.base, next })).rejects.toMatchObject({
      code: 'REMOTE_UNAVAILABLE',
    });
    broken = false;
    expect(await git.readBack('main')).toBe(next);
  });

  test('a branch that was deleted there', async () => {
    const there = await remote();
    await there.repo.git('branch', 'feature', there.base);
    const git = await openRemote(there);
    expect(await git.tip('feature')).toBe(there.base);
    const next = await stage(git, there.base);
    await there.repo.git('branch', '-D', 'feature');
    await expect(git.publish({ branch: 'feature', expected: there.base, next })).rejects.toMatchObject({
      code: 'BRANCH_MOVED',
    });
    await expect(git.readBack('feature')).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    await git.refresh();
    await expect(git.tip('feature')).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    // What was staged survived the pruning.
    expect((await git.objects.commit(next)).parents).toEqual([there.base]);
    expect(
      await there.repo.gitWith({ env: { GIT_DIR: git.directory } }, [
        'for-each-ref',
        'refs/backtrail/staging',
      ]),
    ).not.toBe('');
  });
});

describe('credentials', () => {
  test('in the address open the door, and stand in no message and no file', async () => {
    const there = await httpRemote({ login: true });
    await expect(openRemote(there)).rejects.toMatchObject({ code: 'REMOTE_DENIED' });
    const right = { ...there, url: there.url.replace('http://', 'http://jane:p4ss@') };
    const git = await openRemote(right);
    expect(await git.tip('main')).toBe(there.base);
    const { stdout } = await promisify(execFile)('grep', ['-rl', 'p4ss', there.cacheFolder]).catch(() => ({
      stdout: '',
    }));
    expect(stdout).toBe('');
    await hook(there.repo, 'pre-receive', 'exit 1');
    const next = await stage(git, there.base);
    const failure = await git
      .publish({ branch: 'main', expected: there.base, next })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'REMOTE_REJECTED' });
    expect(String(failure)).not.toContain('p4ss');
    const wrong = { ...there, url: there.url.replace('http://', 'http://jane:wr0ng@') };
    const denied = await openRemote(wrong).catch((error: unknown) => error);
    expect(denied).toMatchObject({ code: 'REMOTE_DENIED' });
    expect(JSON.stringify(denied) + String(denied)).not.toContain('wr0ng');
    expect(mirrorFolder('/c', right.url)).toBe(mirrorFolder('/c', wrong.url));
  });

  test('the credential helper of the user is asked', async () => {
    const there = await httpRemote({ login: true });
    const helper = '!f() { echo username=jane; echo password=p4ss; }; f';
    await there.repo.git('config', '--global', 'credential.helper', helper);
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    await git.publish({ branch: 'main', expected: there.base, next });
    expect(await git.readBack('main')).toBe(next);
  });
});
