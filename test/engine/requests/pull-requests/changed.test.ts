/** What people do with a pull request on its host, and what becomes of its request. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createScene, lookOf, proposeFor, type Scene, stateOf } from './scene.ts';
import { isProof } from '../../../helpers/run/proof.ts';

const MINUTES = 60_000;
const failed = (code: string) => ({ status: 'failed', result: { status: 'failed', code } });

describe('what a person does with a pull request on GitHub', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene({
      lives: 'file',
      services: ['closed', 'gone', 'reopened', 'pushed', 'aimed', 'other', 'elsewhere'],
      rule: { merge: 'auto' },
      settings: { requiredReviews: 1 },
    });
    await scene.repo.git('branch', 'release', 'main');
  });
  const { jane } = { jane: { name: 'Jane', email: 'jane@example.com' } };
  const openPulls = async (branch: string) =>
    (await scene.host.pulls()).filter((pull) => pull.state === 'open' && pull.branch === branch);

  it('closed, it has failed, and a retry opens the same one again', async () => {
    const { id, number } = await proposeFor(scene, 'prod/closed');
    await scene.host.closePull(number);
    // A worker may be about to write down why it closed it.
    expect(await lookOf(scene)).toMatchObject({ repairs: [] });
    scene.later(2 * MINUTES);
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'failed' }] });
    expect(await stateOf(scene, id)).toMatchObject(failed('PULL_REQUEST_CLOSED'));
    await scene.janes.requests.retry({ id, actor: jane });
    expect(await scene.worker.rollbacks.execute(id)).toMatchObject({
      status: 'proposed',
      pullRequest: { number },
    });
    expect(await openPulls(`backtrail/${id}`)).toMatchObject([{ number, isDraft: false }]);
  });

  it.runIf(isProof)(
    'closed while the branch moved on, a retry opens another one, and there are never two',
    async () => {
      const { id, number } = await proposeFor(scene, 'prod/gone');
      // Its branch too.
      await scene.host.moveBranch(`backtrail/${id}`, null);
      scene.later(2 * MINUTES);
      await lookOf(scene);
      expect(await stateOf(scene, id)).toMatchObject(failed('PULL_REQUEST_CLOSED'));
      await scene.host.commitOn('main', { files: { 'README.md': 'two\n' } });
      await scene.janes.requests.retry({ id, actor: jane });
      const { pullRequest } = await scene.worker.rollbacks.execute(id);
      expect(pullRequest?.number).toBeGreaterThan(number);
      expect(await openPulls(`backtrail/${id}`)).toMatchObject([{ number: pullRequest?.number }]);
      expect(await scene.host.pull(number)).toMatchObject({ state: 'closed' });
    },
  );

  it.runIf(isProof)('closed, opened again by a person and merged, it is completed', async () => {
    const { id, number } = await proposeFor(scene, 'prod/reopened');
    await scene.host.closePull(number);
    scene.later(2 * MINUTES);
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'failed' });
    await scene.host.reopen(number);
    await scene.host.merge(number, { by: 'ada', method: 'squash', force: true });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'squash', by: 'ada', link: { number } } },
    });
  });

  it('with a commit of a person on it, it is never merged by a worker, and a retry makes it anew', async () => {
    const { id, number } = await proposeFor(scene, 'prod/pushed');
    const ours = await scene.repo.git('rev-parse', `backtrail/${id}`);
    await scene.host.pushTo(number, { files: { 'apps/prod/pushed/app.yaml': 'image: evil\n' } });
    await scene.host.review(number, { by: 'ada', state: 'approved' });
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'failed' }] });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject(failed('PULL_REQUEST_CHANGED'));
    expect(await scene.host.pull(number)).toMatchObject({ state: 'open' });
    await scene.janes.requests.retry({ id, actor: jane });
    expect(await scene.worker.rollbacks.execute(id)).toMatchObject({ pullRequest: { number } });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
    expect(await scene.show('apps/prod/pushed/app.yaml')).toContain('v1');
    expect((await scene.host.pull(number)).head).toHaveLength(ours.length);
  });

  it.runIf(isProof)(
    'aimed at another branch, it has failed, and a retry opens one for the branch alone',
    async () => {
      const { id, number } = await proposeFor(scene, 'prod/aimed');
      await scene.host.retarget(number, 'release');
      await lookOf(scene);
      expect(await stateOf(scene, id)).toMatchObject(failed('PULL_REQUEST_CHANGED'));
      await scene.janes.requests.retry({ id, actor: jane });
      const { pullRequest } = await scene.worker.rollbacks.execute(id);
      expect(await openPulls(`backtrail/${id}`)).toMatchObject([
        { number: pullRequest?.number, into: 'main' },
      ]);
    },
  );

  it.runIf(isProof)(
    'with a commit of a person and merged between two looks, it was merged otherwise',
    async () => {
      const { id, number } = await proposeFor(scene, 'prod/other');
      await scene.host.pushTo(number, { files: { 'apps/prod/other/more.yaml': 'more: true\n' } });
      await scene.host.merge(number, { by: 'ada', method: 'squash', force: true });
      await lookOf(scene);
      const { status, result } = await stateOf(scene, id);
      expect({ status, result }).toMatchObject(failed('MERGED_OTHERWISE'));
      expect(result).toMatchObject({ message: expect.stringContaining('apps/prod/other/more.yaml') });
      // What is retried is proposed once more where there is something left to do.
      await scene.deploy('other', 'image: v3\n');
      await scene.janes.requests.retry({ id, actor: jane });
      await expect(scene.worker.rollbacks.execute(id)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    },
  );

  it.runIf(isProof)('merged into another branch, it was merged otherwise', async () => {
    const { id, number } = await proposeFor(scene, 'prod/elsewhere');
    await scene.host.retarget(number, 'release');
    await scene.host.merge(number, { by: 'ada', method: 'merge', force: true });
    await lookOf(scene);
    const { status, result } = await stateOf(scene, id);
    expect({ status, result }).toMatchObject(failed('MERGED_OTHERWISE'));
    expect(result).toMatchObject({ message: expect.stringContaining('release') });
    await scene.janes.requests.retry({ id, actor: jane });
    expect(await scene.worker.rollbacks.execute(id)).toMatchObject({ status: 'proposed' });
    expect(await openPulls(`backtrail/${id}`)).toMatchObject([{ into: 'main' }]);
  });
});
