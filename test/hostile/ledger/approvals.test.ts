/** An attacker may push anything to the repository, and knows git: nothing that they write into the ledger is executed. */
import { describe, expect, it } from 'vitest';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import { approvalBy, eventId, fileOf, forge, forgeEvent, print, TIME } from '../../helpers/people/forge.ts';
import {
  approve,
  LEDGER,
  policyOf,
  request,
  type Scene,
  SCOPE,
  setPolicy,
} from '../../helpers/people/scene.ts';
import { allowedSigners } from '../../helpers/people/signing.ts';
import { MALLORY, mallory, pending, refusal, codeOf } from './refusal.ts';
import { isProof } from '../../helpers/run/proof.ts';

describe('an approval that nobody gave', () => {
  it('does not count where it is not signed', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
    const { reviews, approval } = await stage.worker.requests.show({ id: asked.id });
    expect(reviews).toMatchObject([{ identity: 'unverified', counts: false }]);
    expect(approval).toMatchObject({ have: 0, need: 1 });
  });

  it.runIf(isProof)('does not count where a key signed it that nobody knows', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    const event = approvalBy(bob.person, asked.digest);
    await forgeEvent(repo, asked.id, event, { key: await mallory(), status: 'approved' });
    // Another worker may know it: this one says so, and leaves it.
    expect(await refusal(stage, asked.id)).toBe('IDENTITY_UNVERIFIED');
  });

  it('does not count where the key is trusted by the repository alone', async () => {
    const stage = await pending();
    const { repo, asked, bob } = stage;
    const key = await mallory();
    const list = await allowedSigners([{ ...key, email: bob.person.email }]);
    await repo.git('config', 'gpg.ssh.allowedSignersFile', list);
    await repo.replay([{ files: { '.backtrail/allowed_signers': `bob@example.com ${key.publicKey}\n` } }]);
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { key, status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('IDENTITY_UNVERIFIED');
    const trusting = await stage.open({ signers: null });
    expect(await refusal({ repo, worker: trusting }, asked.id)).toBe('IDENTITY_UNVERIFIED');
  });

  it('does not count where a trusted key signed it for another person than it names', async () => {
    const stage = await pending(policyOf('quorum: 1, approvers: { users: [bob@example.com] }'));
    const { repo, asked, bob, carol } = stage;
    const event = approvalBy(bob.person, asked.digest);
    await forgeEvent(repo, asked.id, event, { key: carol.identity, status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
  });

  it.runIf(isProof)(
    'does not count where the right key signed it, and the author of the commit is another person',
    async () => {
      const stage = await pending();
      const { repo, asked, bob, carol } = stage;
      const event = approvalBy(bob.person, asked.digest);
      await forgeEvent(repo, asked.id, event, {
        key: bob.identity,
        author: carol.person,
        status: 'approved',
      });
      expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
    },
  );

  it('takes nobody’s vote away: once a worker has refused it, Bob approves, and that counts', async () => {
    const stage = await pending();
    const { repo, asked, bob, worker } = stage;
    await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
    expect((await approve(await stage.as(bob), asked)).status).toBe('approved');
    expect((await worker.requests.executeRequest(asked.id)).status).toBe('completed');
  });

  it('is no better as an event that says approvals suffice, or that opens the request without any', async () => {
    const stage = await pending();
    const { repo, asked } = stage;
    const settled = {
      id: eventId(),
      at: TIME,
      actor: MALLORY,
      type: 'settled',
      quorum: { have: 1, need: 1 },
      reason: 'The policy changed.',
    };
    await forgeEvent(repo, asked.id, settled, { status: 'approved' });
    expect(await refusal(stage, asked.id)).toBe('AWAITING_APPROVAL');
  });
});

describe('what a person did sign', () => {
  /** Puts the signed commit on again, behind whatever is there now: its text with another parent and tree. */
  async function replay(
    stage: Pick<Scene, 'repo'>,
    signed: string,
    files: Record<string, string>,
  ): Promise<void> {
    const { repo } = stage;
    const carrier = await forge(repo, { files, author: MALLORY, message: 'carrier' });
    const [tree, parent] = [
      await repo.git('rev-parse', `${carrier}^{tree}`),
      await repo.git('rev-parse', `${carrier}^`),
    ];
    const text = (await repo.git('cat-file', 'commit', signed))
      .replace(/^tree .*$/m, `tree ${tree}`)
      .replace(/^parent .*$/m, `parent ${parent}`);
    expect(text).toContain('BEGIN SSH SIGNATURE');
    const commit = await repo.gitWith({ input: `${text}\n` }, [
      'hash-object',
      '-t',
      'commit',
      '-w',
      '--stdin',
    ]);
    await repo.git('update-ref', LEDGER, commit);
  }

  it.runIf(isProof)('does not count a second time, after the plan changed', async () => {
    const stage = await pending();
    const { repo, asked, bob, worker } = stage;
    await approve(await stage.as(bob), asked);
    const signed = await repo.git('rev-parse', LEDGER);
    const vote = (await fileOf(repo, asked.id)).events.at(-1);
    await repo.replay([
      { files: { 'tenants/acme/production/services/api-gateway/extra.yaml': 'another: plan\n' } },
    ]);
    expect(await codeOf(worker.requests.executeRequest(asked.id))).toBe('PLAN_CHANGED');
    const file = await fileOf(repo, asked.id);
    const again = { ...vote, digest: file.state.digest };
    await replay(stage, signed, {
      [requestPath(asked.id)]: print({ ...file, events: [...file.events, again] }),
    });
    expect(await refusal(stage, asked.id)).toMatch(/^(AWAITING_APPROVAL|LEDGER_TAMPERED)$/);
  });

  it('does not count for another request', async () => {
    const stage = await pending();
    const { repo, asked, bob, jane } = stage;
    const other = await request(await stage.as(jane), { scope: 'acme/production/billing' });
    await approve(await stage.as(bob), other);
    const signed = await repo.git('rev-parse', LEDGER);
    const vote = (await fileOf(repo, other.id)).events.at(-1);
    const file = await fileOf(repo, asked.id);
    await replay(stage, signed, {
      [requestPath(asked.id)]: print({
        ...file,
        events: [...file.events, { ...vote, digest: asked.digest }],
      }),
    });
    expect(await refusal(stage, asked.id)).toMatch(/^(AWAITING_APPROVAL|LEDGER_TAMPERED)$/);
  });
});

describe('trust', () => {
  it.runIf(isProof)(
    'in pushing alone is what a policy can say, and then unsigned approvals count',
    async () => {
      const stage = await pending();
      const { repo, asked, bob } = stage;
      await forgeEvent(repo, asked.id, approvalBy(bob.person, asked.digest), { status: 'approved' });
      await setPolicy(repo, policyOf('quorum: 1, unsignedApprovals: true'));
      const { status, commit } = await stage.worker.requests.executeRequest(asked.id);
      expect(status).toBe('completed');
      expect(await repo.git('log', '-1', '--format=%(trailers:key=Approval)', commit ?? '')).toContain(
        'bob@example.com',
      );
      expect(asked.scopeName).toBe(SCOPE);
    },
  );
});
