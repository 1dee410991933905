/** Rollbacks of an incident that is run again: what there is under their ids has to be them. */
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/internal.ts';
import { ask, configOf, createTeam, newId, stageOf } from '../../helpers/people/requests.ts';
import { isProof } from '../../helpers/run/proof.ts';

const team = createTeam();

async function opened() {
  const stage = await stageOf(team, configOf());
  const { repo, janes, jane, bob, bobs } = stage;
  await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\n' });
  const id = newId();
  /** What an incident of this person makes of it. */
  const again = async (to: string, [engine, reader] = [janes, jane]) => {
    const [found] = await engine.rollbacks.planMany([{ id, scope: 'prod/api', to }], reader);
    if (found?.status === 'fulfilled') return found.value;
    return isFailure(found?.reason) ? found.reason.code : 'INTERNAL';
  };
  const open = (to: string) => ask(janes, jane, 'prod/api', { id, to });
  return { ...stage, id, again, open, byBob: [bobs, bob] as [typeof bobs, typeof bob] };
}

describe('what is planned again under an id', () => {
  it('is found as it was asked for, whoever looks, before and after it is executed', async () => {
    const { again, open, byBob, id, bobs, bob, worker } = await opened();
    await open('previous');
    expect(await again('previous')).toMatchObject({ done: null, request: { id, status: 'pending' } });
    expect(await again('previous', byBob)).toMatchObject({
      request: { author: { email: 'jane@example.com' } },
    });
    await bobs.requests.approve({ id, actor: bob });
    const { commit } = await worker.rollbacks.execute(id);
    expect(await again('previous')).toMatchObject({ done: commit, plan: null });
  });

  it.runIf(isProof)('is not the request of another target', async () => {
    const { again, open } = await opened();
    await open('v1');
    expect(await again('v2')).toBe('REQUEST_EXISTS');
  });

  it('is not done by a commit that only names the id', async () => {
    const { again, repo, id } = await opened();
    await repo.git('commit', '-q', '--allow-empty', '-m', `Bump\n\nRollback-Request-ID: ${id}`);
    expect(await again('previous')).toBe('REQUEST_EXISTS');
  });

  it.runIf(isProof)('is not done by a commit that says what it does not do', async () => {
    const { again, open, repo, id, bobs, bob, worker } = await opened();
    await open('previous');
    await bobs.requests.approve({ id, actor: bob });
    await worker.rollbacks.execute(id);
    const message = await repo.git('log', '-1', '--format=%B', 'main');
    await repo.git('reset', '-q', '--hard', 'main~1');
    await repo.git('commit', '-q', '--allow-empty', '-m', message);
    expect(await again('previous')).toBe('LEDGER_TAMPERED');
  });
});
