/** Workers that die, answers that are lost, and hosts that refuse: one pull request, and it goes on. */
import { beforeAll, describe, expect, it } from 'vitest';
import { askFor, createScene, lookOf, proposeFor, type Scene, stateOf } from './scene.ts';

const isCreating = (call: { method: string; path: string }) =>
  call.method === 'POST' && call.path.endsWith('/pulls');

describe('pull requests of workers that fail', () => {
  let scene: Scene;
  const pullsOf = async (id: string) =>
    (await scene.host.pulls()).filter(({ branch }) => branch === `backtrail/${id}`);
  beforeAll(async () => {
    const names = ['two', 'lost', 'killed', 'unlinked', 'merging', 'refused'];
    scene = await createScene({ lives: 'file', services: names });
  });

  it('are one where two execute at once', async () => {
    const id = await askFor(scene, 'prod/two');
    const other = await scene.another();
    const results = await Promise.all([scene.worker.rollbacks.execute(id), other.rollbacks.execute(id)]);
    expect(results.map(({ status }) => status)).toEqual(['proposed', 'proposed']);
    await lookOf(scene);
    expect(await pullsOf(id)).toMatchObject([{ state: 'open', head: results[0]?.commit }]);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'approved',
      link: { number: expect.any(Number) },
    });
    await scene.janes.requests.cancel({ id, actor: scene.team.jane });
  });

  it('are one where the answer of the call that opens it is lost', async () => {
    const id = await askFor(scene, 'prod/lost');
    scene.host.loseAnswer(isCreating);
    await scene.worker.rollbacks.execute(id);
    await lookOf(scene);
    expect(await pullsOf(id)).toHaveLength(1);
    expect((await stateOf(scene, id)).link).toMatchObject({ number: (await pullsOf(id))[0]?.number });
    await scene.janes.requests.cancel({ id, actor: scene.team.jane });
  });

  it.each(['planned', 'published'])('are one where a worker dies when it is %s', async (last) => {
    const id = await askFor(scene, 'prod/killed');
    const dying = await scene.another();
    const killed = new Error('killed');
    const onStep = ({ step }: { readonly step: string }) => {
      if (step === last) throw killed;
    };
    await expect(dying.rollbacks.execute(id, { onStep })).rejects.toBe(killed);
    // Who looks first finds it as it was left.
    const { waiting } = await lookOf(scene);
    for (const one of waiting) await scene.worker.rollbacks.execute(one);
    expect(await pullsOf(id)).toMatchObject([{ state: 'open' }]);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'approved',
      link: { number: expect.any(Number) },
    });
    await scene.janes.requests.cancel({ id, actor: scene.team.jane });
  });

  it('are one where a worker dies between opening it and writing that down', async () => {
    const id = await askFor(scene, 'prod/unlinked');
    const dying = await scene.another();
    const seen = new Promise<void>((resolve) => {
      // The next push is that of the event.
      void scene.host.hold(isCreating).reached.then(() => resolve());
    });
    const executing = dying.rollbacks.execute(id).catch((error: unknown) => error);
    await seen;
    scene.host.drop((call) => call.isGit, 100);
    scene.host.clearFaults();
    await executing;
    await lookOf(scene);
    expect(await pullsOf(id)).toMatchObject([{ state: 'open' }]);
  });
});
