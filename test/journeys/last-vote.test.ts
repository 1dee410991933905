import { describe, expect, it } from 'vitest';
import { isFailure } from '../../engine/internal.ts';
import { approve, LEDGER, policyOf, request, revertsOf, scene } from '../helpers/people/scene.ts';
import { isProof } from '../helpers/run/proof.ts';

const codeOf = <T>(answer: Promise<T>): Promise<T | string> =>
  answer.catch((error: unknown) => {
    if (isFailure(error)) return error.code;
    throw error;
  });

/** Every mirror is in a cache folder of its own: nothing but the remote holds the two together. */
const two = (policy: string) => scene({ policy, mirrors: true });

describe('two approvers who race for the last vote, each on a mirror of one remote', () => {
  it.runIf(isProof)(
    'both have their vote where both are needed, and the rollback is executed once',
    async () => {
      for (let round = 0; round < 3; round += 1) {
        const stage = await two(policyOf('quorum: 2'));
        const { repo, jane, bob, carol } = stage;
        const asked = await request(jane);
        const votes = await Promise.all([approve(bob, asked), approve(carol, asked)]);
        expect(votes.map(({ status }) => status).sort()).toEqual(['approved', 'pending']);
        // Both carry it out at once, as two workers would to whom it was enqueued.
        const results = await Promise.all([
          bob.engine.requests.executeRequest(asked.id),
          carol.engine.requests.executeRequest(asked.id),
        ]);
        const [revert, ...others] = await revertsOf(stage, asked.id);
        expect(others).toEqual([]);
        expect(results).toMatchObject([
          { status: 'completed', commit: revert },
          { status: 'completed', commit: revert },
        ]);
        const approvals = await repo.git(
          'log',
          '-1',
          '--format=%(trailers:key=Approval,valueonly)',
          revert ?? '',
        );
        expect(approvals.trim().split('\n').sort()).toEqual([
          'Approved by bob@example.com (quorum: 2/2)',
          'Approved by carol@example.com (quorum: 2/2)',
        ]);
        const { status, result } = await jane.engine.requests.show({ id: asked.id });
        expect([status, result]).toEqual(['completed', expect.objectContaining({ commit: revert })]);
        const events = await repo.git('log', '--format=%(trailers:key=Event,valueonly,separator=)', LEDGER);
        expect(events.split('\n').toReversed()).toEqual(['opened', 'approved', 'approved', 'completed']);
      }
    },
  );

  it('one has it where one is enough, the other is told, and the rollback is executed once', async () => {
    const stage = await two(policyOf('quorum: 1'));
    const { jane, bob, carol } = stage;
    const asked = await request(jane);
    const votes = await Promise.all([bob, carol].map((actor) => codeOf(approve(actor, asked))));
    expect(votes.filter((vote) => vote === 'REQUEST_NOT_PENDING')).toHaveLength(1);
    expect(votes.filter((vote) => typeof vote !== 'string')).toMatchObject([{ status: 'approved' }]);
    await Promise.all([bob, carol].map(({ engine }) => engine.requests.executeRequest(asked.id)));
    expect(await revertsOf(stage, asked.id)).toHaveLength(1);
  });

  it.runIf(isProof)('one person on two machines has one vote', async () => {
    const stage = await two(policyOf('quorum: 2'));
    const { jane, bob } = stage;
    const asked = await request(jane);
    const elsewhere = { ...bob, engine: await stage.open({ identity: bob.identity }) };
    const votes = await Promise.all([bob, elsewhere].map((actor) => codeOf(approve(actor, asked))));
    expect(votes.filter((vote) => vote === 'ALREADY_REVIEWED')).toHaveLength(1);
    expect((await jane.engine.requests.show({ id: asked.id })).approval.have).toBe(1);
  });

  it.runIf(isProof)(
    'an approval and a rejection at once end in one of the two, and a rejected one is not executed',
    async () => {
      for (let round = 0; round < 3; round += 1) {
        const stage = await two(policyOf('quorum: 1'));
        const { repo, jane, bob, carol, worker } = stage;
        const asked = await request(jane);
        const before = await repo.git('rev-parse', 'main');
        const votes = await Promise.all([
          codeOf(approve(bob, asked)),
          codeOf(carol.engine.requests.reject({ id: asked.id, actor: carol.person })),
        ]);
        expect(votes.filter((vote) => vote === 'REQUEST_NOT_PENDING')).toHaveLength(1);
        const { status } = await jane.engine.requests.show({ id: asked.id });
        const done = await codeOf(worker.requests.executeRequest(asked.id));
        const moved = (await repo.git('rev-parse', 'main')) !== before;
        expect([status, typeof done === 'string' ? done : done.status, moved]).toEqual(
          status === 'approved' ? ['approved', 'completed', true] : ['rejected', 'REQUEST_CLOSED', false],
        );
      }
    },
  );
});
