import { expect, it } from 'vitest';
import type { Engine } from '../../../engine/internal.ts';
import { configOf, createTeam, newId, POLICY, stageOf } from '../../helpers/people/requests.ts';
import { isProof } from '../../helpers/run/proof.ts';

const team = createTeam();
const CHECKS = { checks: { fixed: ['#/image'], migrations: [{ path: 'db/**', fence: true }] } };
const SCOPE = 'prod/api';

async function asked(
  engine: Engine,
  author: { name: string; email: string },
  override: string[] = ['FIXED_FIELD'],
  id = newId(),
) {
  const { target, digest } = await engine.rollbacks.plan({ scope: SCOPE, override, author });
  return { id, ask: { scope: SCOPE, target, digest, override, author, id, reason: 'v2 answers 500' } };
}

it('records an override in the request, in the ledger and in the commit', async () => {
  const { repo, jane, bob, janes, bobs, worker } = await stageOf(team, configOf(POLICY, CHECKS));
  const { id, ask } = await asked(janes, jane);
  const { findings } = await janes.rollbacks.plan({ scope: SCOPE, author: jane });
  expect(findings).toContainEqual(expect.objectContaining({ code: 'FIXED_FIELD', remedy: 'override' }));
  await expect(janes.rollbacks.request({ ...ask, override: [] })).rejects.toMatchObject({
    code: 'FIXED_FIELD',
  });
  const { request } = await janes.rollbacks.request({ ...ask, override: ['FIXED_FIELD', 'DESTRUCTIVE'] });
  expect(request).toMatchObject({ status: 'pending', overrides: ['FIXED_FIELD'] });
  expect(await repo.git('log', '-1', '--format=%B', 'refs/backtrail/ledger')).toMatch(
    /overriding FIXED_FIELD\n[^]*Event-Comment: \[overrides FIXED_FIELD\] v2 answers 500/,
  );
  const [opened] = await janes.requests.audit({ reader: jane, limit: 5 });
  expect(opened).toMatchObject({ comment: '[overrides FIXED_FIELD] v2 answers 500', problems: [] });
  const seen = await bobs.requests.plan({ id, reader: bob });
  expect(seen.plan.findings).toContainEqual(
    expect.objectContaining({ code: 'FIXED_FIELD', severity: 'warn', overridden: true }),
  );
  expect(seen.plan.findings.every(({ remedy }) => remedy === undefined)).toBe(true);
  await bobs.requests.approve({ id, actor: bob, digest: ask.digest });
  const { commit } = await worker.rollbacks.execute(id);
  expect(await repo.git('log', '-1', '--format=%B', commit ?? '')).toContain(
    '\nRollback-Override: FIXED_FIELD\n',
  );
  expect(await worker.log({ limit: 1 })).toMatchObject([
    { record: { overrides: ['FIXED_FIELD'] }, problems: [] },
  ]);
});

it('gives the approvals of a request to no other override', async () => {
  const config = configOf(POLICY, { checks: { ...CHECKS.checks, FIXED_FIELD: 'warn' } });
  const { jane, janes } = await stageOf(team, config);
  const { ask } = await asked(janes, jane, []);
  const opened = await janes.rollbacks.request(ask);
  expect(opened.request?.overrides).toBeUndefined();
  // What does not block is not overridden, and the request is the same one.
  const again = await janes.rollbacks.request({ ...ask, override: ['FIXED_FIELD'] });
  expect(again.request).toMatchObject({ id: ask.id });
  expect(again.request?.overrides).toBeUndefined();
});

it('fails a request where a check that was not overridden blocks on a newer tip', async () => {
  const { repo, jane, bob, janes, bobs, worker } = await stageOf(team, configOf(POLICY, CHECKS));
  const { id, ask } = await asked(janes, jane);
  await janes.rollbacks.request(ask);
  await bobs.requests.approve({ id, actor: bob, digest: ask.digest });
  await repo.commit({ 'db/7.sql': 'drop table a;\n' });
  const tip = await repo.git('rev-parse', 'main');
  await expect(worker.rollbacks.execute(id)).rejects.toMatchObject({ code: 'MIGRATION_CROSSED' });
  expect(await repo.git('rev-parse', 'main')).toBe(tip);
  expect(await janes.requests.show({ id })).toMatchObject({
    status: 'failed',
    result: { code: 'MIGRATION_CROSSED' },
  });
  const many = await worker.rollbacks.executeMany([{ id }]);
  expect(many.get(id)?.status).toBe('rejected');
});

it('lets nobody override who may only propose, and says so before the plan is confirmed', async () => {
  const others = ['bob@example.com', 'carol@example.com'];
  const permissions = [
    { users: ['jane@example.com', ...others], allow: ['propose'], in: ['**'] },
    { users: others, allow: ['deploy'], in: ['**'] },
  ];
  const { jane, bob, janes, bobs } = await stageOf(team, configOf({ ...POLICY, permissions }, CHECKS));
  const plan = await janes.rollbacks.plan({ scope: SCOPE, override: ['FIXED_FIELD'], author: jane });
  expect(plan.gate.may.request).toMatchObject({ allowed: false, code: 'PERMISSION_DENIED' });
  const { ask } = await asked(janes, jane);
  await expect(janes.rollbacks.request(ask)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: 'jane@example.com may not override FIXED_FIELD in prod.',
  });
  const other = await asked(bobs, bob);
  expect((await bobs.rollbacks.request(other.ask)).status).toBe('pending');
});

it.runIf(isProof)('tells of other requests that overlap, and of what came in the scope since', async () => {
  const { repo, jane, bob, janes, bobs } = await stageOf(team, configOf(POLICY, { checks: { fixed: [] } }));
  const { id, ask } = await asked(janes, jane, []);
  await janes.rollbacks.request(ask);
  const seen = await bobs.rollbacks.plan({ scope: 'prod', author: bob });
  expect(seen.findings).toContainEqual(
    expect.objectContaining({ code: 'IN_FLIGHT', severity: 'warn', message: expect.stringContaining(id) }),
  );
  const own = await bobs.requests.plan({ id, reader: bob });
  expect(own.plan.findings.map(({ code }) => code)).not.toContain('IN_FLIGHT');
  await repo.commit({ 'apps/prod/api/app.yaml': 'image: v2\nreplicas: 3\n' });
  const later = await bobs.requests.plan({ id, reader: bob });
  expect(later.plan.findings).toContainEqual(
    expect.objectContaining({
      code: 'IN_FLIGHT',
      message: expect.stringMatching(/^1 commit has changed prod\/api since/),
    }),
  );
});

it.runIf(isProof)(
  'sees a fence that only a message tells of, also where another process asks for many at once, and where a worker executes',
  async () => {
    const { repo, jane, janes, bobs, worker } = await stageOf(team, configOf({}, { checks: { fixed: [] } }));
    const fence = () =>
      repo.replay([
        {
          files: { 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\n' },
          message: 'Move on\n\nMigration: drops table a (fence)',
        },
      ]);
    const first = await asked(janes, jane, []);
    await fence();
    const tip = await repo.git('rev-parse', 'main');
    const plan = await janes.rollbacks.plan({ scope: SCOPE, to: first.ask.target, author: jane });
    expect(plan.findings).toContainEqual(
      expect.objectContaining({ code: 'MIGRATION_CROSSED', severity: 'block' }),
    );
    const ask = { ...first.ask, target: plan.target, digest: plan.digest, base: plan.base };
    const [many] = await bobs.rollbacks.requestMany([ask]);
    expect(many).toMatchObject({ status: 'rejected', reason: { code: 'MIGRATION_CROSSED' } });
    await repo.git('update-ref', 'refs/heads/main', `${tip}~1`);
    await janes.rollbacks.request({ ...first.ask, ledger: true });
    await fence();
    const [one, together] = [
      () => worker.rollbacks.execute(first.id),
      () => worker.rollbacks.executeMany([{ id: first.id }]),
    ];
    await expect(one()).rejects.toMatchObject({ code: 'MIGRATION_CROSSED' });
    expect((await together()).get(first.id)).toMatchObject({ status: 'rejected' });
    expect(await repo.git('show', 'main:apps/prod/api/app.yaml')).toContain('v3');
  },
);
