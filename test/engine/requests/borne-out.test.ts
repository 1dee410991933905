import { expect, it } from 'vitest';
import { requestText, requestsText } from '../../../cli/print/requests.ts';
import { makeStyle } from '../../../cli/print/style.ts';
import { eventId, forgeEvent } from '../../helpers/people/forge.ts';
import { ask, createTeam, stageOf } from '../../helpers/people/requests.ts';
import { isProof } from '../../helpers/run/proof.ts';

const team = createTeam();
const OPEN = ['pending', 'approved', 'executing', 'failed'] as const;

it('shows what the ledger says was executed, and the branch does not hold, as that', async () => {
  const { repo, janes, jane, bobs, bob, worker } = await stageOf(team);
  const done = await ask(janes, jane);
  await bobs.requests.approve({ id: done.id, actor: bob });
  const { commit } = await worker.requests.executeRequest(done.id);
  await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\n' });
  const { id } = await ask(janes, jane, 'prod/api', { to: 'v2' });
  const open = async () => janes.requests.list({ statuses: OPEN, reader: jane });
  expect((await open()).map((request) => request.id)).toEqual([id]);
  const head = await repo.git('rev-parse', 'main');
  const at = new Date(Date.now() + 2000).toISOString();
  const said = {
    id: eventId(),
    at,
    type: 'completed',
    outcome: 'completed',
    commit: head,
    deliveryCommit: null,
  };
  await forgeEvent(repo, id, { ...said, actor: { name: 'bob', email: 'bob@example.com' } });
  const problem = `The ledger says that ${head.slice(0, 10)} executed it, and the branch does not hold that.`;
  const forged = { id, status: 'completed', problems: [problem] };
  const listed = await open();
  expect(listed).toMatchObject([forged]);
  expect(requestsText(makeStyle(false), listed, { all: false, next: null })).toContain(
    'completed (not as the branch is)',
  );
  const shown = await janes.requests.show({ id, reader: jane });
  expect(shown).toMatchObject(forged);
  expect(requestText(makeStyle(false), shown)).toContain(`! ${problem}`);
  const all = await janes.requests.list({ reader: jane });
  expect(all).toMatchObject([forged, { id: done.id, result: { commit } }]);
  expect(all[1]).not.toHaveProperty('problems');
  expect(await janes.requests.show({ id: done.id, reader: jane })).not.toHaveProperty('problems');
  const events = await janes.requests.audit({ limit: 9, reader: jane });
  const completed = events.filter(({ event }) => event === 'completed');
  expect(completed.map(({ requestId }) => requestId)).toEqual([id, done.id]);
  expect(completed[0]?.problems).toContain(problem);
  expect(completed[1]?.problems).toEqual([]);
});

it.runIf(isProof)(
  'shows a request whose commit was taken off the branch, or is another rollback',
  async () => {
    const { repo, janes, jane, bobs, bob, worker } = await stageOf(team);
    const { id } = await ask(janes, jane);
    await bobs.requests.approve({ id, actor: bob });
    const { commit } = await worker.requests.executeRequest(id);
    const problems = async () => (await janes.requests.show({ id, reader: jane })).problems ?? [];
    expect(await problems()).toEqual([]);
    await repo.git('reset', '-q', '--hard', `${commit}^`);
    expect(await problems()).toEqual([expect.stringContaining('the branch does not hold that')]);
    // The same message on another change.
    await repo.git('commit', '-q', '--allow-empty', '-C', commit ?? '');
    const other = (await repo.git('rev-parse', 'main')).slice(0, 10);
    expect(await problems()).toEqual([expect.stringContaining(`the branch has it in ${other}`)]);
  },
);
