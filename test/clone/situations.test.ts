/** A rollback in a clone, whatever state the clone is in. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exampleRepo } from '../helpers/program/cli.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';
import { cloneRepo, temporaryFolder } from '../helpers/repositories/repo.ts';
import { codes, FILE, OTHER, publishedTo, pushed, roll } from './clone.ts';
import { plan, read } from './reading.ts';

describe('a rollback in a clone', () => {
  it('is published upstream first; then the branch, its files and the tracking ref follow', async () => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    const result = await roll(clone);
    expect(codes(result)).toEqual(['KEPT_PATH']);
    await publishedTo(upstream, result);
    expect(await clone.git('rev-parse', 'main', 'origin/main', 'HEAD')).toBe(
      Array(3).fill(result.deliveryCommit).join('\n'),
    );
    expect(await read(clone, FILE)).toContain('v2.0.5');
    expect(await clone.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
    expect(await clone.git('for-each-ref', 'refs/backtrail')).toBe('');
    await expect(stat(join(clone.gitDir, 'FETCH_HEAD'))).rejects.toThrow('ENOENT');
    await clone.git('fsck', '--strict', '--connectivity-only');
  });

  it.runIf(isProof)('of a branch that is behind, is planned on the tip of the upstream', async () => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    const moved = await pushed(upstream, FILE, (text) => text.replace('v2.1.0', 'v2.2.0'));
    expect((await plan(clone)).base).toBe(moved);
    const result = await roll(clone);
    expect(await upstream.git('show', `main:${FILE}`)).toContain('v2.1.0');
    expect(await upstream.git('rev-parse', 'main', 'main~1')).toBe(`${result.commit}\n${moved}`);
    expect(await clone.git('rev-parse', 'main')).toBe(result.commit);
    expect(await read(clone, FILE)).toContain('v2.1.0');
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it.each(someOf([false, true], 1))(
    'leaves commits alone that were never pushed (diverged: %s), and says so',
    async (diverged) => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      if (diverged) await pushed(upstream, OTHER, (text) => `${text}\n# theirs`);
      const own = await clone.commit({ 'notes.txt': 'mine\n' });
      const planned = await plan(clone);
      expect(codes(planned)).toContain('LOCAL_COMMITS');
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(codes(result)).toContain('LOCAL_NOT_UPDATED');
      expect(await clone.git('rev-parse', 'main', 'origin/main')).toBe(`${own}\n${result.deliveryCommit}`);
      await clone.git('pull', '--quiet', '--rebase');
      expect(await read(clone, FILE)).toContain('v2.0.5');
    },
  );

  it.runIf(isProof)('moves the branch under another one, and with a detached HEAD, and no file', async () => {
    for (const away of [['-b', 'work'], ['--detach']]) {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      await clone.git('checkout', '--quiet', ...away);
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(codes(result)).toEqual(['KEPT_PATH']);
      expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      expect(await read(clone, FILE)).toContain('v2.1.0');
      expect(await clone.git('status', '--porcelain')).toBe('');
    }
  });

  it.runIf(isProof)(
    'leaves a branch where it is that another worktree has checked out; the hint brings it along',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      await clone.git('checkout', '--quiet', '-b', 'work');
      const linked = join(await temporaryFolder(), 'a linked one');
      await clone.git('worktree', 'add', '--quiet', linked, 'main');
      const before = await clone.git('rev-parse', 'main');
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(await clone.git('rev-parse', 'main')).toBe(before);
      const finding = result.findings.find(({ code }) => code === 'LOCAL_NOT_UPDATED');
      const command =
        /^`git -C '(.*)' (merge) (--ff-only) (\w+)`$/.exec(z.string().parse(finding?.['hint'])) ?? [];
      await clone.git('-C', ...command.slice(1));
      expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      expect(await read({ folder: linked }, FILE)).toContain('v2.0.5');
    },
  );

  it.runIf(isProof)('brings the files along in a linked worktree where it runs', async () => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    await clone.git('checkout', '--quiet', '-b', 'work');
    const linked = join(await temporaryFolder(), 'linked');
    await clone.git('worktree', 'add', '--quiet', linked, 'main');
    const result = await roll(clone, { args: ['--repo', linked] });
    await publishedTo(upstream, result);
    expect(await read({ folder: linked }, FILE)).toContain('v2.0.5');
    expect(await clone.git('-C', linked, 'status', '--porcelain')).toBe('');
    expect(await read(clone, FILE)).toContain('v2.1.0');
  });

  it('works where automation checked a commit out and there is no local branch at all', async () => {
    const upstream = await exampleRepo({ bare: true });
    const clone = await cloneRepo(upstream);
    await clone.git('checkout', '--quiet', '--detach');
    await clone.git('branch', '--quiet', '-D', 'main');
    const result = await roll(clone);
    await publishedTo(upstream, result);
    expect(await clone.git('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('');
    expect(await clone.git('rev-parse', 'origin/main')).toBe(result.deliveryCommit);
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  it.runIf(isProof)(
    'goes to the branch that the configuration names, from a pushed one beside it',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      await clone.git('checkout', '--quiet', '-b', 'work');
      await clone.commit({ 'notes.txt': 'mine\n' });
      await clone.git('push', '--quiet', '-u', 'origin', 'work');
      const work = await upstream.git('rev-parse', 'work');
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(await clone.git('rev-parse', 'main')).toBe(result.deliveryCommit);
      expect(await upstream.git('rev-parse', 'work')).toBe(work);
    },
  );

  it.runIf(isProof)('goes to the upstream of another name, and says so before', async () => {
    const upstream = await exampleRepo({ bare: true });
    await upstream.git('branch', 'release', 'main');
    const clone = await cloneRepo(upstream);
    await clone.git('branch', '--quiet', '--set-upstream-to', 'origin/release');
    const before = await upstream.git('rev-parse', 'main');
    const planned = await plan(clone);
    expect([planned.branch, codes(planned)]).toEqual(['main', ['KEPT_PATH', 'UPSTREAM_BRANCH']]);
    const result = await roll(clone);
    await publishedTo(upstream, result, 'release');
    expect(await upstream.git('rev-parse', 'main')).toBe(before);
    expect(await clone.git('rev-parse', 'main', 'origin/release', 'origin/main')).toBe(
      `${result.deliveryCommit}\n${result.deliveryCommit}\n${before}`,
    );
  });

  it.runIf(isProof)(
    'takes a branch of the remote for the local one that follows it under another name',
    async () => {
      const upstream = await exampleRepo({ bare: true });
      const clone = await cloneRepo(upstream);
      await clone.git('branch', '--quiet', '-m', 'main', 'mine');
      const result = await roll(clone);
      await publishedTo(upstream, result);
      expect(await clone.git('rev-parse', 'mine')).toBe(result.deliveryCommit);
      expect(await clone.git('status', '--porcelain')).toBe('');
    },
  );
});
