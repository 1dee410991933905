/** For every kind of code host: when it merges a pull request, how, and what its branch asks for. */
import { describe, expect, it } from 'vitest';
import { HOST_KINDS, MERGE_METHODS } from '../../../engine/model/index.ts';
import { someOf } from '../../helpers/run/proof.ts';
import { merging, useHost } from './contract-scene.ts';

describe.each(HOST_KINDS)('%s', (kind) => {
  const on = useHost(kind);

  const PROJECTS = {
    merge: { projectMerge: 'merge' },
    rebase: { projectMerge: 'ff' },
    squash: { projectMerge: 'ff', projectSquash: 'default_on' },
  } as const;

  it.each(someOf(MERGE_METHODS, 1))(
    'merges by %s, with our message on the first-parent line',
    async (method) => {
      const { number } = await on.propose();
      await on.change(kind === 'gitlab' ? PROJECTS[method] : {});
      expect((await on.client.settings('main')).methods).toContain(method);
      // Onto the tip, as somebody would do it where the host asks for it.
      const branch = (await on.server.pull(number)).branch;
      await on.repo.git('branch', '-f', branch, 'main');
      const head = await on.commitOn(branch);
      expect(await on.client.read(number)).toMatchObject({ mergeability: 'yes', head });
      expect(await on.client.merge(number, merging(head, { method }))).toBe('merged');
      const tip = await on.repo.git('rev-parse', 'main');
      expect(await on.client.read(number)).toMatchObject({
        state: 'merged',
        mergedBy: on.server.account,
        mergeability: 'unknown',
      });
      const message = await on.repo.git('log', '-1', '--first-parent', '--format=%B', tip);
      // What is rebased keeps its own.
      expect(message.includes('Rollback-Request-ID: rbk-1')).toBe(method !== 'rebase');
      expect(message.startsWith('Roll web back\n')).toBe(method !== 'rebase');
      expect((await on.client.read(number)).mergeCommit).toBe(tip);
    },
  );

  it('merges nothing but the head that it was told', async () => {
    const { number, head, branch } = await on.propose();
    await on.commitOn(branch);
    expect(await on.client.merge(number, merging(head))).toBe('moved');
    expect((await on.server.pull(number)).state).toBe('open');
  });

  it('says what is not met, and merges nothing then', async () => {
    const { number, head } = await on.propose();
    await on.change({});
    await on.server.setChecks(number, { build: { state: 'pending', required: true }, lint: 'green' });
    const details = await on.client.read(number);
    expect(details).toMatchObject({ mergeability: 'blocked', checks: { failed: 0, pending: 1, passed: 1 } });
    expect(await on.client.merge(number, merging(head))).toBe('refused');
    await on.server.setChecks(number, { build: 'failing' });
    expect(await on.client.read(number)).toMatchObject({
      mergeability: 'blocked',
      checks: { total: 1, failed: 1 },
    });
    await on.server.setChecks(number, { build: 'green' });
    expect(await on.client.read(number)).toMatchObject({
      mergeability: 'yes',
      checks: { total: 1, passed: 1 },
    });
    await on.change({ requiredReviews: 1 });
    expect(await on.client.read(number)).toMatchObject({ mergeability: 'blocked' });
    await on.server.review(number, { by: 'ada', state: 'approved' });
    const reviewed = await on.client.read(number);
    expect(reviewed.mergeability).toBe('yes');
    expect(reviewed.reviews).toEqual([
      { actor: 'ada', state: 'approved', at: expect.stringMatching(/^20.*Z$/) },
    ]);
    expect(await on.client.merge(number, merging(head))).toBe('merged');
  });

  it('tells a conflict from a base that moved', async () => {
    const { number, branch } = await on.propose();
    const path = `apps/${branch.split('/').at(-1)}.yaml`;
    await on.server.commitOn('main', { files: { 'other.yaml': `${Math.random()}\n` } });
    expect((await on.client.read(number)).mergeability).toBe('yes');
    await on.server.commitOn('main', { files: { [path]: 'image: conflict\n' } });
    expect((await on.client.read(number)).mergeability).toBe('conflict');
  });

  it('waits a little while the host works out whether it can be merged', async () => {
    const { number } = await on.propose();
    expect((await on.client.read(number)).mergeability).toBe('yes');
    expect(on.clock.slept.length).toBeLessThan(4);
  });

  it('does not rebase into a branch that takes signed commits alone', async () => {
    await on.change({
      mayAdminister: true,
      requireSignatures: true,
      ...(kind === 'gitlab' && { projectMerge: 'ff' }),
    });
    expect(await on.client.settings('main')).toMatchObject({
      methods: kind === 'gitlab' ? ['squash'] : ['merge', 'squash'],
      requiresSignatures: true,
    });
    await on.change({ requireSignatures: false });
    const open = await on.client.settings('main');
    expect([open.methods.includes('rebase'), open.requiresSignatures]).toEqual([true, false]);
  });

  it('knows a queue, and who may go past the rules', async () => {
    expect(await on.client.settings('main')).toMatchObject({ hasQueue: false, hasDrafts: true });
    await on.change({ mayAdminister: true, mayBypass: true });
    expect((await on.client.settings('main')).mayBypass).toBe(true);
    await on.change({ mayBypass: false });
    expect((await on.client.settings('main')).mayBypass).toBe(false);
    if (kind === 'gitea') return;
    await on.change({ queue: 'merge', protectedBy: 'ruleset' });
    expect((await on.client.settings('main')).hasQueue).toBe(true);
  });
});
