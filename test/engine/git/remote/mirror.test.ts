import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { pastLocks } from '../../../../engine/git/remote/left-locks.ts';
import { mirrorFolder } from '../../../../engine/git/remote/mirror-cache.ts';
import type { GitRepository } from '../../../../engine/git/open.ts';
import { BacktrailError } from '../../../../engine/model/index.ts';
import { isProof, someOf } from '../../../helpers/run/proof.ts';
import { createRepo, temporaryFolder } from '../../../helpers/repositories/repo.ts';
import { open, REQUEST, stage } from '../open.ts';
import { type Remote, remote, httpRemote, openRemote, hook } from './mirror-scene.ts';

/** An empty file, as old as that. */
async function leaveLock(path: string, milliseconds: number): Promise<void> {
  await writeFile(path, '');
  const time = new Date(Date.now() - milliseconds);
  await utimes(path, time, time);
}

describe.each(
  someOf<[string, () => Promise<Remote>]>(
    [
      ['file', remote],
      ['http', httpRemote],
    ],
    1,
  ),
)('a remote over %s', (_, make) => {
  test('is mirrored, read, written to and read back', async () => {
    const there = await make();
    await there.repo.git('update-ref', 'refs/backtrail/ledger', there.base);
    await there.repo.git('tag', 'v1', there.base);
    const git = await openRemote(there);
    expect([git.kind, git.worktree, await git.defaultBranch()]).toEqual(['mirror', null, 'main']);
    expect(await git.tip('main')).toBe(there.base);
    await expect(git.tip('absent')).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    expect(await git.history.log({ tip: there.base, path: 'a' })).toHaveLength(2);

    const next = await stage(git, there.base);
    await git.publish({ branch: 'main', expected: there.base, next });
    expect(await there.repo.git('rev-parse', 'main')).toBe(next);
    expect(await git.tip('main')).toBe(next);
    expect(await git.readBack('main')).toBe(next);
    await git.deleteStaging(REQUEST);
    const refs = await there.repo.gitWith({ env: { GIT_DIR: git.directory } }, [
      'for-each-ref',
      '--format=%(refname)',
    ]);
    expect(refs.split('\n')).toEqual(['refs/backtrail/remote/ledger', 'refs/remotes/origin/main']);
    expect(await there.repo.git('for-each-ref', '--format=%(refname)', 'refs/backtrail/')).toBe(
      'refs/backtrail/ledger',
    );
  });

  test('a branch that moved meanwhile is not forced', async () => {
    const there = await make();
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    const [moved = ''] = await there.repo.replay([{ files: { b: '2' } }]);
    const publishing = git.publish({ branch: 'main', expected: there.base, next });
    await expect(publishing).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
    expect(await there.repo.git('rev-parse', 'main')).toBe(moved);
    await git.refresh();
    expect(await git.tip('main')).toBe(moved);
    const again = await stage(git, moved);
    await git.publish({ branch: 'main', expected: moved, next: again });
    expect(await there.repo.git('rev-parse', 'main')).toBe(again);
  });

  test('a hook that refuses is quoted, without what it does to a terminal', async () => {
    const there = await make();
    await hook(
      there.repo,
      'pre-receive',
      `printf '\\033[31mpolicy: no rollbacks on Friday\\033[0m\\007\\n' >&2; exit 1`,
    );
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    await expect(git.publish({ branch: 'main', expected: there.base, next })).rejects.toMatchObject({
      code: 'REMOTE_REJECTED',
      message: expect.stringMatching(/refused the push to main: policy: no rollbacks on Friday\.$/),
    });
    expect(await git.readBack('main')).toBe(there.base);
  });

  test.each(
    someOf<[string, string]>(
      [
        ['update', 'exit 1'],
        [
          'pre-receive',
          'echo "error: GH006: Protected branch update failed for refs/heads/main." >&2; exit 1',
        ],
        ['pre-receive', 'echo "error: GH013: Repository rule violations found" >&2; exit 1'],
      ],
      1,
    ),
  )('a refusal by %s (%s) is final', async (name, script) => {
    const there = await make();
    await hook(there.repo, name, script);
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    const publishing = git.publish({ branch: 'main', expected: there.base, next });
    await expect(publishing).rejects.toMatchObject({ code: 'REMOTE_REJECTED' });
  });

  test.each(
    someOf(
      [
        ['GitHub', 'error: GH006: Protected branch update failed for refs/heads/main.'],
        ['GitHub with rulesets', '- Changes must be made through a pull request.'],
        ['GitLab', 'GitLab: You are not allowed to push code to protected branches on this project.'],
        ['Gitea', 'Gitea: Not allowed to push to protected branch main'],
      ],
      1,
    ),
  )('a branch that %s protects is said to need pull requests', async (_, words) => {
    const there = await make();
    await hook(there.repo, 'pre-receive', `echo "${words}" >&2; exit 1`);
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    await expect(git.publish({ branch: 'main', expected: there.base, next })).rejects.toMatchObject({
      code: 'REMOTE_REJECTED',
      hint: expect.stringContaining('via: pull-request') as unknown,
      details: { protected: true },
    });
  });

  test('a branch that moves while the push is under way is not overwritten', async () => {
    const there = await make();
    const git = await openRemote(there);
    const next = await stage(git, there.base);
    const tree = await there.repo.git('rev-parse', `${there.base}^{tree}`);
    const other = await there.repo.git('commit-tree', '-m', 'Other', '-p', there.base, tree);
    // The hook runs after git compared the lease and before it moves the ref; the quarantine forbids git there.
    await hook(there.repo, 'pre-receive', `echo ${other} > '${there.repo.gitDir}/refs/heads/main'`);
    const publishing = git.publish({ branch: 'main', expected: there.base, next });
    await expect(publishing).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
    expect(await there.repo.git('rev-parse', 'main')).toBe(other);
  });
});

describe('the mirror', () => {
  test('two openings of one remote at once make one mirror', async () => {
    const there = await remote();
    const gits = await Promise.all([1, 2, 3, 4].map(() => openRemote(there)));
    for (const git of gits) expect(await git.tip('main')).toBe(there.base);
    await Promise.all(gits.map((git) => git.refresh()));
    const left = await readdir(join(there.cacheFolder, 'mirrors'));
    expect(left).toEqual([`${mirrorFolder('', there.url).split('/').at(-1)}`]);
  });

  test.runIf(isProof)(
    'processes that open, publish and read back at once do not disturb each other',
    async () => {
      const there = await remote();
      const gits = await Promise.all([1, 2, 3].map(() => openRemote(there)));
      const publishOnce = async (git: GitRepository, name: string): Promise<void> => {
        await git.refresh();
        const expected = await git.tip('main');
        const next = await stage(git, expected, { a: name });
        const done = await git.publish({ branch: 'main', expected, next }).then(
          () => true,
          (error: { code: string }) => error.code !== 'BRANCH_MOVED' && Promise.reject(error),
        );
        if (!done) await publishOnce(git, name);
      };
      await Promise.all(gits.map((git, index) => publishOnce(git, `worker ${index}`)));
      expect(await there.repo.git('rev-list', '--count', `${there.base}..main`)).toBe('3');
    },
  );

  test('what a killed process left is taken over: its lock, its half-made mirror, a lock of git', async () => {
    const there = await remote();
    const directory = mirrorFolder(there.cacheFolder, there.url);
    await mkdir(`${directory}.new-dead`, { recursive: true });
    const dead = promisify(execFile)(process.execPath, ['-e', 'console.log(process.pid)']);
    const pid = Number((await dead).stdout);
    const { hostname } = await import('node:os');
    const owner = JSON.stringify({ pid, host: hostname(), token: 'x' });
    await writeFile(`${directory}.lock`, owner);
    const git = await openRemote(there);
    expect(await readdir(join(there.cacheFolder, 'mirrors'))).toEqual([directory.split('/').at(-1)]);

    const [moved = ''] = await there.repo.replay([{ files: { b: '2' } }]);
    const lock = join(directory, 'refs/remotes/origin/main.lock');
    await leaveLock(lock, Date.now());
    await git.refresh();
    expect(await git.tip('main')).toBe(moved);
  });

  test('what is staged is deleted past a lock that a killed git left', async () => {
    const there = await remote();
    const git = await openRemote(there);
    await stage(git, there.base);
    const lock = join(git.directory, 'packed-refs.lock');
    await leaveLock(lock, 58_000);
    await git.deleteStaging(REQUEST);
    expect(await there.repo.git('--git-dir', git.directory, 'for-each-ref', 'refs/backtrail/staging')).toBe(
      '',
    );
    await expect(readFile(lock)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.runIf(isProof)('a lock that lives is waited for, and never removed', async () => {
    const there = await remote();
    const git = await openRemote(there);
    const [moved = ''] = await there.repo.replay([{ files: { b: '2' } }]);
    const lock = join(git.directory, 'refs/remotes/origin/main.lock');
    await leaveLock(lock, 0);
    const refreshed = git.refresh();
    await delay(1_000);
    await rm(lock);
    await refreshed;
    expect(await git.tip('main')).toBe(moved);
    const outside = join(await temporaryFolder(), 'x.lock');
    await leaveLock(outside, Date.now());
    const failure = new BacktrailError('REPOSITORY_LOCKED', 'Locked.', { details: { lock: outside } });
    await expect(pastLocks(git.directory, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await readFile(outside, 'utf8')).toBe('');
  });

  test.runIf(isProof)(
    'a lock that says nothing for a minute is taken over; one that lives is waited for',
    async () => {
      const there = await remote();
      const directory = mirrorFolder(there.cacheFolder, there.url);
      await mkdir(join(there.cacheFolder, 'mirrors'));
      await writeFile(
        `${directory}.lock`,
        JSON.stringify({ pid: process.pid, host: 'elsewhere', token: 'x' }),
      );
      await expect(openRemote(there, { timeoutMs: 5_000 })).rejects.toMatchObject({
        code: 'REPOSITORY_LOCKED',
      });
      const waiting = openRemote(there);
      setTimeout(() => void rm(`${directory}.lock`), 200);
      expect(await (await waiting).tip('main')).toBe(there.base);
      await writeFile(`${directory}.lock`, '');
      await utimes(`${directory}.lock`, new Date(0), new Date(0));
      expect(await (await openRemote(there)).tip('main')).toBe(there.base);
    },
  );

  test.runIf(isProof)(
    'has Bloom filters after opening, and new commits get them in the background, also past a lock that a killed git left',
    async () => {
      const there = await remote();
      const git = await openRemote(there);
      expect(await readFile(join(git.directory, 'objects/info/commit-graph'), 'latin1')).toContain('BDAT');
      await there.repo.replay([{ files: { a: '5' } }]);
      const graphs = join(git.directory, 'objects/info/commit-graphs');
      await mkdir(graphs);
      await leaveLock(join(graphs, 'commit-graph-chain.lock'), 7_200_000);
      await git.refresh();
      await expect.poll(() => readdir(graphs).catch(() => [])).toContain('commit-graph-chain');
      await git.close();
    },
  );

  test('an empty remote has no branch', async () => {
    const there = await remote();
    const empty = await createRepo({ bare: true, env: there.repo.env });
    const git = await open(there.repo, {
      location: `file://${empty.folder}`,
      cacheFolder: there.cacheFolder,
    });
    await expect(git.defaultBranch()).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
    await expect(git.tip('main')).rejects.toMatchObject({ code: 'BRANCH_UNKNOWN' });
  });
});
