/** Whatever voids an approval closes the pull request first; what was merged meanwhile is completed. */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { askFor, createScene, lookOf, proposeFor, type Scene, stateOf } from './scene.ts';

const HOUR = 60 * 60_000;
const jane = { name: 'Jane', email: 'jane@example.com' };
const isClosing = (call: { method: string; path: string }) =>
  call.method === 'PATCH' && /\/pulls\/\d+$/.test(call.path);

describe('a pull request that is not wanted any more', () => {
  let scene: Scene;
  const expectGone = async (id: string, number: number) => {
    expect(await scene.host.pull(number)).toMatchObject({ state: 'closed' });
    expect(await scene.branches()).not.toContain(`backtrail/${id}`);
  };
  beforeAll(async () => {
    scene = await createScene({
      lives: 'file',
      services: ['cancelled', 'raced', 'far', 'again', 'late', 'lost'],
    });
  });

  it('is closed when its request is cancelled', async () => {
    const { id, number } = await proposeFor(scene, 'prod/cancelled');
    await scene.janes.requests.cancel({ id, actor: jane });
    expect(await stateOf(scene, id)).toMatchObject({ status: 'cancelled' });
    await expectGone(id, number);
    expect(await lookOf(scene)).toMatchObject({ repairs: [], waiting: [] });
  });

  it('is completed where it was merged while it was being cancelled', async () => {
    const { id, number } = await proposeFor(scene, 'prod/raced');
    const held = scene.host.hold(isClosing);
    const cancelling = scene.janes.requests.cancel({ id, actor: jane }).catch((error: unknown) => error);
    await held.reached;
    await scene.host.merge(number, { by: 'ada', method: 'squash' });
    held.release();
    expect(await cancelling).toMatchObject({ code: 'REQUEST_CLOSED' });
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'squash' } },
    });
    expect(await scene.branches()).not.toContain(`backtrail/${id}`);
  });

  it('is closed by the end of its branch where the operator lists no host', async () => {
    const { id, number } = await proposeFor(scene, 'prod/far');
    const elsewhere = await scene.another({ isUnlisted: true });
    const before = scene.host.calls.length;
    await elsewhere.requests.cancel({ id, actor: jane });
    expect(scene.host.calls.slice(before).filter(({ isGit }) => !isGit)).toEqual([]);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'cancelled' });
    await expectGone(id, number);
  });

  it('gives way to a later request for its scope, or is completed where it was merged first', async () => {
    const first = await proposeFor(scene, 'prod/again');
    const second = await proposeFor(scene, 'prod/again');
    expect(await stateOf(scene, first.id)).toMatchObject({ status: 'superseded' });
    await expectGone(first.id, first.number);
    const held = scene.host.hold(isClosing);
    const asking = askFor(scene, 'prod/again').catch((error: unknown) => error);
    await held.reached;
    await scene.host.merge(second.number, { by: 'ada', method: 'merge' });
    held.release();
    expect(await asking).toMatchObject({ code: 'REQUEST_CLOSED' });
    await lookOf(scene);
    expect(await stateOf(scene, second.id)).toMatchObject({ status: 'completed' });
  });

  it('stays where its host does not answer, and so does its request', async () => {
    const { id, number } = await proposeFor(scene, 'prod/lost');
    scene.host.fail({ status: 503, match: /\/pulls/, times: 50 });
    await expect(scene.janes.requests.cancel({ id, actor: jane })).rejects.toMatchObject({
      code: 'HOST_UNAVAILABLE',
    });
    scene.host.clearFaults();
    expect(await stateOf(scene, id)).toMatchObject({ status: 'approved' });
    expect(await scene.host.pull(number)).toMatchObject({ state: 'open' });
    await scene.janes.requests.cancel({ id, actor: jane });
    await expectGone(id, number);
  });

  it('is closed when a window closes that binds rollbacks', async () => {
    const begins = new Date(Date.now() + 2 * HOUR);
    const cron = `${begins.getUTCMinutes()} ${begins.getUTCHours()} * * *`;
    const windows = [{ match: 'prod', cron, duration: '4h', rollbacks: 'bound' }];
    await scene.configure({ environments: [], windows });
    const { id, number } = await proposeFor(scene, 'prod/late');
    expect(await lookOf(scene)).toMatchObject({ repairs: [] });
    scene.later(3 * HOUR);
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'withdrawn' }] });
    expect(await stateOf(scene, id)).toMatchObject({ status: 'failed', result: { code: 'WINDOW_CLOSED' } });
    await expectGone(id, number);
  });
});

describe('an approval that does not hold any more', () => {
  const approver = (scene: Scene) => ({ name: scene.team.bob.name, email: scene.team.bob.email });
  const policyOf = (quorum: number) => ({ environments: [{ match: 'prod', quorum, expiry: '2h' }] });
  async function approvedFor(scene: Scene, scope: string) {
    const id = await askFor(scene, scope);
    await scene.bobs.requests.approve({ id, actor: approver(scene) });
    const { pullRequest } = await scene.worker.rollbacks.execute(id);
    return { id, number: pullRequest?.number ?? 0 };
  }

  it('closes the pull request: a policy that became stricter, a key that is revoked, and its expiry', async () => {
    const scene = await createScene({
      policy: policyOf(1),
      services: ['strict', 'revoked', 'expired', 'late'],
    });
    const strict = await approvedFor(scene, 'prod/strict');
    await scene.configure(policyOf(2));
    await lookOf(scene);
    expect(await stateOf(scene, strict.id)).toMatchObject({ status: 'pending' });
    expect(await scene.host.pull(strict.number)).toMatchObject({ state: 'closed' });
    await scene.configure(policyOf(1));

    const revoked = await approvedFor(scene, 'prod/revoked');
    const keys = await readFile(scene.signers, 'utf8');
    await writeFile(scene.signers, keys.replace(/^bob@.*$/m, ''));
    scene.later(2 * 60_000);
    await lookOf(scene);
    expect(await stateOf(scene, revoked.id)).toMatchObject({ status: 'pending' });
    expect(await scene.host.pull(revoked.number)).toMatchObject({ state: 'closed' });
    await writeFile(scene.signers, keys);
    // The same once more: it is not left approved, with nothing that could be merged.
    await lookOf(scene);
    await scene.worker.rollbacks.execute(revoked.id);
    await writeFile(scene.signers, keys.replace(/^bob@.*$/m, ''));
    scene.later(2 * 60_000);
    await lookOf(scene);
    expect(await stateOf(scene, revoked.id)).toMatchObject({
      status: 'failed',
      result: { code: 'AWAITING_APPROVAL' },
    });
    await writeFile(scene.signers, keys);

    const expired = await approvedFor(scene, 'prod/expired');
    scene.later(3 * HOUR);
    const held = scene.host.hold(isClosing);
    const looking = lookOf(scene);
    await held.reached;
    expect(await stateOf(scene, expired.id)).toMatchObject({ status: 'approved' });
    held.release();
    await looking;
    expect(await stateOf(scene, expired.id)).toMatchObject({ status: 'expired' });
    expect(await scene.host.pull(expired.number)).toMatchObject({ state: 'closed' });

    const late = await askFor(scene, 'prod/late');
    await scene.bobs.requests.approve({ id: late, actor: approver(scene) });
    const before = (await scene.host.pulls()).length;
    scene.later(3 * HOUR);
    expect((await scene.worker.rollbacks.execute(late)).pullRequest).toBeUndefined();
    expect(await stateOf(scene, late)).toMatchObject({ status: 'expired' });
    expect(await scene.host.pulls()).toHaveLength(before);
    expect(await scene.branches()).toEqual(['main']);
  });
});
