/** Whatever voids an approval closes the pull request first; what was merged meanwhile is completed. */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { fileOf } from '../../../helpers/people/forge.ts';
import { isProof } from '../../../helpers/run/proof.ts';
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
      services: 'cancelled slow quick pushed turned raced far again late lost'.split(' '),
    });
  });

  it('is closed when its request is cancelled', async () => {
    const { id, number } = await proposeFor(scene, 'prod/cancelled');
    await scene.janes.requests.cancel({ id, actor: jane });
    expect(await stateOf(scene, id)).toMatchObject({ status: 'cancelled' });
    await expectGone(id, number);
    expect(await lookOf(scene)).toMatchObject({ repairs: [], waiting: [] });
  });

  it.runIf(isProof)('keeps nobody from writing while its host is slow to close it', async () => {
    const { id, number } = await proposeFor(scene, 'prod/slow');
    const other = await askFor(scene, 'prod/quick');
    const held = scene.host.hold(isClosing);
    const cancelling = scene.janes.requests.cancel({ id, actor: jane });
    await held.reached;
    await scene.janes.requests.note({ id: other, actor: jane, text: 'Meanwhile' });
    expect(await stateOf(scene, id)).toMatchObject({ status: 'approved' });
    held.release();
    await cancelling;
    expect(await stateOf(scene, id)).toMatchObject({ status: 'cancelled' });
    await expectGone(id, number);
    await scene.worker.rollbacks.execute(other);
    await scene.janes.requests.cancel({ id: other, actor: jane });
  });

  it.runIf(isProof)('is pushed instead where the configuration asks for a push by now', async () => {
    const { id, number } = await proposeFor(scene, 'prod/pushed');
    await scene.host.change({ protect: [] });
    await scene.configure({ environments: [] }, { publish: [] });
    expect(await scene.worker.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
    await expectGone(id, number);
    expect(await scene.show('apps/prod/pushed/app.yaml')).toContain('v1');
    const { events } = await eventsOf(id);
    expect(events).toContainEqual(expect.objectContaining({ code: 'PULL_REQUEST_CLOSED' }));
    await scene.configure({ environments: [] });
    await scene.host.change({ protect: ['main'] });
  });

  const eventsOf = (id: string) => fileOf(scene.repo, id);

  it.runIf(isProof)(
    'is a branch alone, or a pull request again, where the configuration asks for that',
    async () => {
      const { id, number } = await proposeFor(scene, 'prod/turned');
      await scene.configure({ environments: [] }, { publish: [{ match: 'prod', via: 'branch' }] });
      expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'proposed' }] });
      expect(await scene.host.pull(number)).toMatchObject({ state: 'closed' });
      expect(await stateOf(scene, id)).toMatchObject({ status: 'approved', proposed: { via: 'branch' } });
      await scene.configure({ environments: [] });
      expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'proposed' }] });
      const { proposed, link } = await stateOf(scene, id);
      expect(await scene.host.pull(link?.number ?? 0)).toMatchObject({ state: 'open', head: proposed?.tip });
      await scene.janes.requests.cancel({ id, actor: jane });
    },
  );

  it.runIf(isProof)('is completed where it was merged while it was being cancelled', async () => {
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

  it.runIf(isProof)('is closed by the end of its branch where the operator lists no host', async () => {
    const { id, number } = await proposeFor(scene, 'prod/far');
    const elsewhere = await scene.another({ isUnlisted: true });
    const before = scene.host.calls.length;
    await elsewhere.requests.cancel({ id, actor: jane });
    expect(scene.host.calls.slice(before).filter(({ isGit }) => !isGit)).toEqual([]);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'cancelled' });
    await expectGone(id, number);
  });

  it.runIf(isProof)(
    'gives way to a later request for its scope, or is completed where it was merged first',
    async () => {
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
    },
  );

  it.runIf(isProof)('stays where its host does not answer, and so does its request', async () => {
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

  it.runIf(isProof)('is closed when a window closes that binds rollbacks', async () => {
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
  it.runIf(isProof).each(['followed', 'rejected', 'expired'])(
    'completes what a person merged although reviewers were asked again, and it was %s',
    async (how) => {
      const scene = await createScene({
        policy: policyOf(1),
        services: ['api'],
        files: [{ 'apps/prod/api/more.yaml': 'a: 1\n' }, {}],
      });
      const { id, number } = await approvedFor(scene, 'prod/api');
      await scene.host.commitOn('main', { files: { 'apps/prod/api/more.yaml': 'a: 2\n' } });
      await lookOf(scene);
      expect(await stateOf(scene, id)).toMatchObject({ status: 'pending' });
      await scene.host.edit(number, { isDraft: false });
      await scene.host.merge(number, { by: 'ada', method: 'merge', force: true });
      if (how === 'expired') scene.later(3 * HOUR);
      const rejecting = () => scene.bobs.requests.reject({ id, actor: approver(scene) });
      const said = await (how === 'rejected' ? rejecting() : lookOf(scene)).catch((error: unknown) => error);
      expect(said).toMatchObject(
        how === 'rejected'
          ? { code: 'REQUEST_CLOSED' }
          : { repairs: [{ requestId: id, action: 'completed' }] },
      );
      expect(await stateOf(scene, id)).toMatchObject({
        status: 'completed',
        result: { arrived: { how: 'merge', link: { number } } },
      });
    },
  );
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
      services: ['strict', 'revoked', 'expired'],
    });
    const strict = await approvedFor(scene, 'prod/strict');
    await scene.configure(policyOf(2));
    await lookOf(scene);
    expect(await stateOf(scene, strict.id)).toMatchObject({ status: 'pending' });
    expect(await scene.host.pull(strict.number)).toMatchObject({ state: 'closed' });
    await scene.configure(policyOf(1));

    const revoked = await approvedFor(scene, 'prod/revoked');
    const keys = await readFile(scene.signers, 'utf8');
    // A key that is not listed at all may be in the list of another worker: that says nothing.
    const ended = keys.replace(/^bob@\S+ /m, '$&valid-before="20200101",');
    await writeFile(scene.signers, ended);
    scene.later(2 * 60_000);
    await lookOf(scene);
    expect(await stateOf(scene, revoked.id)).toMatchObject({ status: 'pending' });
    expect(await scene.host.pull(revoked.number)).toMatchObject({ state: 'closed' });
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
    expect(await scene.branches()).toEqual(['main']);
  });

  it.runIf(isProof)(
    'closes it again: a key that is revoked twice, and an expiry before it is opened',
    async () => {
      const scene = await createScene({ policy: policyOf(1), services: ['revoked', 'late'] });
      const revoked = await approvedFor(scene, 'prod/revoked');
      const keys = await readFile(scene.signers, 'utf8');
      const ended = keys.replace(/^bob@\S+ /m, '$&valid-before="20200101",');
      await writeFile(scene.signers, ended);
      scene.later(2 * 60_000);
      await lookOf(scene);
      await writeFile(scene.signers, keys);
      // The same once more: it is not left approved, with nothing that could be merged.
      await lookOf(scene);
      await scene.worker.rollbacks.execute(revoked.id);
      await writeFile(scene.signers, ended);
      scene.later(2 * 60_000);
      await lookOf(scene);
      expect(await stateOf(scene, revoked.id)).toMatchObject({
        status: 'failed',
        result: { code: 'AWAITING_APPROVAL' },
      });
      // Who tries it once more asks reviewers once more.
      await scene.janes.requests.retry({ id: revoked.id, actor: jane });
      await expect(scene.worker.rollbacks.execute(revoked.id)).rejects.toMatchObject({
        code: 'AWAITING_APPROVAL',
      });
      expect(await stateOf(scene, revoked.id)).toMatchObject({ status: 'pending' });
      await writeFile(scene.signers, keys);

      const late = await askFor(scene, 'prod/late');
      await scene.bobs.requests.approve({ id: late, actor: approver(scene) });
      const before = (await scene.host.pulls()).length;
      scene.later(3 * HOUR);
      expect((await scene.worker.rollbacks.execute(late)).pullRequest).toBeUndefined();
      expect(await stateOf(scene, late)).toMatchObject({ status: 'expired' });
      expect(await scene.host.pulls()).toHaveLength(before);
      expect(await scene.branches()).toEqual(['main']);
    },
  );
});
