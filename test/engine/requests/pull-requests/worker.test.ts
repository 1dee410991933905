/** Workers that die, answers that are lost, and hosts that refuse: one pull request, and it goes on. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventId, forgeEvent, TIME } from '../../../helpers/people/forge.ts';
import { askFor, createScene, lookOf, proposeFor, type Scene, stateOf } from './scene.ts';
import { isProof, runs } from '../../../helpers/run/proof.ts';

const isCreating = (call: { method: string; path: string }) =>
  call.method === 'POST' && call.path.endsWith('/pulls');

describe('pull requests of workers that fail', () => {
  let scene: Scene;
  const pullsOf = async (id: string) =>
    (await scene.host.pulls()).filter(({ branch }) => branch === `backtrail/${id}`);
  beforeAll(async () => {
    const names = ['two', 'lost', 'killed', 'unlinked', 'parked', 'first', 'second', 'merging', 'refused'];
    scene = await createScene({ overHttp: true, lives: 'file', services: names });
  });

  it.runIf(isProof)('are one where two execute at once', async () => {
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

  it.runIf(isProof)('are one where the answer of the call that opens it is lost', async () => {
    const id = await askFor(scene, 'prod/lost');
    scene.host.loseAnswer(isCreating);
    await scene.worker.rollbacks.execute(id);
    await lookOf(scene);
    expect(await pullsOf(id)).toHaveLength(1);
    expect((await stateOf(scene, id)).link).toMatchObject({ number: (await pullsOf(id))[0]?.number });
    await scene.janes.requests.cancel({ id, actor: scene.team.jane });
  });

  it.each(['published', 'planned'].slice(0, runs(2, 1)))(
    'are one where a worker dies when it is %s',
    async (last) => {
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
    },
  );

  it.runIf(isProof)(
    'are one where a worker opens it and cannot write that down, and say the same when they are found again',
    async () => {
      // What was asked for knows of it; the one that opens it has to look.
      await scene.host.commitOn('main', {
        files: { 'apps/prod/unlinked/app.yaml': 'image: v3\nreplicas: 1\n' },
        message: 'Deploy v3\n\nMigration: 0042_drop_column',
      });
      const id = await askFor(scene, 'prod/unlinked');
      const dying = await scene.another();
      const held = scene.host.hold(isCreating);
      const executing = dying.rollbacks.execute(id);
      await held.reached;
      scene.host.drop((call) => call.isGit, 1000);
      held.release();
      const { status, pullRequest, findings } = await executing;
      expect({ status, findings }).toEqual({ status: 'proposed', findings: [] });
      const [opened] = await pullsOf(id);
      expect(pullRequest).toMatchObject({ number: opened?.number });
      // It comes after what was left to be written.
      await expect(dying.requests.show({ id })).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
      scene.host.clearFaults();
      expect(await stateOf(scene, id)).toMatchObject({ status: 'approved', link: null });
      await lookOf(scene);
      const [pull, ...others] = await pullsOf(id);
      expect([pull?.state, others]).toEqual(['open', []]);
      expect(await stateOf(scene, id)).toMatchObject({ link: { number: pull?.number } });
      // Of the plan that its commits were made by, and of one that is made anew.
      expect(opened?.body).toContain('0042_drop_column');
      expect(opened?.body).toContain('v3');
      expect(opened?.body).toBe(pull?.body);
    },
  );

  it.runIf(isProof)('are named in the ledger by one push, however many are opened at once', async () => {
    const ids = [await askFor(scene, 'prod/first'), await askFor(scene, 'prod/second')];
    scene.host.calls.splice(0);
    await scene.worker.rollbacks.executeMany(ids.map((id) => ({ id })));
    const states = await Promise.all(ids.map(async (id) => stateOf(scene, id)));
    expect(states.map(({ link }) => link?.number)).toEqual([expect.any(Number), expect.any(Number)]);
    const pushes = scene.host.calls.filter(
      ({ isGit, method, path }) => isGit && method === 'POST' && path.endsWith('git-receive-pack'),
    );
    expect(pushes).toHaveLength(2);
    for (const id of ids) await scene.janes.requests.cancel({ id, actor: scene.team.jane });
  });

  it.runIf(isProof).each(['pull-request', 'branch'])(
    'are opened although the ledger names a branch already that nobody has made (%s)',
    async (via) => {
      const id = await askFor(scene, 'prod/parked');
      const main = await scene.repo.git('rev-parse', 'main');
      const actor = { name: 'Backtrail', email: 'backtrail@localhost' };
      const none = `sha256:${'0'.repeat(64)}`;
      const proposed = {
        via,
        branch: `backtrail/${id}`,
        base: main,
        ...(via === 'branch' ? { commit: main, tip: main } : { commit: 'e'.repeat(40), tip: 'e'.repeat(40) }),
        deliveryCommit: null,
        messages: { revert: 'Nothing\n', delivery: null },
        change: { revert: none, delivery: null, whole: none },
      };
      await forgeEvent(scene.repo, id, { id: eventId(), at: TIME, actor, type: 'proposed', proposed });
      const result = await scene.worker.rollbacks.execute(id);
      expect(result).toMatchObject({ status: 'proposed', proposed: { via: 'pull-request' } });
      expect(await pullsOf(id)).toMatchObject([{ state: 'open', head: result.commit }]);
      await scene.janes.requests.cancel({ id, actor: scene.team.jane });
    },
  );

  it.runIf(isProof)('are completed where the answer of the call that merges is lost', async () => {
    await scene.configure(
      { environments: [] },
      { publish: [{ match: 'prod', via: 'pull-request', merge: 'auto' }] },
    );
    const { id } = await proposeFor(scene, 'prod/merging');
    scene.host.loseAnswer((call) => call.method === 'PUT' && call.path.endsWith('/merge'));
    await lookOf(scene);
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'merge' } },
    });
  });

  it('wait for a host that refuses or does not answer, say so, and go on when it does', async () => {
    const id = await askFor(scene, 'prod/refused');
    const failing = { times: 1000, match: /\/pulls/, body: { message: 'no' } };
    scene.host.fail({ ...failing, status: 401 });
    expect(await scene.worker.rollbacks.execute(id)).toMatchObject({
      status: 'proposed',
      findings: [{ code: 'HOST_DENIED', severity: 'warn' }],
    });
    const codes: [number, string][] = [
      [403, 'HOST_DENIED'],
      [404, 'HOST_DENIED'],
      [422, 'HOST_REFUSED'],
      [502, 'HOST_UNAVAILABLE'],
    ];
    for (const [status, code] of codes) {
      scene.host.clearFaults();
      scene.host.fail({ ...failing, status });
      const { problems } = await lookOf(scene);
      expect(problems?.filter(({ requestId }) => requestId === id)).toMatchObject([{ code }]);
      expect(await stateOf(scene, id)).toMatchObject({ status: 'approved', link: null });
    }
    // It is not asked at every look of a worker.
    const asked = () => scene.host.calls.filter(({ isGit }) => !isGit).length;
    const until = asked();
    await scene.worker.requests.reconcile();
    expect(asked()).toBe(until);
    scene.host.clearFaults();
    scene.host.rateLimit({ retryAfter: 600, times: 1 });
    expect(await lookOf(scene)).toMatchObject({
      problems: expect.arrayContaining([
        { requestId: id, code: 'HOST_UNAVAILABLE', message: expect.any(String) },
      ]),
    });
    const before = asked();
    await lookOf(scene);
    expect(asked()).toBe(before);
    scene.later(11 * 60_000);
    expect(await lookOf(scene)).not.toHaveProperty('problems');
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'approved',
      link: { number: expect.any(Number) },
    });
  });
});
