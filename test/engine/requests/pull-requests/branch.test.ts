/** `via: branch`: no host is asked; a branch is pushed, a person merges it by git, and a look finds it. */
import { expect, it } from 'vitest';
import { askFor, createScene, lookOf, stateOf } from './scene.ts';

it('of a branch that a person merges by git is completed, and no host is asked', async () => {
  const scene = await createScene({ rule: { via: 'branch' }, isUnlisted: true });
  const id = await askFor(scene);
  const before = await scene.repo.git('rev-parse', 'main');
  const { status, proposed, pullRequest } = await scene.worker.rollbacks.execute(id);
  expect({ status, proposed, pullRequest }).toMatchObject({
    status: 'proposed',
    proposed: { via: 'branch', branch: `backtrail/${id}`, into: 'main' },
  });
  expect(pullRequest).toBeUndefined();
  expect(await scene.repo.git('rev-parse', 'main')).toBe(before);
  const waits = await lookOf(scene);
  expect(waits).toEqual({
    repairs: [],
    waiting: [],
    proposed: [{ requestId: id, branch: `backtrail/${id}`, url: null, isClosed: false }],
  });
  // As `git merge --no-ff` does.
  const tree = await scene.repo.git('rev-parse', `backtrail/${id}^{tree}`);
  const merge = await scene.repo.git(
    'commit-tree',
    tree,
    '-p',
    before,
    '-p',
    `backtrail/${id}`,
    '-m',
    'Merge',
  );
  await scene.repo.git('update-ref', 'refs/heads/main', merge, before);
  expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'completed' }] });
  expect(await stateOf(scene, id)).toMatchObject({
    status: 'completed',
    result: { commit: merge, arrived: { how: 'merge' } },
  });
  expect(await scene.branches()).toEqual(['main']);
  expect(scene.host.calls.filter(({ isGit }) => !isGit)).toEqual([]);
});
