/** A watch over a repository: what it is asked about, what it writes down, and what it asks for by itself. The cluster is what the test says. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../../engine/internal.ts';
import { automaticRequestId } from '../../../../engine/requests/gate/exemption.ts';
import { configOf, createTeam } from '../../../helpers/people/requests.ts';
import { isProof, someOf } from '../../../helpers/run/proof.ts';
import { JANE } from '../../../helpers/repositories/engine.ts';
import { createRepo } from '../../../helpers/repositories/repo.ts';
import { app, LIVE, QUIET, sceneOf, watchOf } from './git-scene.ts';

const recordsOf = async (engine: Engine) =>
  (await engine.deployments.list({ reader: JANE })).deployments.map(
    ({ version, status, statusSource }) => `v${version} ${status} ${statusSource ?? ''}`,
  );

describe('a watch over a repository', () => {
  it('records what is live, rolls back what degrades, and follows the rollback', async () => {
    const { repo, engine, look, degrade } = await sceneOf();
    await look('live');
    expect(await recordsOf(engine)).toEqual(['v2 deployed observer']);
    await repo.replay([{ files: app('v3') }]);
    await look('progressing', 120_000);
    const [request, ...others] = await degrade();
    expect(others).toEqual([]);
    expect(request).toMatchObject({ scope: 'prod/api', status: 'approved' });
    expect(await recordsOf(engine)).toEqual(['v3 failed observer', 'v2 deployed observer']);
    const { status } = await engine.rollbacks.execute(request?.id ?? '');
    expect(status).toBe('completed');
    expect(await repo.git('show', 'main:apps/prod/api/app.yaml')).toBe('image: api:v2');
    expect(await recordsOf(engine)).toEqual([
      'v4 pending backtrail',
      'v3 rolled_back ',
      'v2 deployed observer',
    ]);
    await look('live', 120_000);
    expect((await recordsOf(engine))[0]).toBe('v4 deployed observer');
    const shown = await engine.requests.show({ id: request?.id ?? '' });
    expect(shown.automatic?.seen).toMatch(/^v3 .* was seen degraded for 1m\.$/);
  });
});

/** Production needs an approval, which automatic rollbacks do without; Bob's key is the worker's. */
async function exemptScene(worker: readonly string[] = ['propose', 'record'], exempt = 'exempt') {
  const team = await createTeam();
  const everywhere = { in: ['**'] };
  const policy = {
    environments: [{ match: '**', quorum: 1, automatic: exempt }],
    permissions: [
      { users: ['bob@example.com'], allow: worker, ...everywhere },
      { users: ['jane@example.com'], allow: ['propose'], ...everywhere },
      { users: ['carol@example.com'], allow: ['deploy'], ...everywhere },
    ],
  };
  const repo = await createRepo({ bare: true });
  const config = configOf(policy, { ...QUIET, ...LIVE });
  await repo.replay([{ files: { '.backtrail/config.yaml': config, ...app('v1') } }, { files: app('v2') }]);
  const { signers, bob } = team;
  const watch = (ms = 0) => watchOf(repo, { as: bob, signers, ms });
  const own = await watch();
  await own.look('live');
  await repo.replay([{ files: app('v3') }]);
  await own.look('live', 120_000);
  const setPolicy = (change: object) =>
    repo.replay([
      { files: { '.backtrail/config.yaml': configOf({ ...policy, ...change }, { ...QUIET, ...LIVE }) } },
    ]);
  /** By the same clock: what is recorded in the future does not count. */
  const janeNow = async () => (await watchOf(repo, { as: team.jane, signers, ms: own.clock.ms })).engine;
  return { ...own, watch, janeNow, setPolicy };
}

describe('an automatic rollback where people have to agree', () => {
  it('goes ahead without them where the policy exempts it, and the audit bears it out', async () => {
    const { engine, degrade, repo, clock, watch } = await exemptScene();
    const [request] = await degrade();
    expect(request).toMatchObject({ status: 'approved' });
    // Another worker, which remembers nothing, asks for no other.
    const other = await watch(clock.ms);
    expect(await other.degrade()).toMatchObject([{ id: request?.id }]);
    expect(await engine.rollbacks.execute(request?.id ?? '')).toMatchObject({ status: 'completed' });
    expect(await repo.git('show', 'main:apps/prod/api/app.yaml')).toBe('image: api:v2');
    const { rows } = await engine.audit.verify();
    expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('is missing its approval to an audit that finds no record which bears it out', async () => {
    const { engine, degrade, repo, watch, clock } = await exemptScene();
    const [request] = await degrade();
    await engine.rollbacks.execute(request?.id ?? '');
    await repo.git('update-ref', '-d', 'refs/backtrail/deployments');
    const auditor = await watch(clock.ms);
    const { rows } = await auditor.engine.audit.verify();
    const codes = rows.flatMap(({ problems }) => problems.map(({ code }) => code));
    expect(codes).toEqual(['APPROVAL_MISSING']);
  });

  it('waits for them where the policy says nothing of it', async () => {
    const { engine, degrade } = await exemptScene(undefined, 'gated');
    const [request] = await degrade();
    expect(request).toMatchObject({ status: 'pending' });
    const run = engine.rollbacks.execute(request?.id ?? '');
    await expect(run).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
  });

  it.runIf(isProof)(
    'waits for them after all where the policy came to ask for it, whatever the request says',
    async () => {
      const { engine, degrade, setPolicy } = await exemptScene();
      const [request] = await degrade();
      expect(request).toMatchObject({ status: 'approved' });
      await setPolicy({ environments: [{ match: '**', quorum: 1 }] });
      const run = engine.rollbacks.execute(request?.id ?? '');
      await expect(run).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
      expect(await engine.requests.show({ id: request?.id ?? '' })).toMatchObject({ status: 'pending' });
    },
  );

  it.runIf(isProof)('is not asked for by a worker that may not', async () => {
    const { engine, degrade } = await exemptScene(['record']);
    expect(await degrade()).toEqual([]);
    const { deployments } = await engine.deployments.list({ reader: JANE });
    expect(deployments[0]).toMatchObject({ status: 'failed', automatic: { refused: 'PERMISSION_DENIED' } });
  });

  it.runIf(isProof)('is no way around them where the observer refused to ask for it', async () => {
    const { engine, degrade, repo, janeNow } = await exemptScene(['record']);
    expect(await degrade()).toEqual([]);
    const revision = await repo.git('rev-parse', 'main');
    const jane = await janeNow();
    const { target, digest, base } = await jane.rollbacks.plan({ scope: 'prod/api', to: 'v2' });
    const asked = { scope: 'prod/api', target, digest, base, reason: 'It degraded' };
    const id = automaticRequestId({ environment: 'prod', service: 'api' }, revision);
    await jane.rollbacks.request({ ...asked, automatic: { revision, seen: 'It degraded.' }, id });
    await expect(engine.rollbacks.execute(id)).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
  });

  it.runIf(isProof)('waits for them where what failed is well again', async () => {
    const { engine, degrade, look } = await exemptScene();
    const [request] = await degrade();
    for (let minute = 0; minute < 5; minute += 1) await look('live', 60_000);
    const run = engine.rollbacks.execute(request?.id ?? '');
    await expect(run).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
  });

  it.each(
    someOf(
      [
        ['to another revision than the last successful one', 'v1', true],
        ['of a revision that no observer saw fail', 'v2', false],
      ] as const,
      1,
    ),
  )('is no way around them: %s', async (_, to, isSeen) => {
    const { engine, degrade, janeNow } = await exemptScene(['record']);
    if (isSeen) await degrade();
    const { deployments } = await engine.deployments.list({ reader: JANE });
    const jane = await janeNow();
    const revision = deployments[0]?.commit ?? '';
    const automatic = { revision, seen: 'It was seen degraded.' };
    const { target, digest, base } = await jane.rollbacks.plan({ scope: 'prod/api', to });
    const asked = { scope: 'prod/api', target, digest, base, reason: 'It degraded', automatic };
    const { status, requestId } = await jane.rollbacks.request(asked);
    expect(status).toBe('pending');
    const run = engine.rollbacks.execute(requestId);
    await expect(run).rejects.toMatchObject({ code: 'AWAITING_APPROVAL' });
  });
});

describe('a first delivery that never became healthy', () => {
  const web = 'apps/prod/web/app.yaml';
  const atomicScene = (atomic: boolean) =>
    sceneOf({ auto: [{ match: '**', window: '10m', bad: '1m', limit: '5/1h', atomic }] });

  it.runIf(isProof)('goes away again where that is wanted', async () => {
    const { repo, engine, look, degrade } = await atomicScene(true);
    await look('live');
    await repo.replay([{ files: { [web]: 'image: web:v1\n' }, date: new Date().toISOString() }]);
    const requests = (await degrade()).filter(({ scope }) => scope === 'prod/web');
    expect(requests).toMatchObject([{ status: 'approved' }]);
    expect(await engine.rollbacks.execute(requests[0]?.id ?? '')).toMatchObject({ status: 'completed' });
    expect(await repo.git('ls-tree', '-r', '--name-only', 'main', 'apps')).toBe('apps/prod/api/app.yaml');
  });

  it.each(
    someOf(
      [
        ['it is not wanted', false, 'degraded'],
        ['it was live once', true, 'live'],
      ] as const,
      1,
    ),
  )('stays where %s', async (_, atomic, first) => {
    const { repo, engine, look, degrade } = await atomicScene(atomic);
    await look('live');
    await repo.replay([{ files: { [web]: 'image: web:v1\n' }, date: new Date().toISOString() }]);
    await look(first, 120_000);
    expect((await degrade()).filter(({ scope }) => scope === 'prod/web')).toEqual([]);
    const { deployments } = await engine.deployments.list({ reader: JANE, scope: 'prod/web' });
    expect(deployments).toMatchObject([{ status: 'failed', automatic: { refused: 'AUTO_FIRST' } }]);
  });
});
