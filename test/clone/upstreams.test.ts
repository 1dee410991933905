/** Clones of other upstreams: none, several, by other names, over other addresses. */
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backtrail, completedOf, exampleRepo, refusalOf, start } from '../helpers/program/cli.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';
import { serveGit } from '../helpers/servers/git-http.ts';
import { startTestRedis } from '../helpers/servers/redis.ts';
import { cloneRepo, createRepo, type Repo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { BACK, codes, FILE, OTHER, publishedTo, pushed, roll, SERVICE } from './clone.ts';
import { plan, read } from './reading.ts';

describe('a clone', () => {
  it('without an upstream, and one of a local branch, is published in itself, and says how it gets further', async () => {
    const upstream = await exampleRepo({ bare: true });
    const before = await upstream.git('rev-parse', 'main');
    const clone = await cloneRepo(upstream);
    await clone.git('branch', '--quiet', 'base');
    for (const args of someOf([['--quiet', '--set-upstream-to', 'base'], ['--unset-upstream']], 1)) {
      await clone.git('branch', ...args);
      expect(codes(await plan(clone))).toContain('UPSTREAM_NOT_UPDATED');
      const { deliveryCommit, findings } = await roll(clone);
      expect(await clone.git('rev-parse', 'main')).toBe(deliveryCommit);
      expect(codes({ findings })).toEqual(['KEPT_PATH', 'UPSTREAM_NOT_UPDATED']);
      expect(findings.at(-1)?.['hint']).toContain('`git push -u origin main`');
      await clone.git('reset', '--quiet', '--hard', before);
    }
    expect(await upstream.git('rev-parse', 'main')).toBe(before);
    await clone.git('push', '--quiet', '-u', 'origin', 'main');
    await publishedTo(upstream, await roll(clone));
  });

  it.runIf(isProof)('without any remote has nobody to warn of', async () => {
    const clone = await cloneRepo(await exampleRepo({ bare: true }));
    await clone.git('remote', 'remove', 'origin');
    expect(codes(await roll(clone))).toEqual(['KEPT_PATH']);
  });

  it.each(
    someOf(
      [
        ['a mirror', ['--mirror'], []],
        ['made to fetch one branch over its own', ['--bare'], ['+refs/heads/main:refs/heads/main']],
      ],
      1,
    ),
  )('that is %s refuses, for its next fetch would undo it', async (_, args, refspecs) => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream, { bare: true, args });
    for (const refspec of refspecs) await clone.git('config', 'remote.origin.fetch', refspec);
    const before = await clone.git('rev-parse', 'main');
    expect((await backtrail(clone, ['plan', SERVICE])).stdout).toContain('REPOSITORY_MIRRORS');
    const { code, stderr } = await backtrail(clone, BACK);
    expect([code, stderr]).toEqual([3, expect.stringContaining('mirrors origin')]);
    expect(stderr).toContain('--repo URL');
    expect(await clone.git('rev-parse', 'main')).toBe(before);
    await publishedTo(upstream, await roll(clone, { args: ['--repo', `file://${upstream.folder}`] }));
  });

  it.runIf(isProof)('that is a mirror gets no configuration either', async () => {
    const upstream = await createRepo();
    await upstream.commit({ 'envs/prod/api.yaml': 'tag: 1\n', 'envs/test/api.yaml': 'tag: 2\n' });
    const clone = await cloneRepo(upstream, { bare: true, args: ['--mirror'] });
    const { code, stderr } = await backtrail(clone, ['init', '--yes']);
    expect([code, stderr]).toEqual([3, expect.stringContaining('code: REPOSITORY_MIRRORS')]);
    expect(await clone.git('rev-parse', 'main')).toBe(await upstream.git('rev-parse', 'main'));
  });

  it.runIf(isProof)('that is mirrored elsewhere by pushes alone is published in itself', async () => {
    const upstream = await exampleRepo({ bare: true });
    const copy = await cloneRepo(upstream, { bare: true });
    await upstream.git('remote', 'add', '--mirror=push', 'copy', copy.folder);
    const result = await roll(upstream);
    await publishedTo(upstream, result);
    expect(codes(result)).toEqual(['KEPT_PATH', 'UPSTREAM_NOT_UPDATED']);
  });

  it.runIf(isProof)('of a bundle, which takes no push, is published in itself, and says so', async () => {
    const upstream = await exampleRepo();
    const bundle = join(await temporaryFolder(), 'config.bundle');
    await upstream.git('bundle', 'create', '--quiet', bundle, 'HEAD', 'main');
    const clone = await cloneRepo({ ...upstream, folder: bundle });
    expect(codes(await plan(clone))).toContain('UPSTREAM_NOT_UPDATED');
    const { deliveryCommit, findings } = await roll(clone);
    expect(codes({ findings })).toContain('UPSTREAM_NOT_UPDATED');
    expect(await clone.git('rev-parse', 'main')).toBe(deliveryCommit);
  });

  it.runIf(isProof)(
    'with an address for pushes is pushed to there; with several, to the first, and says so',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const further = await cloneRepo(upstream, { bare: true });
      const clone = await cloneRepo(upstream);
      const fate = ({ url }: { url: string }) => (url.includes('receive-pack') ? 403 : 'serve');
      const server = await serveGit({ root: join(upstream.folder, '..'), env: upstream.env, fate });
      onTestFinished(() => server.close());
      await clone.git('config', 'remote.origin.url', `${server.url}/repo`);
      await clone.git('config', 'remote.origin.pushurl', upstream.folder);
      await clone.git('config', '--add', 'remote.origin.pushurl', further.folder);
      const before = await further.git('rev-parse', 'main');
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(codes(result)).toEqual(['KEPT_PATH', 'UPSTREAM_NOT_UPDATED']);
      expect(await further.git('rev-parse', 'main')).toBe(before);
    },
  );

  it.runIf(isProof)('with an address for pushes where the branch is another names both', async () => {
    const upstream = await exampleRepo({ bare: true });
    const target = await cloneRepo(upstream, { bare: true });
    const clone = await cloneRepo(upstream);
    await clone.git('config', 'remote.origin.pushurl', target.folder);
    await pushed(target, OTHER, (text) => `${text}\n# theirs`);
    const { code, stderr } = await backtrail(clone, BACK);
    expect([code, stderr]).toEqual([4, expect.stringContaining('BRANCH_MOVED')]);
    expect(stderr).toContain(`at ${target.folder}, where pushes go, is not what it is at ${upstream.folder}`);
    expect(stderr).toContain('--repo URL');
  });

  it.runIf(isProof)('of several remotes publishes to that of the branch', async () => {
    const upstream = await exampleRepo({ bare: true });
    const origin = await cloneRepo(upstream, { bare: true });
    const clone = await cloneRepo(origin);
    await clone.git('remote', 'add', '-f', 'theirs', upstream.folder);
    await clone.git('branch', '--quiet', '--set-upstream-to', 'theirs/main');
    const before = await origin.git('rev-parse', 'main');
    const result = await roll(clone);
    await publishedTo(upstream, result);
    expect(await origin.git('rev-parse', 'main')).toBe(before);
    expect(await clone.git('rev-parse', 'main', 'theirs/main', 'origin/main')).toBe(
      `${result.deliveryCommit}\n${result.deliveryCommit}\n${before}`,
    );
  });

  it.runIf(isProof)(
    'finds a relative address, one that the user rewrites, and one in place of a remote',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const ways: ((clone: Repo) => Promise<unknown>)[] = [
        (clone) => clone.git('config', 'remote.origin.url', relative(clone.folder, upstream.folder)),
        async (clone) => {
          await clone.git('config', '--global', `url.${upstream.folder}.insteadOf`, 'company://config');
          await clone.git('config', 'remote.origin.url', 'company://config');
        },
        (clone) => clone.git('config', 'branch.main.remote', `file://${upstream.folder}`),
      ];
      for (const way of ways) {
        const clone = await cloneRepo(upstream);
        await way(clone);
        const result = await roll(clone, { cwd: '/', args: ['--repo', clone.folder, '--to', 'previous'] });
        await publishedTo(upstream, result);
        expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      }
    },
  );

  it.each(someOf([['--depth=1'], ['--filter=blob:none'], ['--single-branch']], 1))(
    'made with %s has the whole history through its upstream, and follows',
    async (option) => {
      const upstream = await exampleRepo({ bare: true });
      await upstream.git('config', 'uploadpack.allowFilter', 'true');
      const clone = await cloneRepo(upstream, { args: [option, '--no-local'] });
      await pushed(upstream, OTHER, (text) => `${text}\n# theirs`);
      const result = await roll(clone, { args: ['--to', 'v1'] });
      await publishedTo(upstream, result);
      expect(codes(result)).not.toContain('LOCAL_NOT_UPDATED');
      expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      expect(await clone.git('status', '--porcelain')).toBe('');
      expect(await read(clone, FILE)).toBe(`${await upstream.git('show', `main:${FILE}`)}\n`);
    },
  );

  it("is reached with the user's settings for its folder; with those of its own alone not, and the hint names them", async () => {
    const upstream = await exampleRepo({ bare: true });
    await upstream.git('config', 'http.receivepack', 'true');
    const server = await serveGit({
      root: join(upstream.folder, '..'),
      env: upstream.env,
      login: { user: 'jane', password: 'p4ss' },
    });
    onTestFinished(() => server.close());
    const clone = await cloneRepo(upstream);
    await clone.git('config', 'remote.origin.url', 'company:config');
    const login = `!f() { echo username=jane; echo password=p4ss; }; f`;
    await clone.git('config', '--global', `url.${server.url}/repo.insteadOf`, 'company:config');
    await clone.git('config', 'credential.helper', login);
    const { code, stderr } = await backtrail(clone, BACK);
    expect([code, stderr]).toEqual([6, expect.stringContaining('REMOTE_DENIED')]);
    expect(stderr).toMatch(/has credential\.helper, which is not followed .*`git config --global`/);
    expect(stderr).not.toContain('p4ss');
    await clone.git('config', '--unset', 'credential.helper');
    await clone.git('config', '--global', '--unset', `url.${server.url}/repo.insteadOf`);
    const work = join(await temporaryFolder(), 'work');
    await clone.git('config', '--file', work, `url.${server.url}/repo.insteadOf`, 'company:config');
    await clone.git('config', '--file', work, 'credential.helper', '');
    await clone.git('config', '--file', work, '--add', 'credential.helper', login);
    await clone.git('config', '--global', 'credential.helper', '!f() { exit 1; }; f');
    await clone.git('config', '--global', `includeIf.gitdir:${clone.folder}/.path`, work);
    const result = await roll(clone);
    await publishedTo(upstream, result);
    expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
  });

  it.runIf(isProof)(
    'that is shallow and lacks the past of a branch merged upstream stays where it is, however often it runs',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const full = await cloneRepo(upstream);
      const clone = await cloneRepo(upstream, { args: ['--depth=1', '--no-local'] });
      const before = await clone.git('rev-parse', 'main');
      await full.git('checkout', '--quiet', '-b', 'side', 'main~5');
      await full.commit({ 'side.txt': 'side\n' }, { date: '2026-11-20T12:00:00+00:00' });
      await full.git('checkout', '--quiet', 'main');
      await full.git('merge', '--quiet', '--no-edit', 'side');
      await full.git('push', '--quiet', 'origin', 'main');
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(codes(result)).toContain('LOCAL_NOT_UPDATED');
      const { stdout } = await backtrail(clone, [...BACK, '-o', 'json', '--to', result.target]);
      expect(stdout).toContain('LOCAL_NOT_UPDATED');
      expect(await clone.git('rev-parse', 'main')).toBe(before);
      await clone.git('pull', '--quiet', '--ff-only');
      expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      await clone.git('fsck', '--connectivity-only');
    },
  );

  it.runIf(isProof)('whose upstream lacks the branch says so', async () => {
    const clone = await cloneRepo(await exampleRepo({ bare: true }));
    await clone.git('config', 'branch.main.merge', 'refs/heads/gone');
    const refusal = refusalOf(await backtrail(clone, ['history', SERVICE]));
    expect(refusal).toMatchObject({
      exit: 2,
      code: 'BRANCH_UNKNOWN',
      message: expect.stringContaining('no branch gone at origin') as unknown,
    });
  });

  it.runIf(isProof)('with SHA-256 ids is seeded, published and followed like any other', async () => {
    const upstream = await createRepo({ bare: true, format: 'sha256' });
    const config = 'version: 1\nlayout: { service: ["{environment}/{service}.yaml"] }\n';
    await upstream.replay([
      { files: { '.backtrail/config.yaml': config, 'prod/api.yaml': 'tag: 1\n' } },
      { files: { 'prod/api.yaml': 'tag: 2\n' } },
    ]);
    const clone = await cloneRepo(upstream);
    const args = ['rollback', 'prod/api', '--yes', '--reason', 'x', '-o', 'json'];
    const { commit } = completedOf(await backtrail(clone, args));
    expect(commit).toHaveLength(64);
    expect(await upstream.git('rev-parse', 'main')).toBe(commit);
    expect(await clone.git('rev-parse', 'main')).toBe(commit);
    expect(await read(clone, 'prod/api.yaml')).toBe('tag: 1\n');
  });

  it.runIf(isProof)('says on a terminal too what stayed behind, and how to go on', async () => {
    const clone = await cloneRepo(await exampleRepo({ bare: true }));
    await clone.commit({ 'notes.txt': 'mine\n' });
    const { code, stdout, stderr } = await backtrail(clone, BACK);
    expect([code, stderr]).toEqual([0, expect.stringContaining('LOCAL_COMMITS')]);
    expect(stdout).toMatch(
      /^! LOCAL_NOT_UPDATED .* main of this clone stays .*\n +`git pull --rebase` on main/,
    );
    expect(stdout).not.toContain('KEPT_PATH');
  });

  it.runIf(isProof)('is published upstream by a worker, and follows', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    const worker = start(clone, ['worker'], { redisUrl: redis.url, cwd: '/' });
    onTestFinished(async () => {
      worker.child.kill('SIGTERM');
      await worker.ended;
    });
    const args = [...BACK, '--queue', '-o', 'json'];
    const result = completedOf(await backtrail(clone, args, { redisUrl: redis.url }));
    await publishedTo(upstream, result);
    expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
    expect(await clone.git('status', '--porcelain')).toBe('');
  });
});
