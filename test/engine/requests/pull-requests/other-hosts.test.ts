/** What differs on GitLab and Gitea: drafts are a matter of the title, and what was written anew is opened again. */
import { describe, expect, it } from 'vitest';
import { POLICY } from '../../../helpers/people/requests.ts';
import { isProof } from '../../../helpers/run/proof.ts';
import { askFor, createScene, lookOf, stateOf } from './scene.ts';

describe.runIf(isProof).each(['gitlab', 'gitea'] as const)('a pull request on %s', (kind) => {
  it('is opened again, becomes a draft, is ready again, is aimed elsewhere, and is closed: the same one', async () => {
    const scene = await createScene({ overHttp: true, kind, policy: POLICY });
    const { worker, host, bobs, janes, team } = scene;
    const id = await askFor(scene);
    await bobs.requests.approve({ id, actor: team.bob });
    const { pullRequest } = await worker.rollbacks.execute(id);
    const number = pullRequest?.number ?? 0;

    await host.closePull(number);
    scene.later(2 * 60_000);
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ result: { code: 'PULL_REQUEST_CLOSED' } });
    await host.commitOn('main', { files: { 'README.md': 'two\n' } });
    await janes.requests.retry({ id, actor: team.jane });
    expect(await worker.rollbacks.execute(id)).toMatchObject({ pullRequest: { number } });

    await scene.deploy('api', 'image: v3\nreplicas: 1\n');
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'pending' });
    expect(await host.pull(number)).toMatchObject({ state: 'open', isDraft: true });
    await bobs.requests.approve({ id, actor: team.bob });
    const { commit } = await worker.rollbacks.execute(id);
    expect(await host.pull(number)).toMatchObject({ state: 'open', isDraft: false, head: commit });

    await scene.repo.git('branch', 'release', 'main');
    await host.retarget(number, 'release');
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ result: { code: 'PULL_REQUEST_CHANGED' } });
    await janes.requests.retry({ id, actor: team.jane });
    const again = await worker.rollbacks.execute(id);
    const open = (await host.pulls()).filter(({ state }) => state === 'open');
    expect(open).toMatchObject([{ number: again.pullRequest?.number, into: 'main' }]);

    const closing = kind === 'gitlab' ? 'PUT /projects' : 'PATCH /repos';
    const held = host.hold(closing);
    const cancelling = janes.requests.cancel({ id, actor: team.jane }).catch((error: unknown) => error);
    await held.reached;
    await host.merge(open[0]?.number ?? 0, { by: 'ada', method: 'merge' });
    held.release();
    expect(await cancelling).toMatchObject({ code: 'REQUEST_CLOSED' });
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'merge' } },
    });
    expect(await scene.branches()).toEqual(['main', 'release']);
  });
});
