import { describe, expect, it } from 'vitest';
import type { RequestId, StepEvent } from '../../../engine/internal.ts';
import { ask, configOf, createTeam, stageOf } from '../../helpers/people/requests.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const team = createTeam();
const POLICY = {
  environments: [{ match: 'prod', quorum: 1, approvers: { users: ['bob@example.com'] } }],
};

type Stage = Awaited<ReturnType<typeof stageOf>>;

async function approved({ janes, bobs, jane, bob }: Stage): Promise<RequestId> {
  const { id } = await ask(janes, jane);
  await bobs.requests.approve({ id, actor: bob });
  return id;
}

const tipOf = ({ repo }: Stage) => repo.git('rev-parse', 'main');
const eventsOf = async ({ repo }: Stage) =>
  (
    await repo.git('log', '--format=%(trailers:key=Event,valueonly,separator=)', 'refs/backtrail/ledger')
  ).split('\n');
const closed = { code: 'REQUEST_CLOSED' };

describe('an approved request that nobody has executed', () => {
  const staged = () => stageOf(team, configOf(POLICY));

  it('is withdrawn by its author or an approver, and executed by nobody then', async () => {
    const stage = await staged();
    const tip = await tipOf(stage);
    const { janes, bobs, jane, bob, worker } = stage;
    for (const [engine, actor] of [
      [janes, jane],
      [bobs, bob],
    ] as const) {
      const id = await approved(stage);
      expect(await engine.requests.cancel({ id, actor, reason: 'Fixed forward' })).toMatchObject({
        status: 'cancelled',
        approval: { have: 1 },
      });
      expect((await worker.requests.reconcile()).waiting).toEqual([]);
      await expect(worker.requests.executeRequest(id)).rejects.toMatchObject(closed);
      await expect(engine.requests.cancel({ id, actor })).rejects.toMatchObject({
        code: 'REQUEST_NOT_PENDING',
      });
    }
    expect(await tipOf(stage)).toBe(tip);
  });

  it('is not withdrawn by anybody else', async () => {
    const stage = await staged();
    const id = await approved(stage);
    const { carols, carol, janes, jane } = stage;
    await expect(carols.requests.cancel({ id, actor: carol })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await janes.requests.cancel({ id, actor: jane });
  });

  it.each(someOf(['executeRequest', 'executeRequests'] as const, 1))(
    'stops a worker that has its commits ready and not pushed (%s)',
    async (how) => {
      const stage = await staged();
      const tip = await tipOf(stage);
      const { worker, janes, jane } = stage;
      const id = await approved(stage);
      let isWithdrawn = false;
      const onStep = async ({ step }: StepEvent) => {
        if (step !== 'delivered' || isWithdrawn) return;
        isWithdrawn = true;
        await janes.requests.cancel({ id, actor: jane });
      };
      const execute = async () => {
        if (how === 'executeRequest') return worker.requests.executeRequest(id, { onStep });
        const result = (await worker.requests.executeRequests([{ id, onStep }])).get(id);
        if (result?.status === 'rejected') throw result.reason;
        return result?.value;
      };
      await expect(execute()).rejects.toMatchObject(closed);
      expect(await tipOf(stage)).toBe(tip);
      expect((await eventsOf(stage)).slice(0, 3)).toEqual(['cancelled', 'approved', 'opened']);
      expect((await worker.requests.show({ id })).status).toBe('cancelled');
    },
  );

  it.runIf(isProof)(
    'keeps what is published at the same moment: the withdrawal is refused, and the record written',
    async () => {
      const stage = await staged();
      const { worker, bobs, bob } = stage;
      const id = await approved(stage);
      const {
        scope,
        target,
        base,
        digest,
        justification: reason,
        author,
        createdAt: requestedAt,
      } = await worker.requests.show({ id });
      const request = {
        id,
        scope,
        target,
        base,
        digest,
        reason,
        author,
        requestedAt,
        allowRemoval: false,
        hold: null,
      };
      const { commit } = await worker.execute({ ...request, resume: undefined });
      await expect(bobs.requests.cancel({ id, actor: bob })).rejects.toMatchObject({
        ...closed,
        message: `Request ${id} was executed meanwhile, in ${commit?.slice(0, 10)}.`,
      });
      expect(await worker.requests.show({ id })).toMatchObject({ status: 'completed', result: { commit } });
      expect((await eventsOf(stage))[0]).toBe('completed');
    },
  );
});
