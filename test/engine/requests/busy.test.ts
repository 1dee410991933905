/** A second rollback of a scope that a worker executes. */
import { describe, expect, it } from 'vitest';
import { configOf, createTeam, newId, stageOf } from '../../helpers/people/requests.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';

const team = createTeam();

async function scene() {
  const stage = await stageOf(team, configOf({}));
  const { repo, jane, janes } = stage;
  const ask = async (more: object = {}, scope = 'prod/api', engine = janes, to = 'v1') => {
    const { target, digest, base } = await engine.rollbacks.plan({ scope, to });
    return { scope, target, digest, base, reason: 'x', author: jane, ledger: true, id: newId(), ...more };
  };
  const first = await ask();
  await janes.rollbacks.request(first);
  return { ...stage, repo, ask, first };
}

describe('while a worker has a rollback of a scope', () => {
  it('another one is refused, by every way in, and goes ahead when it is done', async () => {
    const { janes, worker, ask, first } = await scene();
    const details = { requestId: first.id };
    await expect(janes.rollbacks.request(await ask())).rejects.toMatchObject({ code: 'SCOPE_BUSY', details });
    const direct = janes.rollbacks.request(await ask({ ledger: false }));
    await expect(direct).rejects.toMatchObject({ code: 'SCOPE_BUSY', details });
    const [same, other] = await janes.rollbacks.requestMany([await ask(), await ask({}, 'dev/api')]);
    expect(same).toMatchObject({ status: 'rejected', reason: { code: 'SCOPE_BUSY' } });
    expect(other).toMatchObject({ status: 'fulfilled' });
    // The same request once more is the same.
    expect((await janes.rollbacks.request(first)).status).toBe('approved');
    await worker.rollbacks.execute(first.id);
    const again = await ask({}, 'prod/api', janes, 'v2');
    expect((await janes.rollbacks.request(again)).status).toBe('approved');
  });

  it('one whose worker was killed holds the scope for minutes, not for ever', async () => {
    const { repo, ask } = await scene();
    const clock = { now: () => Date.now() + 3 * 60_000, sleep: () => Promise.resolve() };
    const later = await engineOf(repo, { clock });
    expect((await later.rollbacks.request(await ask({}, 'prod/api', later))).status).toBe('approved');
  });
});
