import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/model/index.ts';
import { createRepo, type Repo } from '../../helpers/repositories/repo.ts';
import { open, REQUEST, stage } from './open.ts';

const branch = `backtrail/${REQUEST}`;
const codeOf = (error: unknown) =>
  isFailure(error) ? `${error.code} ${String(error.details['ref'])}` : error;

const places: readonly [string, (repo: Repo) => string][] = [
  ['a repository of this machine', ({ folder }) => folder],
  ['a remote', ({ folder }) => `file://${folder}`],
];

describe.each(places)('a branch of ours in %s', (_, locate) => {
  it('is made, made anew on another base, and deleted, each from where it was', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const git = await open(repo, { location: locate(repo) });
    expect(await git.proposedAt(branch)).toBe(null);
    const first = await stage(git, base, { a: '2' });
    await git.propose({ moves: [{ branch, expected: null, next: first }] });
    expect(await git.proposedAt(branch)).toBe(first);
    expect(await repo.git('rev-parse', branch)).toBe(first);
    const moved = await repo.commit({ b: '1' });
    await git.refresh();
    const second = await stage(git, moved, { a: '2' });
    await git.propose({ moves: [{ branch, expected: first, next: second }] });
    expect(await repo.git('rev-parse', branch)).toBe(second);
    await expect(
      git.propose({ moves: [{ branch, expected: first, next: null }] }).catch(codeOf),
    ).resolves.toBe(`BRANCH_MOVED refs/heads/${branch}`);
    await git.propose({ moves: [{ branch, expected: second, next: null }] });
    expect(await git.proposedAt(branch)).toBe(null);
    expect(await repo.git('rev-parse', 'main')).toBe(moved);
  });

  it('moves together with records, or not at all', async () => {
    const repo = await createRepo();
    const base = await repo.commit({ a: '1' });
    const git = await open(repo, { location: locate(repo) });
    const next = await stage(git, base, { a: '2' });
    const also = [{ ref: 'refs/backtrail/ledger', expected: null, next: base }];
    const stale = [{ ref: 'refs/backtrail/ledger', expected: next, next: base }];
    const moves = [{ branch, expected: null, next }];
    await expect(git.propose({ moves, also: stale }).catch(codeOf)).resolves.toBe(
      'BRANCH_MOVED refs/backtrail/ledger',
    );
    expect(await git.proposedAt(branch)).toBe(null);
    expect(await git.propose({ moves, also })).toEqual([]);
    expect(await repo.git('rev-parse', 'refs/backtrail/ledger', branch)).toBe(`${base}\n${next}`);
  });

  it.each(['main', 'backtrail/main', `backtrail/${REQUEST}/x`, `backtrail/../${REQUEST}`])(
    'is never %s',
    async (name) => {
      const repo = await createRepo();
      const base = await repo.commit({ a: '1' });
      const git = await open(repo, { location: locate(repo) });
      await expect(
        git.propose({ moves: [{ branch: name, expected: base, next: null }] }).catch(codeOf),
      ).resolves.toMatch(/^INTERNAL/);
      expect(await repo.git('rev-parse', 'main')).toBe(base);
    },
  );
});
