/** What happens to a pull request when the branch that it is for moves on. */
import { beforeAll, describe, expect, it } from 'vitest';
import { POLICY } from '../../../helpers/people/requests.ts';
import { isProof, runs } from '../../../helpers/run/proof.ts';
import { askFor, createScene, lookOf, proposeFor, type Scene, stateOf } from './scene.ts';

const MINUTES = 60_000;
const many = (image: string, end: string) =>
  [
    'services:',
    `  - name: api\n    image: ${image}`,
    ...Array.from({ length: 12 }, (_, at) => `  - name: other${at}\n    image: one`),
    `# ${end}`,
    '',
  ].join('\n');

describe('a pull request whose branch moves on', () => {
  let scene: Scene;
  const branchOf = (id: string) => scene.repo.git('rev-parse', `backtrail/${id}`);
  beforeAll(async () => {
    scene = await createScene({
      lives: 'file',
      services: ['outside', 'done', 'anew', 'torn'],
      files: [
        { 'apps/prod/shared/all.yaml': many('v1', 'one') },
        { 'apps/prod/shared/all.yaml': many('v2', 'one') },
      ],
    });
  });

  it.runIf(isProof)('outside its scope is left alone, and its merge is found', async () => {
    const { id, number } = await proposeFor(scene, 'prod/outside');
    const tip = await branchOf(id);
    await scene.host.commitOn('main', { files: { 'README.md': 'two\n' } });
    scene.later(11 * MINUTES);
    expect(await lookOf(scene)).toMatchObject({ repairs: [] });
    expect(await branchOf(id)).toBe(tip);
    await scene.host.merge(number, { by: 'ada', method: 'rebase' });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'rebase' } },
    });
  });

  it.runIf(isProof)(
    'in the same file but not in its fields is left alone, and a merge that writes another file is found',
    async () => {
      const author = scene.team.jane;
      const asked = {
        scope: 'prod/shared',
        fields: ['apps/prod/shared/all.yaml#services[name=api].image'],
        author: { name: author.name, email: author.email },
      };
      const { target, digest } = await scene.janes.rollbacks.plan(asked);
      const { requestId: id } = await scene.janes.rollbacks.request({
        ...asked,
        target,
        digest,
        reason: 'v2 fails',
        ledger: true,
      });
      const { pullRequest } = await scene.worker.rollbacks.execute(id);
      const tip = await branchOf(id);
      await scene.host.commitOn('main', { files: { 'apps/prod/shared/all.yaml': many('v2', 'two') } });
      expect(await lookOf(scene)).toMatchObject({ repairs: [] });
      expect(await branchOf(id)).toBe(tip);
      await scene.host.merge(pullRequest?.number ?? 0, { by: 'ada', method: 'merge' });
      expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'completed' }] });
      expect(await stateOf(scene, id)).toMatchObject({
        status: 'completed',
        result: { arrived: { how: 'merge' } },
      });
      expect(await scene.show('apps/prod/shared/all.yaml')).toBe(many('v1', 'two').trimEnd());
      // Read back from the branch, though no commit says so by itself.
      expect(await scene.worker.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
      const [newest] = (await scene.worker.history({ scope: 'prod/shared', limit: 1 })).revisions;
      expect(newest).toMatchObject({ source: 'rollback' });
    },
  );

  it.runIf(isProof)('so that it conflicts is made anew, with the same changes', async () => {
    const author = { name: scene.team.jane.name, email: scene.team.jane.email };
    await scene.host.commitOn('main', { files: { 'apps/prod/shared/all.yaml': many('v2', 'three') } });
    const asked = {
      scope: 'prod/shared',
      fields: ['apps/prod/shared/all.yaml#services[name=api].image'],
      author,
    };
    const { target, digest } = await scene.janes.rollbacks.plan({ ...asked, to: 'v1' });
    const { requestId: id } = await scene.janes.rollbacks.request({
      ...asked,
      target,
      digest,
      reason: 'v2 fails',
      ledger: true,
    });
    const { pullRequest } = await scene.worker.rollbacks.execute(id);
    const number = pullRequest?.number ?? 0;
    const next = many('v2', 'three').replace('image: v2', 'image: v2\n    port: 1');
    await scene.host.commitOn('main', { files: { 'apps/prod/shared/all.yaml': next } });
    expect(await scene.host.verdict(number)).toBe('conflict');
    scene.later(11 * MINUTES);
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'proposed' }] });
    expect(await scene.host.verdict(number)).toBe('clean');
    await scene.host.merge(number, { by: 'ada', method: 'merge' });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
    expect(`${await scene.show('apps/prod/shared/all.yaml')}\n`).toBe(next.replace('image: v2', 'image: v1'));
  });

  it.runIf(isProof)('to what it would restore is closed, as there is nothing left to do', async () => {
    const { id, number } = await proposeFor(scene, 'prod/done');
    const files = { 'apps/prod/done/app.yaml': 'image: v1\nreplicas: 1\n', 'README.md': 'by hand\n' };
    await scene.host.commitOn('main', { files });
    expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'withdrawn' }] });
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed', result: { status: 'unchanged' } });
    expect(await scene.host.pull(number)).toMatchObject({ state: 'closed' });
    expect(await scene.branches()).not.toContain(`backtrail/${id}`);
  });

  it.runIf(isProof)(
    'is made anew where its host asks for a newer base, at most every ten minutes',
    async () => {
      await scene.host.change({ requireUpToDate: true });
      const { id, number } = await proposeFor(scene, 'prod/anew');
      const first = await branchOf(id);
      await lookOf(scene);
      await scene.host.commitOn('main', { files: { 'README.md': 'three\n' } });
      await lookOf(scene);
      expect(await branchOf(id)).toBe(first);
      scene.later(11 * MINUTES);
      expect(await lookOf(scene)).toMatchObject({ repairs: [{ requestId: id, action: 'proposed' }] });
      expect(await scene.repo.git('rev-parse', `backtrail/${id}^`)).toBe(
        await scene.repo.git('rev-parse', 'main'),
      );
      const pull = await scene.host.pull(number);
      expect(pull).toMatchObject({ state: 'open', head: await branchOf(id) });
      expect(pull.body).toContain((await branchOf(id)).slice(0, 10));
      await scene.host.merge(number, { by: 'ada', method: 'squash' });
      await lookOf(scene);
      expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
      await scene.host.change({ requireUpToDate: false });
    },
  );

  it.runIf(isProof)('keeps what a person pushed meanwhile, also where it is made anew', async () => {
    await scene.host.change({ requireUpToDate: true });
    const { id, number } = await proposeFor(scene, 'prod/torn');
    await scene.host.commitOn('main', { files: { 'README.md': 'four\n' } });
    scene.later(11 * MINUTES);
    // What is left of opening it is done.
    await stateOf(scene, id);
    // Between what the host says and our push.
    const held = scene.host.hold((call) => call.isGit && call.path.endsWith('git-receive-pack'));
    const looking = lookOf({ worker: await scene.another({ overHttp: true }) });
    await held.reached;
    const theirs = await scene.host.pushTo(number, { files: { 'mine.txt': 'mine\n' } });
    held.release();
    await looking;
    await lookOf(scene);
    expect(await branchOf(id)).toBe(theirs);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'failed',
      result: { code: 'PULL_REQUEST_CHANGED' },
    });
    await scene.host.change({ requireUpToDate: false });
  });
});

describe.each([true, false].slice(0, runs(2, 1)))(
  'a pull request whose base moved inside its scope, drafts: %s',
  (drafts) => {
    it('is not to be merged until its new plan is approved', async () => {
      const scene = await createScene({ policy: POLICY, settings: { drafts } });
      const { worker, host, bobs, team } = scene;
      const bob = { name: team.bob.name, email: team.bob.email };
      const id = await askFor(scene);
      await bobs.requests.approve({ id, actor: bob });
      const { pullRequest } = await worker.rollbacks.execute(id);
      const number = pullRequest?.number ?? 0;
      await scene.deploy('api', 'image: v3\nreplicas: 1\n');
      await lookOf(scene);
      expect(await stateOf(scene, id)).toMatchObject({ status: 'pending' });
      expect(await host.pull(number)).toMatchObject(
        drafts ? { state: 'open', isDraft: true } : { state: 'closed' },
      );
      await bobs.requests.approve({ id, actor: bob });
      const again = await worker.rollbacks.execute(id);
      expect(again).toMatchObject({ status: 'proposed', findings: [] });
      const now = await host.pull(again.pullRequest?.number ?? 0);
      expect(now).toMatchObject({ state: 'open', isDraft: false, head: again.commit });
      expect(now.body).toContain('v3');
      expect((await host.pulls()).filter(({ state }) => state === 'open')).toHaveLength(1);
      expect(now.number).toBe(drafts ? number : number + 1);
    });

    it.runIf(isProof)(
      'is closed where its request is cancelled while it is asked about once more',
      async () => {
        const scene = await createScene({ policy: POLICY, settings: { drafts } });
        const { worker, host, bobs, team } = scene;
        const bob = { name: team.bob.name, email: team.bob.email };
        const id = await askFor(scene);
        await bobs.requests.approve({ id, actor: bob });
        await worker.rollbacks.execute(id);
        await scene.deploy('api', 'image: v4\nreplicas: 1\n');
        await lookOf(scene);
        const jane = { name: team.jane.name, email: team.jane.email };
        // Whoever asked is not kept from that by a host that does not answer; a worker closes it when it does.
        if (drafts) host.fail({ status: 503, times: 100 });
        await scene.janes.requests.cancel({ id, actor: jane });
        host.clearFaults();
        expect(await stateOf(scene, id)).toMatchObject({ status: 'cancelled' });
        const other = await askFor(scene, 'prod/web');
        await bobs.requests.approve({ id: other, actor: bob });
        await worker.rollbacks.execute(other);
        await lookOf(scene);
        const open = (await host.pulls()).filter(({ state }) => state === 'open');
        expect(open).toMatchObject([{ branch: `backtrail/${other}` }]);
        expect(await scene.branches()).toEqual([`backtrail/${other}`, 'main']);
      },
    );
  },
);
