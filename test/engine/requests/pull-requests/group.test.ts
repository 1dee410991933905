/** One pull request for several rollbacks of an incident, of which one is not wanted any more. */
import { describe, expect, it } from 'vitest';
import { newId } from '../../../helpers/people/requests.ts';
import { createScene, lookOf, type Scene, stateOf } from './scene.ts';
import { isProof } from '../../../helpers/run/proof.ts';

const scopes = ['prod/api', 'prod/jobs', 'prod/web'];

async function proposedTogether(scene: Scene) {
  const author = { name: scene.team.jane.name, email: scene.team.jane.email };
  const asks = [];
  for (const scope of scopes) {
    const { target, digest, base } = await scene.janes.rollbacks.plan({ scope, author });
    const reason = 'v2 answers 500';
    asks.push({ scope, target, digest, base, author, reason, id: newId(), incident: 'inc-1', ledger: true });
  }
  await scene.janes.rollbacks.requestMany(asks);
  const ids = asks.map(({ id }) => id);
  await scene.worker.rollbacks.executeMany(ids.map((id) => ({ id })));
  // The ledger names the pull request a moment after the branch is there.
  for (const id of ids) await expect.poll(async () => (await stateOf(scene, id)).link).not.toBe(null);
  return ids;
}

it.runIf(isProof)(
  'of rollbacks that share a pull request, those that are left are proposed again when one is cancelled',
  async () => {
    const scene = await createScene({ services: ['api', 'jobs', 'web'] });
    const [first = '', ...others] = await proposedTogether(scene);
    const { link, proposed } = await stateOf(scene, first);
    expect((await stateOf(scene, others[0] ?? '')).link).toEqual(link);
    await scene.janes.requests.cancel({ id: first, actor: scene.team.jane });
    expect(await scene.host.pull(link?.number ?? 0)).toMatchObject({ state: 'closed' });
    // Also by a worker that has seen none of it.
    const other = await scene.another();
    expect(await other.requests.reconcile({ asksHost: true })).not.toHaveProperty('problems');
    const open = (await scene.host.pulls()).filter(({ state }) => state === 'open');
    expect(open).toHaveLength(1);
    expect(open[0]?.head).not.toBe(proposed?.tip);
    for (const id of others)
      expect(await stateOf(scene, id)).toMatchObject({
        status: 'approved',
        link: { number: open[0]?.number },
      });
    // One more is voided: what it restores is there already.
    const files = { 'apps/prod/jobs/app.yaml': 'image: v1\nreplicas: 1\n', 'README.md': 'by hand\n' };
    await scene.host.commitOn('main', { files });
    await lookOf(scene);
    const [jobs = '', web = ''] = others;
    expect(await stateOf(scene, jobs)).toMatchObject({
      status: 'completed',
      result: { status: 'unchanged' },
    });
    expect(await stateOf(scene, web)).toMatchObject({ status: 'approved' });
    await lookOf(scene);
    const { link: now } = await stateOf(scene, web);
    await scene.host.merge(now?.number ?? 0, { by: 'ada', method: 'squash' });
    await lookOf(scene);
    expect(await stateOf(scene, web)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'squash' } },
    });
    expect(await scene.show('apps/prod/api/app.yaml')).toContain('v2');
    expect(await scene.show('apps/prod/web/app.yaml')).toContain('v1');
    expect(await scene.branches()).toEqual(['main']);
  },
);

describe('rollbacks of an incident', () => {
  it('share one pull request, and are completed by the one commit of whoever squashed it', async () => {
    const scene = await createScene({ services: ['api', 'jobs', 'web'] });
    const ids = await proposedTogether(scene);
    const [pull, ...more] = await scene.host.pulls();
    expect(more).toEqual([]);
    const other = await scene.another();
    expect(await other.requests.reconcile({ asksHost: true })).toEqual({
      repairs: [],
      waiting: [],
      proposed: expect.anything(),
    });
    await scene.host.merge(pull?.number ?? 0, { by: 'ada', method: 'squash' });
    const commit = await scene.repo.git('rev-parse', 'main');
    await lookOf(scene);
    for (const id of ids)
      expect(await stateOf(scene, id)).toMatchObject({
        status: 'completed',
        result: { commit, arrived: { how: 'squash' } },
      });
  });

  it.runIf(isProof)(
    'have a pull request each where the method is squash, and all branches come in one push',
    async () => {
      const rule = { method: 'squash' };
      const scene = await createScene({ overHttp: true, services: ['api', 'jobs', 'web'], rule });
      const ids = await proposedTogether(scene);
      const pulls = await scene.host.pulls();
      expect(pulls.map(({ branch }) => branch).toSorted()).toEqual(
        ids.map((id) => `backtrail/${id}`).toSorted(),
      );
      const { calls } = scene.host;
      const opened = calls.findIndex(({ method, path }) => method === 'POST' && path.endsWith('/pulls'));
      const isPush = ({ isGit, method, path }: (typeof calls)[number]) =>
        isGit && method === 'POST' && path.endsWith('git-receive-pack');
      // What asked for them, and what proposed them.
      expect(calls.slice(0, opened).filter(isPush)).toHaveLength(2);
    },
  );
});
