/** An attacker may push anything to the repository, and knows git: nothing that they write into the ledger is executed. */
import { describe, expect, it } from 'vitest';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import { isProof } from '../../helpers/run/proof.ts';
import { eventId, fileOf, forge, messageOf, print } from '../../helpers/people/forge.ts';
import { LEDGER, policyOf } from '../../helpers/people/scene.ts';
import { MALLORY, pending, type Pending, refusal } from './refusal.ts';

/** So that it is not its missing signature alone that stops it. */
const UNSIGNED = policyOf('quorum: 1, unsignedRequests: true, breakGlass: { allowed: true, longest: 1h }');

describe('a request that nobody could have opened', () => {
  it('is not executed because it says that no policy asks for approval', async () => {
    const stage = await pending(UNSIGNED);
    const { repo, asked, jane } = stage;
    const id = await forgeRequest(stage, { gate: 'no-policy' });
    expect(await refusal(stage, id)).toBe('AWAITING_APPROVAL');
    expect(await repo.git('log', '-1', '--format=%ae', LEDGER)).not.toBe(jane.person.email);
    expect(asked.status).toBe('pending');
  });

  it.runIf(isProof)(
    'is not executed because it names a break-glass session that was never opened',
    async () => {
      const stage = await pending(UNSIGNED);
      const session = { id: `bgs-${'0'.repeat(26)}`, ticket: null };
      const id = await forgeRequest(stage, { gate: 'break-glass', session });
      expect(await refusal(stage, id)).toMatch(/^(AWAITING_APPROVAL|LEDGER_TAMPERED)$/);
    },
  );

  it('is not executed because it uses the break-glass session of another person, in their name', async () => {
    const stage = await pending(UNSIGNED);
    const { bob } = stage;
    const opened = await (await stage.as(bob)).engine.requests.openSession({
      scope: 'acme/production',
      holder: bob.person,
      reason: 'Nobody else is awake',
    });
    const session = { id: opened.id, ticket: null };
    const id = await forgeRequest(stage, { gate: 'break-glass', session, author: bob.person });
    expect(await refusal(stage, id)).toMatch(/^(AWAITING_APPROVAL|IDENTITY_UNVERIFIED)$/);
  });

  /** The open request once more, by another id and with another gate; unsigned. */
  async function forgeRequest(
    { repo, asked, jane }: Pending,
    {
      gate,
      session = null,
      author = jane.person,
    }: { gate: string; session?: unknown; author?: typeof MALLORY },
  ): Promise<string> {
    const file = await fileOf(repo, asked.id);
    const id = `${asked.id.slice(0, -6)}${asked.id.endsWith('000000') ? '111111' : '000000'}`;
    const opened = { ...file.events[0], id: eventId(), type: 'opened', actor: author, gate, session };
    const proposal = { ...file.events[0]?.proposal, id, author };
    const state = { ...file.state, id, status: 'approved', gate };
    const forged = { ...file, state, events: [{ ...opened, proposal }] };
    await forge(repo, {
      files: { [requestPath(id)]: print(forged) },
      author: MALLORY,
      message: messageOf(opened, id),
    });
    return id;
  }
});
