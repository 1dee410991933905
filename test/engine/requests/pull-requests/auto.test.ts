/** `merge: auto`: a worker merges what it proved, while the host says that its rules are met, and nothing else. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventId, forgeEvent, TIME } from '../../../helpers/people/forge.ts';
import { isProof, runs } from '../../../helpers/run/proof.ts';
import { askFor, createScene, lookOf, proposeFor, type Scene, stateOf } from './scene.ts';

const isMerging = (call: { method: string; path: string }) =>
  call.method === 'PUT' && call.path.endsWith('/merge');

const APPROVAL = 'Approval: Approved by eve@example.com (quorum: 1/1)';
const forgeries: Readonly<Record<string, (said: string) => string>> = {
  foreign: (said) => said,
  said: (said) => `Something else\n\n${said}`,
  named: (said) => said.replace(/^Author: .*$/m, `$&\n${APPROVAL}`),
  told: (said) =>
    said
      .replace('v2 answers 500', 'All is well')
      .replace(/^Author: .*$/m, 'Author: eve@example.com')
      .replace(/^Rollback-Engine: .*$/m, '$&\nRollback-Override: migration-crossed'),
};
const others = ['checked', 'moved', 'queued', 'below', 'held', 'longer', 'unmerged'];

describe('a worker that may merge, on GitHub', () => {
  let scene: Scene;
  const merges = () => scene.host.calls.filter(isMerging);
  beforeAll(async () => {
    scene = await createScene({
      lives: 'file',
      rule: { merge: 'auto' },
      services: [...Object.keys(forgeries), ...others],
    });
  });

  it('waits for a required check, also with a token that may pass by the rules, and merges when it is green', async () => {
    await scene.host.change({ mayBypass: true });
    const { id, number } = await proposeFor(scene, 'prod/checked');
    await scene.host.setChecks(number, { ci: { state: 'pending', required: true } });
    await lookOf(scene);
    await lookOf(scene);
    expect(merges()).toEqual([]);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'approved' });
    await scene.host.setChecks(number, { ci: { state: 'green', required: true } });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'merge', by: 'backtrail-bot' } },
    });
    await scene.host.change({ mayBypass: false, requiredChecks: [] });
  });

  it('merges nothing where the branch moves between its look and its call', async () => {
    const { id, number } = await proposeFor(scene, 'prod/moved');
    const main = await scene.repo.git('rev-parse', 'main');
    const held = scene.host.hold(isMerging);
    const looking = lookOf(scene);
    await held.reached;
    await scene.host.pushTo(number, { files: { 'mine.txt': 'mine\n' } });
    held.release();
    expect(await looking).toMatchObject({ repairs: [] });
    expect(await scene.repo.git('rev-parse', 'main')).toBe(main);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'approved' });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ result: { code: 'PULL_REQUEST_CHANGED' } });
  });

  it.runIf(isProof)('leaves it to a merge queue where there is one', async () => {
    await scene.host.change({ queue: 'squash', protectedBy: 'ruleset' });
    const { id, number } = await proposeFor(scene, 'prod/queued');
    const before = merges().length;
    await lookOf(scene);
    expect(merges()).toHaveLength(before);
    await scene.host.runQueue(number);
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({
      status: 'completed',
      result: { arrived: { how: 'queue' } },
    });
    await scene.host.change({ queue: null, protectedBy: 'protection' });
  });

  it.each(Object.keys(forgeries).slice(0, runs(4, 1)))(
    'merges no commit that the ledger names and nobody approved, and makes it anew (%s)',
    async (scope) => {
      await scene.host.change({ requiredReviews: 1 });
      const { id, number } = await proposeFor(scene, `prod/${scope}`);
      const { proposed } = await stateOf(scene, id);
      if (proposed === null) throw new Error('It is not proposed.');
      const { messages, base, branch } = proposed;
      const text = forgeries[scope]?.(messages.revert) ?? '';
      const tree = await scene.repo.git('rev-parse', `${proposed.commit}^{tree}`);
      let commit = await scene.repo.git('commit-tree', tree, '-p', base, '-m', text);
      if (scope === 'foreign') {
        const files = { 'apps/prod/web/evil.yaml': 'evil: true\n' };
        commit = await scene.host.pushTo(number, { files });
      }
      await scene.host.moveBranch(branch, commit);
      await forgeProposed(id, { ...proposed, commit, tip: commit, messages: { ...messages, revert: text } });
      await expectMadeAnew(id);
      const [subject = '', ...lines] = (await scene.repo.git('log', '-1', '--format=%B', 'main^2')).split(
        '\n',
      );
      expect(subject).toBe(messages.revert.split('\n')[0]);
      for (const evil of ['eve@example.com', 'migration-crossed', 'All is well'])
        expect(lines.join('\n')).not.toContain(evil);
    },
  );

  async function forgeProposed(id: string, proposed: object) {
    const actor = { name: 'Backtrail', email: 'backtrail@localhost' };
    await forgeEvent(scene.repo, id, { id: eventId(), at: TIME, actor, type: 'proposed', proposed });
    await scene.host.change({ requiredReviews: 0 });
  }

  /** Nothing is merged, it is said, and what is merged next is what was approved. */
  async function expectMadeAnew(id: string) {
    const main = await scene.repo.git('rev-parse', 'main');
    expect(await lookOf(scene)).toMatchObject({
      problems: [{ requestId: id, code: 'LEDGER_TAMPERED' }],
      repairs: [{ requestId: id, action: 'proposed', detail: expect.stringContaining('anew') }],
    });
    expect(await scene.repo.git('rev-parse', 'main')).toBe(main);
    const { proposed } = await stateOf(scene, id);
    expect(await lookOf(scene)).not.toHaveProperty('problems');
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
    expect(await scene.repo.git('rev-parse', 'main^2')).toBe(proposed?.tip);
  }

  it.runIf(isProof)(
    'merges no commit that lies below what was approved, and that the branch does not hold',
    async () => {
      await scene.host.change({ requiredReviews: 1 });
      const { id, number } = await proposeFor(scene, 'prod/below');
      const { proposed } = await stateOf(scene, id);
      if (proposed === null) throw new Error('It is not proposed.');
      const git = (...args: string[]) => scene.repo.git(...args);
      const files = { 'apps/prod/web/evil.yaml': 'evil: true\n' };
      const both = await scene.host.pushTo(number, { files });
      await scene.host.moveBranch('below', proposed.base);
      const base = await scene.host.commitOn('below', { files });
      const said = proposed.messages.revert;
      const commit = await git('commit-tree', `${both}^{tree}`, '-p', base, '-m', said);
      await scene.host.moveBranch(proposed.branch, commit);
      await forgeProposed(id, { ...proposed, base, commit, tip: commit });
      await expectMadeAnew(id);
      expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
    },
  );

  it.runIf(isProof)('says why it merges nothing although the rules are met', async () => {
    await scene.host.change({ requiredReviews: 1 });
    const { id, number } = await proposeFor(scene, 'prod/unmerged');
    await scene.host.change({ requiredReviews: 0, methods: [] });
    expect(await lookOf(scene)).toMatchObject({ problems: [{ requestId: id, code: 'METHOD_REFUSED' }] });
    await scene.host.change({ methods: ['merge', 'rebase', 'squash'] });
    scene.host.fail({ match: isMerging, status: 405, body: { message: 'Not now' } });
    expect(await lookOf(scene)).toMatchObject({
      problems: [{ requestId: id, code: 'HOST_REFUSED', message: expect.stringContaining(`${number}`) }],
    });
    await lookOf(scene);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
  });

  it.runIf(isProof)(
    'knows again a rollback with a hold that it has merged, whenever the host says that it was',
    async () => {
      const id = await askToHold(scene, 'prod/held');
      await scene.worker.rollbacks.execute(id);
      await lookOf(scene);
      await lookOf(scene);
      expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
      const other = await scene.another();
      expect(await other.rollbacks.execute(id)).toMatchObject({ status: 'completed' });
      // And what lifts it, proposed by one worker and merged by another.
      const author = { name: scene.team.jane.name, email: scene.team.jane.email };
      const ask = { scope: 'prod/held', author, resume: true };
      const { target, digest } = await scene.janes.rollbacks.plan(ask);
      const asked = { ...ask, target, digest, reason: 'Fixed forward', ledger: true };
      const { requestId } = await scene.janes.rollbacks.request(asked);
      await scene.host.change({ requiredReviews: 1 });
      await scene.worker.rollbacks.execute(requestId);
      await scene.host.change({ requiredReviews: 0 });
      for (let look = 0; look < 2; look += 1)
        expect(await other.requests.reconcile({ asksHost: true })).not.toHaveProperty('problems');
      expect(await stateOf(scene, requestId)).toMatchObject({ status: 'completed' });
    },
  );

  it.runIf(isProof)('merges no hold that nobody has asked for', async () => {
    await scene.host.change({ requiredReviews: 1 });
    const id = await askToHold(scene, 'prod/longer');
    const { pullRequest } = await scene.worker.rollbacks.execute(id);
    const { proposed } = await stateOf(scene, id);
    if (proposed === null || pullRequest === undefined) throw new Error('It is not proposed.');
    const git = (...args: string[]) => scene.repo.git(...args);
    const path = `.backtrail/holds/prod/${id}.yaml`;
    const hold = await git('show', `${proposed.commit}:${path}`);
    const files = { [path]: `${hold.replace(/^until: .*$/m, 'until: "2099-01-01T00:00:00Z"')}\n` };
    const longer = await scene.host.pushTo(pullRequest.number, { files });
    const { base, branch, messages } = proposed;
    const commit = await git('commit-tree', `${longer}^{tree}`, '-p', base, '-m', messages.revert);
    await scene.host.moveBranch(branch, commit);
    await forgeProposed(id, { ...proposed, commit, tip: commit });
    await expectMadeAnew(id);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
  });
});

async function askToHold({ janes, team: { jane } }: Scene, scope: string) {
  const author = { name: jane.name, email: jane.email };
  const { target, digest } = await janes.rollbacks.plan({ scope, author, hold: true });
  const ask = { scope, target, digest, author, hold: true, ledger: true, reason: 'v2 answers 500' };
  return (await janes.rollbacks.request(ask)).requestId;
}

describe('a worker that may merge what another one proposed and others approved', () => {
  const policy = { environments: [{ match: 'prod', quorum: 1 }] };
  const delivery = { output: 'delivery/{environment}/{service}.yaml' };
  const commit = { signoff: true, subject: 'fix({service}): {reason}', trailers: { Ticket: 'T-1' } };
  let scene: Scene;
  beforeAll(async () => {
    const files = (version: string) =>
      Object.fromEntries(
        ['api', 'web'].map((name) => [
          `apps/prod/${name}/map.yaml`,
          `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { v: "${version}" }\n`,
        ]),
      );
    scene = await createScene({
      lives: 'file',
      policy,
      rule: { merge: 'auto' },
      more: { commit, delivery },
      files: [files('v1'), files('v2')],
    });
  });

  async function proposedFor(scope: string) {
    await scene.host.change({ requiredReviews: 1 });
    const { bob } = scene.team;
    const id = await askFor(scene, scope);
    await scene.bobs.requests.approve({ id, actor: { name: bob.name, email: bob.email } });
    const { deliveryCommit } = await scene.worker.rollbacks.execute(id);
    expect(deliveryCommit).not.toBeNull();
    return id;
  }

  async function looks() {
    await scene.host.change({ requiredReviews: 0 });
    const other = await scene.another();
    const first = await other.requests.reconcile({ asksHost: true });
    return [first, await other.requests.reconcile({ asksHost: true })];
  }

  it.runIf(isProof)('does so although messages are made otherwise since', async () => {
    const id = await proposedFor('prod/api');
    await scene.configure(policy, { commit: { subject: 'Something else' } });
    expect((await looks()).flatMap(({ problems = [] }) => problems)).toEqual([]);
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
    const said = await scene.repo.git('log', '-1', '--format=%B', 'main^2^');
    expect(said).toMatch(/^fix\(api\): v2 answers 500\n/);
    expect(said).toContain(`Approved by ${scene.team.bob.email} (quorum: 1/1)`);
    await scene.configure(policy);
  });

  it.runIf(isProof)('makes it anew where the configuration brings other files by now', async () => {
    const id = await proposedFor('prod/web');
    await scene.configure(policy, { delivery: { output: 'manifests/{environment}/{service}.yaml' } });
    const [first, second] = await looks();
    expect(first).not.toHaveProperty('problems');
    expect(first?.repairs).toMatchObject([{ requestId: id, action: 'proposed' }]);
    expect(second).not.toHaveProperty('problems');
    expect(await stateOf(scene, id)).toMatchObject({ status: 'completed' });
    expect(await scene.show('manifests/prod/web.yaml')).toContain('v1');
  });
});
