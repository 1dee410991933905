/** `via: branch`: no host is asked; a branch is pushed, a person merges it by git, and a look finds it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { askFor, createScene, lookOf, type Scene, stateOf } from './scene.ts';
import { isProof } from '../../../helpers/run/proof.ts';

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

describe('a branch that waits for a person', () => {
  const MINUTES = 60_000;
  let scene: Scene;
  beforeAll(async () => {
    const files = (image: string) => ({ 'apps/prod/torn/app.yaml': `image: ${image}\nport: 1\n` });
    scene = await createScene({
      lives: 'file',
      rule: { via: 'branch' },
      isUnlisted: true,
      services: ['gone', 'pushed'],
      files: [files('v1'), files('v2')],
    });
  });
  const tipOf = (id: string) => scene.repo.git('rev-parse', `backtrail/${id}`);

  it.runIf(isProof)('has failed where somebody removes it, and a retry makes it anew', async () => {
    const id = await askFor(scene, 'prod/gone');
    await scene.worker.rollbacks.execute(id);
    await scene.host.moveBranch(`backtrail/${id}`, null);
    // Whoever removed it may be about to say why.
    expect(await lookOf(scene)).toMatchObject({
      repairs: [],
      problems: [{ requestId: id, code: 'PULL_REQUEST_CLOSED' }],
    });
    scene.later(2 * MINUTES);
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'failed' }] });
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'failed',
      result: { code: 'PULL_REQUEST_CLOSED', message: expect.stringContaining(`backtrail/${id}`) },
    });
    const { name, email } = scene.team.jane;
    await scene.janes.requests.retry({ id, actor: { name, email } });
    const { commit } = await scene.worker.rollbacks.execute(id);
    expect(await tipOf(id)).toBe(commit);
    await scene.janes.requests.cancel({ id, actor: { name, email } });
  });

  it.runIf(isProof)('has failed where somebody else pushes to it, and stays as it is', async () => {
    const id = await askFor(scene, 'prod/pushed');
    await scene.worker.rollbacks.execute(id);
    const theirs = await scene.host.commitOn(`backtrail/${id}`, { files: { 'mine.txt': 'mine\n' } });
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'failed' }] });
    expect(await stateOf(scene, id)).toMatchObject({ result: { code: 'PULL_REQUEST_CHANGED' } });
    expect(await tipOf(id)).toBe(theirs);
  });

  it.runIf(isProof)(
    'is made anew where the files that it changes have changed, and its plan has not',
    async () => {
      const { name, email } = scene.team.jane;
      const author = { name, email };
      const asked = { scope: 'prod/torn', fields: ['apps/prod/torn/app.yaml#image'], author };
      const { target, digest } = await scene.janes.rollbacks.plan(asked);
      const ask = { ...asked, target, digest, reason: 'v2 fails', ledger: true };
      const { requestId: id } = await scene.janes.rollbacks.request(ask);
      await scene.worker.rollbacks.execute(id);
      const before = await tipOf(id);
      await scene.deploy('torn', 'image: v2\nport: 2\n');
      expect(await lookOf(scene)).toMatchObject({ repairs: [] });
      scene.later(11 * MINUTES);
      expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'proposed' }] });
      expect(await tipOf(id)).not.toBe(before);
      expect(await tipOf(`${id}^`)).toBe(await scene.repo.git('rev-parse', 'main'));
      expect(await lookOf(scene)).toMatchObject({ repairs: [] });
    },
  );

  it.runIf(isProof)('is pushed where the configuration says so by now', async () => {
    const id = await askFor(scene, 'prod/gone');
    await scene.worker.rollbacks.execute(id);
    await scene.host.change({ protect: [] });
    await scene.configure({ environments: [] }, { publish: [] });
    expect(await lookOf(scene)).toMatchObject({
      repairs: expect.arrayContaining([expect.objectContaining({ requestId: id, action: 'withdrawn' })]),
      waiting: expect.arrayContaining([id]),
    });
    expect(await scene.branches()).not.toContain(`backtrail/${id}`);
    expect(await scene.worker.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
    expect(await scene.show('apps/prod/gone/app.yaml')).toContain('v1');
    await scene.host.change({ protect: ['main'] });
  });
});
