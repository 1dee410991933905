/** Which release that degrades is rolled back by itself, and when: with a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { AUTO, createScene, MINUTE } from './scene.ts';

/** Live as v1 for an hour, then v2 is published and degrades. */
async function release() {
  const scene = createScene();
  await scene.run(60 * MINUTE, 'live');
  scene.deploy(2);
  await scene.run(MINUTE / 2, 'progressing');
  return scene;
}

describe('a release that degrades', () => {
  it('is marked as failed and rolled back once it was bad for long enough, once', async () => {
    const scene = await release();
    await scene.run(AUTO.badMs - MINUTE / 2, 'degraded');
    expect(scene.requests).toEqual([]);
    await scene.run(30 * MINUTE);
    expect(scene.requests).toEqual(['prod/api']);
    expect(scene.statuses()).toEqual(['deployed', 'failed']);
    expect(scene.commits[1]).toMatchObject([
      { commit: scene.place().revision, automatic: { refused: null } },
    ]);
  });

  it('begins to be bad anew after any other state', async () => {
    const scene = await release();
    for (const state of ['live', 'progressing', 'pending', 'overtaken'] as const) {
      await scene.run(AUTO.badMs - MINUTE / 2, 'degraded');
      await scene.run(MINUTE / 4, state);
    }
    expect(scene.requests).toEqual([]);
  });

  it('does not count the time in which its cluster is away, which ends nothing either', async () => {
    const scene = await release();
    await scene.run(MINUTE, 'degraded');
    await scene.run(60 * MINUTE, 'away');
    expect(scene.requests).toEqual([]);
    // It is asked again after five minutes at the latest.
    await scene.run(7 * MINUTE, 'degraded');
    expect(scene.requests).toEqual(['prod/api']);
  });

  it('is left alone where only its observer is dead', async () => {
    const scene = await release();
    await scene.run(600 * MINUTE, 'away');
    expect(scene.requests).toEqual([]);
    expect(scene.statuses()).toEqual(['deployed']);
  });

  it('does not count what a process did not see while it stood still', async () => {
    const scene = await release();
    await scene.run(MINUTE / 4, 'degraded');
    scene.pass(60 * MINUTE);
    await scene.look();
    expect(scene.requests).toEqual([]);
  });

  it('is timed by a clock that cannot be set', async () => {
    const scene = await release();
    await scene.run(MINUTE / 2, 'degraded');
    scene.clock.skew = 5 * MINUTE;
    await scene.look();
    expect(scene.requests).toEqual([]);
  });

  it('is left alone where it degrades after its window, and its record stays', async () => {
    const scene = await release();
    await scene.run(AUTO.windowMs + MINUTE, 'live');
    await scene.run(60 * MINUTE, 'degraded');
    expect(scene.requests).toEqual([]);
    expect(scene.statuses()).toEqual(['deployed', 'deployed']);
  });

  it('is rolled back where a watch that begins anew finds what ran before it recorded as deployed', async () => {
    const scene = await release();
    scene.restart();
    scene.facts.previous = 'deployed';
    await scene.run(3 * MINUTE, 'degraded');
    expect(scene.requests).toEqual(['prod/api']);
  });

  it('is asked for by the next watch, where this one recorded its failure and died', async () => {
    const scene = await release();
    scene.requestFails = 'REMOTE_UNAVAILABLE';
    await scene.run(3 * MINUTE, 'degraded');
    expect(scene.statuses()).toEqual(['deployed', 'failed']);
    scene.restart();
    scene.requestFails = null;
    await scene.run(MINUTE);
    expect(scene.requests).toEqual(['prod/api']);
    expect(scene.statuses()).toEqual(['deployed', 'failed']);
  });
});

describe('nothing is rolled back by itself, and the record says why', () => {
  const refusals: readonly [string, string, (scene: Awaited<ReturnType<typeof release>>) => void][] = [
    ['at the limit', 'AUTO_LIMIT', ({ facts }) => (facts.used = 1)],
    ['while a hold stands', 'AUTO_HELD', ({ facts }) => (facts.hold = 'It is held.')],
    ['in a freeze', 'AUTO_FROZEN', ({ facts }) => (facts.freeze = 'It is frozen.')],
    ['while another request is open', 'AUTO_OPEN_REQUEST', ({ facts }) => (facts.openRequest = 'rbk-1')],
    ['where nothing was there before', 'AUTO_FIRST', ({ facts }) => (facts.isFirst = true)],
    ['of a rollback', 'AUTO_OF_ROLLBACK', ({ place }) => (place().kind = 'rollback')],
    ['of a resume', 'AUTO_OF_RESUME', ({ place }) => (place().kind = 'resume')],
    [
      'where the gate refuses',
      'PERMISSION_DENIED',
      (scene) => (scene.refusal = { code: 'PERMISSION_DENIED', message: 'It may not.' }),
    ],
  ];

  it.each(refusals)('%s', async (_, code, set) => {
    const scene = await release();
    set(scene);
    await scene.run(60 * MINUTE, 'degraded');
    expect(scene.requests).toEqual([]);
    expect(scene.statuses()).toEqual(['deployed', `failed ${code}`]);
    expect(scene.notices()).toEqual([code]);
  });

  it('not where the cluster was given the release before Git was looked at: what was live looked pending', async () => {
    const scene = createScene();
    await scene.run(5 * MINUTE, 'live');
    await scene.run(20_000, 'pending');
    scene.deploy(2);
    scene.facts.previous = 'deployed';
    await scene.run(10 * MINUTE, 'degraded');
    expect(scene.requests).toHaveLength(1);
  });

  it('where what ran before it was live, and degraded since', async () => {
    const scene = createScene();
    await scene.run(5 * MINUTE, 'live');
    await scene.run(20_000, 'degraded');
    scene.deploy(2);
    scene.facts.previous = 'deployed';
    await scene.run(10 * MINUTE, 'degraded');
    expect(scene.requests).toEqual([]);
    expect(scene.statuses().at(-1)).toBe('failed AUTO_NOT_LIVE_BEFORE');
  });

  it('where what ran before it was not live', async () => {
    const scene = createScene();
    await scene.run(MINUTE, 'progressing');
    scene.deploy(2);
    scene.facts.previous = 'deployed';
    await scene.run(10 * MINUTE, 'degraded');
    expect(scene.statuses()).toEqual(['failed AUTO_NOT_LIVE_BEFORE']);
  });

  it('without approval where people have to agree: it is asked for, and waits', async () => {
    const scene = await release();
    scene.needsApproval = true;
    await scene.run(10 * MINUTE, 'degraded');
    expect(scene.requests).toEqual(['prod/api']);
    expect(scene.statuses()).toEqual(['deployed', 'failed APPROVAL_NEEDED']);
  });

  it('where its failure could not be recorded', async () => {
    const scene = await release();
    scene.recordFails = { code: 'RECORDS_OFF', message: 'They are off.' };
    await scene.run(60 * MINUTE, 'degraded');
    expect(scene.requests).toEqual([]);
    expect(scene.notices()).toEqual(['RECORDS_OFF']);
  });
});

describe('a service that flaps', () => {
  it('does not ping-pong: what it was rolled back to is never rolled back by itself', async () => {
    const scene = await release();
    await scene.run(3 * MINUTE, 'degraded');
    scene.deploy(3, 'rollback');
    for (let round = 0; round < 20; round += 1)
      await scene.run(5 * MINUTE, round % 2 === 0 ? 'degraded' : 'live');
    expect(scene.requests).toEqual(['prod/api']);
    const ofRollback = scene.commits.flat().filter(({ commit }) => commit === scene.place().revision);
    expect(ofRollback.length).toBeLessThanOrEqual(3);
  });

  it('is left to people where automation brings the same again and again', async () => {
    const scene = await release();
    await scene.run(3 * MINUTE, 'degraded');
    for (let revision = 3; revision < 13; revision += 2) {
      scene.facts.used = 1;
      scene.deploy(revision, 'rollback');
      await scene.run(5 * MINUTE, 'live');
      scene.deploy(revision + 1);
      await scene.run(5 * MINUTE, 'degraded');
    }
    expect(scene.requests).toEqual(['prod/api']);
    expect(scene.statuses().filter((text) => text === 'failed AUTO_LIMIT')).toHaveLength(5);
  });
});

describe('several services of an environment that degrade at once', () => {
  it('are rolled back no more often than the limit allows, and the others say why not', async () => {
    const names = ['prod/a', 'prod/b', 'prod/c'];
    const scene = createScene(names);
    await scene.run(60 * MINUTE, 'live');
    for (const name of names) scene.deploy(2, 'deploy', name);
    await scene.run(10 * MINUTE, 'degraded');
    expect(scene.requests).toEqual(['prod/a']);
    const failed = scene.statuses().filter((text) => text.startsWith('failed'));
    expect(failed).toEqual(['failed', 'failed AUTO_LIMIT', 'failed AUTO_LIMIT']);
  });
});
