import { describe, expect, it } from 'vitest';
import { ask, configOf, createTeam, stageOf } from '../../helpers/people/requests.ts';

const team = createTeam();

describe('an audit of rollbacks that others agreed to', () => {
  it('finds nothing wrong with votes, a quorum, break-glass and a queue', async () => {
    const { repo, jane, bob, carol, janes, bobs, carols, worker } = await stageOf(
      team,
      configOf({
        environments: [{ match: 'prod', quorum: 2, breakGlass: { allowed: true, longest: '1h' } }],
      }),
    );
    const asked = await ask(janes, jane);
    await bobs.requests.approve({ id: asked.id, actor: bob, comment: 'Go' });
    await carols.requests.approve({ id: asked.id, actor: carol });
    await worker.requests.executeRequest(asked.id);
    await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\n' });
    await carols.requests.openSession({
      scope: 'prod',
      holder: carol,
      reason: 'Payments are down',
      ticket: 'INC-1',
      minutes: 10,
    });
    const broken = await ask(carols, carol, 'prod/api', { to: 'v1' });
    expect(broken.status).toBe('approved');
    await worker.requests.executeRequest(broken.id);
    // Within the second in which it was used, perhaps.
    const [session] = (await carols.requests.sessions(carol)).sessions;
    await carols.requests.closeSession({ id: session?.id ?? '', actor: carol });
    const report = await worker.audit.verify();
    expect(report.rows.flatMap(({ problems }) => problems)).toEqual([]);
    expect(report).toMatchObject({ checked: 2, honest: 2, ledger: { problems: [] } });
  });
});
