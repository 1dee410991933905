import { expect, it } from 'vitest';
import { confirmation, JANE, rollBack } from '../../helpers/repositories/engine.ts';
import { CONFIG, planning } from '../../helpers/repositories/plan-repo.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { ask, configOf, createTeam, stageOf } from '../../helpers/people/requests.ts';
import { isProof } from '../../helpers/run/proof.ts';

const FOLDER = 'tenants/acme/production/services/api';
const map = (value: string) => ({
  [`${FOLDER}/map.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: api }\ndata: { a: ${value} }\n`,
});
const DELIVERED = { ...CONFIG, delivery: { output: 'out/{tenant}/{environment}/{service}.yaml' } };
const COMMIT = {
  subject: 'fix({service}): roll back {fields} to {target}',
  signoff: true,
  trailers: { Ticket: 'OPS-1', Where: '{scope}' },
};
const own = (scope: string) => ['Ticket: OPS-1', `Where: ${scope}`];

/** Newest first: the subject, and the trailers as git reads them. */
async function messages(repo: Repo, ref: string, count: number) {
  const log = await repo.git('log', `-${count}`, '-z', '--format=%s%n%(trailers:only,unfold)', ref);
  return log.split('\0').map((message) => message.split('\n').filter((line) => line !== ''));
}

it('says in rollback and delivery what the configuration asks for, signed off by author and committer', async () => {
  const { engine, repo } = await planning([map('one'), map('two')], { ...DELIVERED, commit: COMMIT });
  const result = await rollBack(engine, { scope: 'acme/production/api', fields: ['map.yaml#/data/a'] });
  expect(result.deliveryCommit).not.toBeNull();
  const [delivery = [], rollback = []] = await messages(repo, 'main', 2);
  const target = (await repo.git('rev-list', '--first-parent', 'main')).split('\n').at(-1)?.slice(0, 7);
  const subject = `fix(api): roll back services/api/map.yaml#/data/a to ${target}`;
  expect(rollback[0]).toBe(subject);
  expect(delivery[0]).toBe(`${subject} (manifests)`);
  const backtrail = 'Signed-off-by: Backtrail <backtrail@localhost>';
  const jane = `Signed-off-by: ${JANE.name} <${JANE.email}>`;
  expect(rollback.slice(-4)).toEqual([...own('acme/production/api'), jane, backtrail]);
  expect(delivery.slice(-3)).toEqual([...own('acme/production/api'), backtrail]);
  const [found] = await engine.log({ limit: 1 });
  expect(found).toMatchObject({ requestId: result.requestId, problems: [] });
});

it('leaves the digest of a plan as it is', async () => {
  const { engine, repo } = await planning([map('one'), map('two')], DELIVERED);
  const asked = { scope: 'acme/production/api', to: 'v1' };
  const before = await engine.plan(asked);
  const config = `${JSON.stringify({ ...DELIVERED, commit: COMMIT })}\n`;
  await repo.replay([{ files: { '.backtrail/config.yaml': config } }]);
  const after = await engine.plan(asked);
  expect(after.plan.base).not.toBe(before.plan.base);
  expect(after.plan.digest).toBe(before.plan.digest);
  expect(after.plan.engine).toBe(before.plan.engine);
});

it('signs off the events of the ledger too, which a server may refuse otherwise, and reads them as before', async () => {
  const { repo, jane, bob, janes, bobs, worker } = await stageOf(
    createTeam(),
    configOf(undefined, { commit: COMMIT }),
  );
  const { id } = await ask(janes, jane);
  await bobs.requests.approve({ id, actor: bob });
  const done = await worker.requests.executeRequest(id);
  expect(done.status).toBe('completed');
  const signatures = await repo.git(
    'log',
    '--format=%(trailers:key=Signed-off-by,valueonly,separator=%x2C)',
    'refs/backtrail/ledger',
  );
  const backtrail = 'Backtrail <backtrail@localhost>';
  const signed = (name: string) => `${name} <${name}@example.com>,${backtrail}`;
  expect(signatures.trim().split('\n')).toEqual([backtrail, signed('bob'), signed('jane')]);
  const events = await worker.requests.audit({ reader: jane, limit: 9 });
  expect(events.map(({ event, problems }) => [event, problems])).toEqual([
    ['completed', []],
    ['approved', []],
    ['opened', []],
  ]);
  const [rollback = []] = await messages(repo, 'main', 1);
  expect(rollback[0]).toMatch(/^fix\(api\): roll back to [0-9a-f]{7}$/);
  expect(rollback.slice(-4)).toEqual([
    ...own('prod/api'),
    'Signed-off-by: jane <jane@example.com>',
    `Signed-off-by: ${backtrail}`,
  ]);
});

it.runIf(isProof)('makes the same commits wherever a request is executed', async () => {
  const [one, other] = [
    await planning([map('one'), map('two')], { ...DELIVERED, commit: COMMIT }),
    await planning([map('one'), map('two')], { ...DELIVERED, commit: COMMIT }),
  ];
  const request = confirmation(await one.engine.plan({ scope: 'acme/production/api', to: 'v1' }));
  const [here, there] = [await one.engine.execute(request), await other.engine.execute(request)];
  expect(here.status).toBe('completed');
  expect([there.commit, there.deliveryCommit]).toEqual([here.commit, here.deliveryCommit]);
});
