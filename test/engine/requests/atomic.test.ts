/** Requests of an incident that says `atomic`: published in one push, or none of them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Engine, isFailure, type Person } from '../../../engine/internal.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { configOf, createTeam, newId, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const team = createTeam();
const SCOPES = ['prod/api', 'dev/api'];
const INCIDENT = 'inc-1';
const EVERYWHERE = configOf({ environments: [{ match: '*', quorum: 1 }] });

const codeOf = (result: PromiseSettledResult<unknown> | undefined) =>
  result?.status === 'rejected' ? (isFailure(result.reason) ? result.reason.code : 'INTERNAL') : 'done';
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isFailure(error) ? error.code : 'INTERNAL'),
  );

interface Wish {
  readonly scope: string;
  readonly to?: string;
}

async function askTogether(engine: Engine, author: Person, wishes: readonly Wish[], atomic = true) {
  const asks = [];
  for (const wish of wishes) {
    const { scope, target, digest, base } = await engine.rollbacks.plan({ ...wish, author });
    asks.push({ scope, target, digest, base, author, reason: 'It fails', id: newId(), incident: INCIDENT });
  }
  return { asks, results: await engine.rollbacks.requestMany(asks, { atomic }) };
}

async function opened(config = EVERYWHERE) {
  const stage = await stageOf(team, config);
  const { asks } = await askTogether(
    stage.janes,
    stage.jane,
    SCOPES.map((scope) => ({ scope })),
  );
  const [prod = '', dev = ''] = asks.map(({ id }) => id);
  const tip = () => stage.repo.git('rev-parse', 'main');
  const approve = (...ids: string[]) =>
    stage.bobs.requests.reviewMany({
      actor: stage.bob,
      decision: 'approved',
      votes: ids.map((id) => ({ id })),
    });
  const statuses = async () =>
    Promise.all([prod, dev].map(async (id) => (await stage.janes.requests.show({ id })).status));
  return { ...stage, prod, dev, tip, approve, statuses };
}

/** A worker over the network, whose pushes are counted; the branch is checked out there, which git refuses to move at first. */
async function overNetwork(repo: Repo, signers: string) {
  const [list, hook] = [join(repo.gitDir, 'pushes'), join(repo.gitDir, 'hooks/pre-receive')];
  await writeFile(list, '');
  await writeFile(hook, `#!/bin/sh\ntr '\\n' ' ' >> '${list}'\necho >> '${list}'\n`, { mode: 0o755 });
  return {
    worker: await engineOf({ ...repo, folder: `file://${repo.gitDir}` }, { allowedSigners: signers }),
    pushes: async () =>
      (await readFile(list, 'utf8')).split('\n').filter((line) => line.includes('refs/heads/main')),
    allow: () => repo.git('config', 'receive.denyCurrentBranch', 'ignore'),
  };
}

describe('rollbacks that are published together', () => {
  it('wait until the last one is approved, whichever is executed', async () => {
    const { prod, dev, worker, janes, tip, approve, statuses } = await opened();
    const before = await tip();
    await approve(prod);
    expect((await worker.requests.reconcile()).waiting).toEqual([]);
    expect(await failureOf(worker.rollbacks.execute(prod))).toBe('AWAITING_APPROVAL');
    expect(await failureOf(janes.rollbacks.execute(prod, { onTrust: true }))).toBe('AWAITING_APPROVAL');
    const both = await worker.rollbacks.executeMany([{ id: prod }, { id: dev }]);
    expect([prod, dev].map((id) => codeOf(both.get(id)))).toEqual(['AWAITING_APPROVAL', 'AWAITING_APPROVAL']);
    expect(await tip()).toBe(before);
    expect(await statuses()).toEqual(['approved', 'pending']);
    await approve(dev);
    expect((await worker.requests.reconcile()).waiting.toSorted()).toEqual([prod, dev].toSorted());
  });

  it.each(someOf(['execute', 'executeMany'] as const, 1))(
    'are one push, each with its own commit: %s',
    async (how) => {
      const { repo, prod, dev, worker, tip, approve, statuses } = await opened();
      await repo.git('config', 'core.logAllRefUpdates', 'always');
      await repo.git('update-ref', '--create-reflog', '-m', 'start', 'refs/heads/main', await tip());
      await approve(prod, dev);
      const moves = async () => (await repo.git('reflog', 'show', 'main')).split('\n').length;
      const [before, from] = [await moves(), await tip()];
      if (how === 'execute') await worker.rollbacks.execute(dev);
      else await worker.rollbacks.executeMany([{ id: prod }, { id: dev }]);
      expect(await statuses()).toEqual(['completed', 'completed']);
      expect((await moves()) - before).toBe(1);
      const named = await repo.git(
        'log',
        '--format=%(trailers:key=Rollback-Request-ID,valueonly)',
        `${from}..main`,
      );
      expect(named.split('\n').filter(Boolean).toSorted()).toEqual([prod, dev].toSorted());
      expect(await repo.git('show', 'main:apps/dev/api/app.yaml')).toBe('image: v1');
      // Again, by whom it may be: what is done is reported.
      const again = await worker.rollbacks.executeMany([{ id: dev }, { id: prod }]);
      expect([prod, dev].map((id) => codeOf(again.get(id)))).toEqual(['done', 'done']);
      expect((await moves()) - before).toBe(1);
      expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
      await repo.git('fsck', '--strict');
    },
  );

  it.runIf(isProof)(
    'are none where the plan of one has changed: that one is asked about again, the others stay approved',
    async () => {
      const { repo, prod, dev, worker, tip, approve, statuses } = await opened();
      await approve(prod, dev);
      await repo.commit({ 'apps/dev/api/app.yaml': 'image: v3\n' });
      const before = await tip();
      const results = await worker.rollbacks.executeMany([{ id: prod }, { id: dev }]);
      expect([prod, dev].map((id) => codeOf(results.get(id)))).toEqual(['PLAN_CHANGED', 'PLAN_CHANGED']);
      expect(await tip()).toBe(before);
      expect(await statuses()).toEqual(['approved', 'pending']);
      expect(await failureOf(worker.rollbacks.execute(prod))).toBe('AWAITING_APPROVAL');
      await approve(dev);
      await worker.rollbacks.execute(prod);
      expect(await statuses()).toEqual(['completed', 'completed']);
    },
  );

  it('are none where the branch refuses, and no half of them is tried; one retry is for all', async () => {
    const { repo, prod, dev, signers, jane, janes, tip, approve, statuses } = await opened();
    await approve(prod, dev);
    const before = await tip();
    const { worker, pushes, allow } = await overNetwork(repo, signers);
    let turns = 0;
    const turn = () => Promise.resolve(void (turns += 1));
    const refused = await worker.rollbacks.executeMany([{ id: prod }, { id: dev }], { turn });
    // For the push that says so in the ledger.
    expect(turns).toBe(1);
    expect([prod, dev].map((id) => codeOf(refused.get(id)))).toEqual(['REMOTE_REJECTED', 'REMOTE_REJECTED']);
    expect(await pushes()).toHaveLength(1);
    expect(await tip()).toBe(before);
    expect(await statuses()).toEqual(['failed', 'failed']);
    await allow();
    const ledger = () => repo.git('rev-list', '--count', LEDGER);
    const events = Number(await ledger());
    const retried = await janes.requests.retryMany({ ids: [dev, prod], actor: jane });
    expect(retried.map(codeOf)).toEqual(['done', 'done']);
    await janes.requests.retry({ id: prod, actor: jane });
    expect(Number(await ledger())).toBe(events + 1);
    expect(await statuses()).toEqual(['executing', 'executing']);
    await worker.rollbacks.execute(prod);
    expect(await statuses()).toEqual(['completed', 'completed']);
    expect(await pushes()).toHaveLength(2);
  });

  it.runIf(isProof)('wait for their turn where others were pushed before them', async () => {
    const { repo, prod, dev, signers, bobs, bob, carols, carol, approve, statuses } = await opened();
    await repo.commit({ 'apps/prod/web/app.yaml': 'image: v1\n' });
    await repo.commit({ 'apps/prod/web/app.yaml': 'image: v2\n' });
    const planned = await carols.plan({ scope: 'prod/web' });
    const { id } = await carols.requests.open({ planned, author: carol, id: newId(), reason: 'It fails' });
    await approve(prod, dev);
    await bobs.requests.approve({ id, actor: bob });
    const { worker, pushes, allow } = await overNetwork(repo, signers);
    await allow();
    const before: number[] = [];
    const turn = async () => void before.push((await pushes()).length);
    await worker.rollbacks.executeMany([{ id }, { id: prod }, { id: dev }], { turn });
    expect(await statuses()).toEqual(['completed', 'completed']);
    expect(await pushes()).toHaveLength(2);
    expect(before).toEqual([1]);
  });

  it.runIf(isProof)('are found on the branch where a worker died before it could say so', async () => {
    const { repo, prod, dev, signers, worker, tip, approve } = await opened();
    await approve(prod, dev);
    const before = await repo.git('rev-parse', LEDGER);
    await worker.rollbacks.execute(prod);
    const published = await tip();
    await repo.git('update-ref', LEDGER, before);
    const next = await engineOf(repo, { allowedSigners: signers });
    expect((await next.requests.show({ id: dev })).status).toBe('approved');
    expect(await next.rollbacks.execute(dev)).toMatchObject({ status: 'completed' });
    const { repairs } = await next.requests.reconcile();
    expect(repairs.map(({ requestId, action }) => [requestId, action])).toEqual([[prod, 'completed']]);
    expect(await tip()).toBe(published);
  });

  it.runIf(isProof)('are none where one is rejected: the others fail, and say which', async () => {
    const { prod, dev, worker, bobs, bob, janes, tip, approve, statuses } = await opened();
    const before = await tip();
    await approve(prod);
    await bobs.requests.reject({ id: dev, actor: bob });
    expect((await worker.requests.reconcile()).waiting).toEqual([prod]);
    expect(await failureOf(worker.rollbacks.execute(prod))).toBe('REQUEST_CLOSED');
    expect(await tip()).toBe(before);
    expect(await statuses()).toEqual(['failed', 'rejected']);
    expect((await janes.requests.show({ id: prod })).result).toMatchObject({
      message: expect.stringContaining(dev),
    });
  });

  it.runIf(isProof)('are opened in one commit of the ledger, or none of them', async () => {
    const stage = await stageOf(team, EVERYWHERE);
    const { janes, jane, repo } = stage;
    const { asks, results } = await askTogether(
      janes,
      jane,
      [{ scope: 'prod/api' }, { scope: 'dev/api' }],
      false,
    );
    expect(results.map(codeOf)).toEqual(['done', 'done']);
    const count = await repo.git('rev-list', '--count', LEDGER);
    const fresh = asks.map((ask) => ({ ...ask, id: newId() }));
    const [first, second] = fresh;
    if (!first || !second) throw new Error('two were planned');
    const wrong = [first, { ...second, digest: `sha256:${'0'.repeat(64)}` }];
    const refused = await janes.rollbacks.requestMany(wrong, { atomic: true });
    expect(refused.map(codeOf)).toEqual(['PLAN_CHANGED', 'PLAN_CHANGED']);
    const mixed = janes.rollbacks.requestMany([first, { ...second, incident: 'inc-2' }], { atomic: true });
    expect(await failureOf(mixed)).toBe('INVALID_REQUEST');
    const strangers = [first, { ...second, author: stage.carol }];
    const shared = janes.rollbacks.requestMany(strangers, { atomic: true });
    expect(await failureOf(shared)).toBe('INVALID_REQUEST');
    expect(await repo.git('rev-list', '--count', LEDGER)).toBe(count);
    const good = await janes.rollbacks.requestMany(fresh, { atomic: true });
    expect(good.map(codeOf)).toEqual(['done', 'done']);
    const again = await janes.rollbacks.requestMany(fresh, { atomic: true });
    expect(again.map(codeOf)).toEqual(['done', 'done']);
    const part = await janes.rollbacks.requestMany([second], { atomic: true });
    expect(part.map(codeOf)).toEqual(['REQUEST_EXISTS']);
    const more = await janes.rollbacks.requestMany([...fresh, { ...first, id: newId() }], { atomic: true });
    expect(new Set(more.map(codeOf)).has('done')).toBe(false);
  });

  it('are refused before they are opened where one would undo a part of another', async () => {
    const { repo, janes, jane } = await stageOf(team, EVERYWHERE);
    await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\nreplicas: 1\n' });
    const { results } = await askTogether(janes, jane, [
      { scope: 'prod', to: 'v1' },
      { scope: 'prod/api', to: 'v2' },
    ]);
    expect(results.map(codeOf)).toEqual(['PLAN_BLOCKED', 'PLAN_BLOCKED']);
    expect(await repo.git('for-each-ref', 'refs/backtrail')).toBe('');
  });

  it.runIf(isProof)('are one on top of the other where they share a file', async () => {
    const layout = { service: ['values-{environment}.yaml#/apps[name={service}]'] };
    const config = `${JSON.stringify({ version: 1, layout, keep: [], policy: { environments: [] } })}\n`;
    const { repo, janes, jane, worker } = await stageOf(team, config);
    const values = (tag: string) => `apps:\n  - name: api\n    tag: ${tag}\n  - name: web\n    tag: ${tag}\n`;
    await repo.commit({ 'values-prod.yaml': values('v1') });
    await repo.commit({ 'values-prod.yaml': values('v2') });
    const { asks, results } = await askTogether(janes, jane, [{ scope: 'prod/api' }, { scope: 'prod/web' }]);
    expect(results.map(codeOf)).toEqual(['done', 'done']);
    await worker.rollbacks.execute(asks[1]?.id ?? '');
    expect(await repo.git('show', 'main:values-prod.yaml')).toBe(values('v1').trimEnd());
  });
});

describe('a group', () => {
  it('is of nobody else: who names it fails alone, and those that it names are published', async () => {
    const { prod, dev, worker, bobs, bob, carols, carol, janes, approve, statuses, repo } = await opened();
    await repo.commit({ 'apps/prod/web/app.yaml': 'image: v1\n' });
    await repo.commit({ 'apps/prod/web/app.yaml': 'image: v2\n' });
    const planned = await carols.plan({ scope: 'prod/web' });
    const rogue = await carols.requests.open({
      planned,
      author: carol,
      id: newId(),
      reason: 'Mine too',
      incident: INCIDENT,
      atomic: { first: prod },
    });
    await bobs.requests.approve({ id: rogue.id, actor: bob });
    expect(await failureOf(worker.rollbacks.execute(rogue.id))).toBe('FORBIDDEN');
    expect(await janes.requests.show({ id: rogue.id })).toMatchObject({ status: 'failed' });
    await approve(prod, dev);
    await worker.rollbacks.execute(dev);
    expect(await statuses()).toEqual(['completed', 'completed']);
    expect(await repo.git('show', 'main:apps/prod/web/app.yaml')).toBe('image: v2');
  });
});
