/** What a watch asks, remembers and writes down: with a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { commit, createScene, MINUTE } from './scene.ts';

describe('a watch', () => {
  it('writes when a state changes, and never once a look', async () => {
    const scene = createScene();
    scene.place().auto = null;
    scene.deploy(2, 'rollback');
    await scene.run(MINUTE, 'pending');
    await scene.run(MINUTE, 'progressing');
    await scene.run(120 * MINUTE, 'live');
    expect(scene.results.length).toBeGreaterThan(20);
    expect(scene.statuses()).toEqual(['deployed']);
    expect(scene.changes().map(({ from, to }) => [from, to])).toEqual([
      [null, 'pending'],
      ['pending', 'progressing'],
      ['progressing', 'live'],
    ]);
    const seconds = scene.changes().at(-1)?.seconds ?? 0;
    expect(seconds).toBeGreaterThanOrEqual(120);
    expect(seconds).toBeLessThan(160);
  });

  it('records all of one look in one commit, and asks for all at once', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `prod/s${index}`);
    const scene = createScene(names);
    await scene.look();
    expect(scene.asked).toBe(1);
    expect(scene.commits.map(({ length }) => length)).toEqual([200]);
  });

  it('looks soon after a publication, and then rarer', async () => {
    const scene = createScene();
    scene.place().auto = null;
    scene.deploy(2, 'rollback');
    await scene.run(30 * MINUTE, 'progressing');
    const waits = scene.results.map(({ nextMs }) => nextMs ?? 0);
    expect(waits[0]).toBe(2000);
    expect(waits.slice(0, -1)).toEqual(waits.slice(0, -1).toSorted((one, other) => one - other));
    expect(waits.at(-1)).toBe(60_000);
  });

  it('asks a cluster that is away ever more rarely, and again once it is back', async () => {
    const scene = createScene();
    await scene.run(60 * MINUTE, 'away');
    expect(scene.asked).toBeLessThan(25);
    await scene.run(6 * MINUTE, 'live');
    expect(scene.changes().at(-1)).toMatchObject({ from: 'unconfirmed', to: 'live' });
    expect(scene.statuses()).toEqual(['deployed']);
  });

  it('goes on after a restart with what Git says', async () => {
    const scene = createScene();
    scene.place().auto = null;
    scene.deploy(2, 'rollback');
    await scene.run(MINUTE, 'progressing');
    scene.restart();
    await scene.run(MINUTE, 'live');
    expect(scene.statuses()).toEqual(['deployed']);
  });

  it('records that what failed recovered, where it lasts', async () => {
    const scene = createScene();
    scene.place().auto = null;
    scene.deploy(2, 'rollback');
    await scene.run(MINUTE, 'degraded');
    await scene.run(MINUTE, 'live');
    expect(scene.statuses()).toEqual(['failed']);
    await scene.run(10 * MINUTE);
    expect(scene.statuses()).toEqual(['failed', 'deployed']);
  });

  it('remembers nothing of what is not watched any more', async () => {
    const scene = createScene(['prod/a', 'prod/b']);
    await scene.look();
    expect(scene.results.at(-1)?.states).toEqual({ live: 2 });
    scene.places.delete('prod/b');
    await scene.look();
    expect(scene.results.at(-1)?.states).toEqual({ live: 1 });
  });

  it('nudges once a publication of ours', async () => {
    const scene = createScene();
    Object.assign(scene.place(), { rule: { ...scene.place().rule, nudge: true } });
    await scene.run(10 * MINUTE, 'live');
    scene.deploy(2);
    await scene.run(MINUTE);
    expect(scene.nudged).toEqual([]);
    scene.deploy(3, 'rollback');
    await scene.run(10 * MINUTE, 'progressing');
    expect(scene.nudged).toEqual(['prod/api']);
    expect(scene.place().revision).toBe(commit(3));
  });
});
