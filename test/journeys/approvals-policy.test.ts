import { describe, expect, it } from 'vitest';
import {
  approve,
  LEDGER,
  policyOf,
  request,
  revertsOf,
  type Scene,
  scene,
  setPolicy,
} from '../helpers/people/scene.ts';
import { isProof } from '../helpers/run/proof.ts';

const SERVICE = 'tenants/acme/production/services/api-gateway/service.yaml';
const IMAGE = { scope: 'acme/production/api-gateway', fields: ['image'] };
const BOT = { name: 'image-bot', email: 'image-bot@example.com' };

const show = ({ worker }: Scene, id: string) => worker.requests.show({ id });
const fileAt = ({ repo }: Scene, revision: string) => repo.git('show', `${revision}:${SERVICE}`);

/** The bot changes a line of the service's file on the branch. */
async function bump(stage: Scene, line: RegExp, next: string): Promise<void> {
  const text = await fileAt(stage, 'main');
  if (!line.test(text)) throw new Error(`There is no ${line.source} in ${text}`);
  const files = { [SERVICE]: `${text.replace(line, next)}\n` };
  await stage.repo.replay([{ files, message: 'Bump', author: BOT }]);
}

describe('a policy that changes while a request is pending', () => {
  it.runIf(isProof)(
    'and asks for fewer approvals settles it: the next look of a worker says so, and carries it out',
    async () => {
      const stage = await scene({ policy: policyOf('quorum: 2') });
      const { repo, jane, bob, worker } = stage;
      const { id } = await request(jane);
      expect((await approve(bob, { id })).status).toBe('pending');
      expect((await worker.requests.reconcile()).waiting).toEqual([]);
      await setPolicy(repo, policyOf('quorum: 1'));
      const { repairs, waiting } = await worker.requests.reconcile();
      expect(repairs).toMatchObject([{ requestId: id, action: 'settled' }]);
      expect(waiting).toEqual([id]);
      expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [id] });
      const { commit } = await worker.requests.executeRequest(id);
      expect(
        await repo.git('log', '-1', '--format=%(trailers:key=Approval,valueonly)', commit ?? ''),
      ).toContain('Approved by bob@example.com (quorum: 1/1)');
    },
  );

  it.runIf(isProof)('and asks for more approvals keeps it waiting for them', async () => {
    const stage = await scene({ policy: policyOf('quorum: 1') });
    const { repo, jane, bob, carol } = stage;
    const { id } = await request(jane);
    await setPolicy(repo, policyOf('quorum: 2'));
    expect((await approve(bob, { id })).approval).toMatchObject({ have: 1, need: 2 });
    expect((await approve(carol, { id })).status).toBe('approved');
  });

  it.runIf(isProof)('and asks for nobody any more lets it go ahead', async () => {
    const stage = await scene({ policy: policyOf('quorum: 1') });
    const { repo, jane, worker } = stage;
    const { id } = await request(jane);
    await setPolicy(repo, 'policy: { environments: [] }\n');
    expect((await worker.requests.reconcile()).waiting).toEqual([id]);
    expect((await worker.requests.executeRequest(id)).status).toBe('completed');
  });

  it('and lets other people approve takes away what others approved', async () => {
    const stage = await scene({ policy: policyOf('quorum: 2') });
    const { repo, jane, bob } = stage;
    const { id } = await request(jane);
    await approve(bob, { id });
    await setPolicy(repo, policyOf('quorum: 1, approvers: { users: [carol@example.com, dave@example.com] }'));
    const { approval } = await show(stage, id);
    expect(approval).toEqual({ need: 1, have: 0, approvers: ['carol@example.com', 'dave@example.com'] });
  });
});

describe('a policy that changes after the approval', () => {
  it('and asks for more has reviewers asked again, and nothing is executed until they agree', async () => {
    const stage = await scene({ policy: policyOf('quorum: 1') });
    const { repo, jane, bob, carol, worker } = stage;
    const { id } = await request(jane);
    expect((await approve(bob, { id })).status).toBe('approved');
    await setPolicy(repo, policyOf('quorum: 2'));
    const before = await repo.git('rev-parse', 'main');
    await expect(worker.requests.executeRequest(id)).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
    expect((await worker.requests.reconcile()).waiting).toEqual([]);
    expect(await show(stage, id)).toMatchObject({ status: 'pending', approval: { have: 1, need: 2 } });
    expect(await repo.git('rev-parse', 'main')).toBe(before);
    expect((await approve(carol, { id })).status).toBe('approved');
    expect((await worker.requests.executeRequest(id)).status).toBe('completed');
    expect(await revertsOf(stage, id)).toHaveLength(1);
  });
});

describe('another field of the same file, changed by a bot while a request is pending', () => {
  it.runIf(isProof)('leaves the approval valid, and survives the rollback', async () => {
    const stage = await scene();
    const { repo, jane, bob, worker } = stage;
    const asked = await request(jane, IMAGE);
    await bump(stage, /^replicas: .*$/m, 'replicas: 7');
    await approve(bob, asked);
    await bump(stage, /^replicas: .*$/m, 'replicas: 8');
    const before = await fileAt(stage, 'main');
    const { status, commit } = await worker.requests.executeRequest(asked.id);
    expect(status).toBe('completed');
    const after = (await fileAt(stage, commit ?? '')).split('\n');
    expect(after).toContain('replicas: 8');
    expect(before.split('\n').filter((line, at) => line !== after[at])).toHaveLength(1);
    const events = await repo.git('log', '--format=%(trailers:key=Event,valueonly,separator=)', LEDGER);
    expect(events.split('\n').toReversed()).toEqual(['opened', 'approved', 'completed']);
  });
});

describe('the same field, changed by a bot', () => {
  it.runIf(isProof)(
    'after the approval has reviewers asked again, with the difference; what they agree to then is executed',
    async () => {
      const stage = await scene();
      const { repo, jane, bob, worker } = stage;
      const asked = await request(jane, IMAGE);
      await approve(bob, asked);
      await bump(stage, /tag: v2\.1\.0/, 'tag: v2.1.1');
      const before = await repo.git('rev-parse', 'main');
      await expect(worker.requests.executeRequest(asked.id)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
      expect(await repo.git('rev-parse', 'main')).toBe(before);
      const again = await show(stage, asked.id);
      expect(again).toMatchObject({ status: 'pending', approval: { have: 0, need: 1 } });
      expect(again.digest).not.toBe(asked.digest);
      const difference = again.reopened?.difference.join('\n') ?? '';
      expect(difference).toContain('v2.1.1');
      expect(difference).toContain('v2.1.0');
      expect((await worker.requests.reconcile()).waiting).toEqual([]);
      expect((await approve(bob, asked)).status).toBe('approved');
      const { commit } = await worker.requests.executeRequest(asked.id);
      expect(await fileAt(stage, commit ?? '')).toContain('tag: v2.0.5');
      const trailers = await repo.git(
        'log',
        '-1',
        '--format=%(trailers:key=Approval,valueonly)',
        commit ?? '',
      );
      expect(trailers.trim()).toBe('Approved by bob@example.com (quorum: 1/1)');
    },
  );

  it.runIf(isProof)('in a text of many lines names each line that would change besides', async () => {
    const stage = await scene();
    const { jane, bob, worker } = stage;
    const asked = await request(jane, { scope: IMAGE.scope });
    await approve(bob, asked);
    const lines = [...Array(40).keys()].map((i) => `  - line ${i} of ${'x'.repeat(20)}`);
    await bump(stage, /$/, `\nscript: |\n${lines.join('\n')}\n  -- last`);
    await expect(worker.requests.executeRequest(asked.id)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    const difference = (await show(stage, asked.id)).reopened?.difference ?? [];
    expect(difference.filter((line) => line.includes('#/script: -- line'))).toHaveLength(40);
    expect(difference).toContain(`+ ${SERVICE}#/script: --- last`);
  });

  it.runIf(isProof)(
    'before the approval has whoever approves look again: that vote is not written',
    async () => {
      const stage = await scene();
      const { jane, bob } = stage;
      const asked = await request(jane, IMAGE);
      await bump(stage, /tag: v2\.1\.0/, 'tag: v2.1.1');
      await expect(approve(bob, asked)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
      expect(await show(stage, asked.id)).toMatchObject({ status: 'pending', reviews: [] });
      expect((await approve(bob, asked)).status).toBe('approved');
    },
  );
});
