/** The requests of an incident: found by its id, voted on and retried at once, in one signed commit of the ledger. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, isFailure, type Person } from '../../../engine/internal.ts';
import { fileOf } from '../../helpers/people/forge.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { configOf, createTeam, engineFor, newId, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const team = createTeam();
const EVERYWHERE = configOf({ environments: [{ match: '*', quorum: 1, expiry: '24h' }] });
const INCIDENT = 'inc-2026-11-28';

const count = async (repo: Repo) => Number(await repo.git('rev-list', '--count', LEDGER));
const codeOf = (reason: unknown) => (isFailure(reason) ? reason.code : 'INTERNAL');
const reasonOf = (result: PromiseSettledResult<unknown> | undefined) =>
  result?.status === 'rejected' ? codeOf(result.reason) : result?.value;

async function askAll(engine: Engine, author: Person, scopes: readonly string[], incident?: string) {
  const asks = [];
  for (const scope of scopes) {
    const { target, digest, base } = await engine.rollbacks.plan({ scope, author });
    const more = incident === undefined ? {} : { incident };
    asks.push({
      scope,
      target,
      digest,
      base,
      author,
      reason: 'v2 answers 500',
      ledger: true,
      id: newId(),
      ...more,
    });
  }
  const results = await engine.rollbacks.requestMany(asks);
  return results.map((each) =>
    each.status === 'fulfilled' ? (each.value.request?.id ?? '') : reasonOf(each),
  );
}

/** Services of the repository of all tests, each in two environments: an incident takes one that is of no other. */
const SERVICES = ['form', 'votes', 'refused'];
let shared: Awaited<ReturnType<typeof stageOf>>;
beforeAll(async () => {
  const scopes = ['prod/plain', ...SERVICES.flatMap((name) => [`prod/${name}`, `dev/${name}`])];
  shared = await stageOf(team, EVERYWHERE, { lives: 'file', scopes });
});

async function opened(service: string, stage = shared) {
  const incident = `inc-${service}`;
  const asked = await askAll(stage.janes, stage.jane, [`prod/${service}`, `dev/${service}`], incident);
  const ids = asked.map(String);
  return { ...stage, ids, incident };
}

/** In a repository of its own. */
const openedAlone = async () => opened('api', await stageOf(team, EVERYWHERE));

const votesOn = async (engine: Engine, reader: Person, incident = 'inc-api') =>
  (await engine.requests.planIncident({ incident, reader })).map(({ request: { id, digest } }) => ({
    id,
    digest,
  }));

describe('the requests of an incident', () => {
  it.runIf(isProof)('are found by its id, by whoever has the ledger alone, oldest first', async () => {
    const { bobs, bob, jane, janes, ids } = await openedAlone();
    const [other] = await askAll(janes, jane, ['prod'], 'inc-2');
    const found = await bobs.requests.planIncident({ incident: 'inc-api', reader: bob });
    expect(found.map(({ request }) => request.id).toSorted()).toEqual(ids.toSorted());
    expect(found.map(({ planned }) => planned.status)).toEqual(['fulfilled', 'fulfilled']);
    const listed = await bobs.requests.list({ incident: 'inc-2', reader: bob });
    expect(listed.map(({ id, incident }) => [id, incident])).toEqual([[other, 'inc-2']]);
    expect(await bobs.requests.planIncident({ incident: 'inc-3', reader: bob })).toEqual([]);
  });

  it.runIf(isProof)('are opened at one time, however long it takes to write them down', async () => {
    const { repo, jane, signers, bobs, bob } = await stageOf(team, EVERYWHERE);
    let now = Date.now() - 3_600_000;
    const clock = { now: () => (now += 1000), sleep: () => Promise.resolve() };
    const slow = await engineFor(repo, jane, { allowedSigners: signers, clock });
    const ids = await askAll(slow, jane, ['prod/api', 'dev/api'], INCIDENT);
    expect(await repo.git('rev-list', '--count', LEDGER)).toBe('1');
    const found = await bobs.requests.list({ incident: INCIDENT, reader: bob });
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(ids));
    expect(new Set(found.map(({ createdAt }) => createdAt)).size).toBe(1);
  });

  it('alone have the later form of a file, so that older programs read all others', async () => {
    const { repo, janes, jane, ids } = await opened('form');
    const [plain] = await askAll(janes, jane, ['prod/plain']);
    for (const id of ids) expect((await fileOf(repo, id)).version).toBe(2);
    expect((await fileOf(repo, String(plain))).version).toBe(1);
  });

  it.each(
    someOf(
      [
        ['a line', 'inc\n1'],
        ['what moves the cursor', 'inc\u001b[2J'],
        ['what turns the reading direction', 'inc\u202e1'],
        ['what nobody sees', 'inc\u200b1'],
        ['nothing', ''],
        ['space around it', ' inc '],
        ['too much', 'x'.repeat(201)],
      ],
      2,
    ),
  )('cannot be opened under an id with %s', async (_, incident) => {
    const { janes, jane } = shared;
    expect(await askAll(janes, jane, ['prod/api'], incident)).toEqual(['INVALID_REQUEST']);
  });
});

describe('votes given at once', () => {
  it('are one signed commit of the ledger, which is read as a vote on each', async () => {
    const { repo, bobs, bob, worker, ids, jane, incident } = await opened('votes');
    const before = await count(repo);
    const votes = await votesOn(bobs, bob, incident);
    const results = await bobs.requests.reviewMany({
      actor: bob,
      decision: 'approved',
      comment: 'Yes',
      votes,
    });
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await count(repo)).toBe(before + 1);
    expect(await repo.git('log', '-1', '--format=%s', LEDGER)).toBe(
      'bob@example.com writes 2 events: 2 approved',
    );
    expect(await repo.git('cat-file', '-p', LEDGER)).toContain('gpgsig');
    for (const id of ids)
      expect(await worker.requests.show({ id })).toMatchObject({
        status: 'approved',
        incident,
        reviews: [{ counts: true, identity: 'verified', comment: 'Yes' }],
      });
    const log = await bobs.requests.audit({ limit: 2, reader: jane });
    expect(log.map(({ event, problems, identity }) => [event, problems, identity])).toEqual([
      ['approved', [], 'verified'],
      ['approved', [], 'verified'],
    ]);
    const done = await worker.rollbacks.executeMany(ids.map((id) => ({ id })));
    expect([...done.values()].map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    await repo.git('fsck', '--strict');
  });

  it('are refused one by one: an own request, a second vote, a plan that changed; the rest goes on', async () => {
    const { repo, janes, bobs, bob, jane, ids, incident } = await opened('refused');
    const votes = await votesOn(bobs, bob, incident);
    const own = await janes.requests.reviewMany({ actor: jane, decision: 'approved', votes });
    expect(own.map(reasonOf)).toEqual(['OWN_REQUEST', 'OWN_REQUEST']);
    await repo.commit({ 'apps/dev/refused/app.yaml': 'image: v3\n' });
    const before = await count(repo);
    const [first, second] = await bobs.requests.reviewMany({ actor: bob, decision: 'approved', votes });
    const changed = ids[1] === votes[0]?.id ? first : second;
    const other = ids[1] === votes[0]?.id ? second : first;
    expect(reasonOf(changed)).toBe('PLAN_CHANGED');
    expect(reasonOf(other)).toMatchObject({ status: 'approved' });
    expect(await janes.requests.show({ id: ids[1] ?? '' })).toMatchObject({
      status: 'pending',
      reviews: [],
      reopened: { difference: expect.arrayContaining([expect.stringContaining('v3')]) },
    });
    expect(await count(repo)).toBe(before + 2);
    const again = await bobs.requests.reviewMany({ actor: bob, decision: 'approved', votes });
    expect(new Set(again.map(reasonOf))).toEqual(new Set(['PLAN_CHANGED', 'REQUEST_NOT_PENDING']));
  });

  it.runIf(isProof)('count once a person, also where a second is needed', async () => {
    const two = configOf({ environments: [{ match: '*', quorum: 2 }] });
    const stage = await stageOf(team, two);
    const { bobs, bob, carols, carol, janes, jane } = stage;
    await askAll(janes, jane, ['prod/api', 'dev/api'], 'inc-api');
    const votes = await votesOn(bobs, bob);
    const approve = (engine: Engine, actor: Person) =>
      engine.requests.reviewMany({ actor, decision: 'approved', votes });
    expect((await approve(bobs, bob)).map(reasonOf)).toMatchObject([
      { status: 'pending' },
      { status: 'pending' },
    ]);
    expect((await approve(bobs, bob)).map(reasonOf)).toEqual(['ALREADY_REVIEWED', 'ALREADY_REVIEWED']);
    expect((await approve(carols, carol)).map(reasonOf)).toMatchObject([
      { status: 'approved' },
      { status: 'approved' },
    ]);
  });

  it.runIf(isProof)('of somebody whose key is not theirs let nothing go ahead', async () => {
    const { carols, bob, ids, worker, bobs } = await openedAlone();
    const votes = await votesOn(bobs, bob);
    const results = await carols.requests.reviewMany({ actor: bob, decision: 'approved', votes });
    expect(results.map(reasonOf)).toMatchObject([{ status: 'pending' }, { status: 'pending' }]);
    expect((await worker.requests.reconcile()).waiting).toEqual([]);
    expect(ids).toHaveLength(2);
  });

  it.runIf(isProof)('reject as well, what cannot be planned any more included', async () => {
    const { repo, bobs, bob } = await openedAlone();
    const votes = await votesOn(bobs, bob);
    await repo.commit({ 'apps/prod/api/app.yaml': null });
    const results = await bobs.requests.reviewMany({ actor: bob, decision: 'rejected', votes });
    expect(results.map(reasonOf)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  });

  it.runIf(isProof)('are none where a caller without types misspells what they are', async () => {
    const { bobs, bob, ids, worker } = await openedAlone();
    for (const decision of ['reject', undefined]) {
      const input = { actor: bob, decision, votes: ids.map((id) => ({ id })) };
      // @ts-expect-error -- what a caller without types can write
      await expect(bobs.requests.reviewMany(input)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
    expect((await worker.requests.show({ id: ids[0] ?? '' })).reviews).toEqual([]);
  });

  it.runIf(isProof)('refuse a request that is named twice, and one that there is not', async () => {
    const { bobs, bob, ids } = await openedAlone();
    const [id = ''] = ids;
    const twice = bobs.requests.reviewMany({ actor: bob, decision: 'approved', votes: [{ id }, { id }] });
    await expect(twice).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const unknown = await bobs.requests.reviewMany({
      actor: bob,
      decision: 'approved',
      votes: [{ id: newId() }, { id: '../x' }],
    });
    expect(unknown.map(reasonOf)).toEqual(['REQUEST_UNKNOWN', 'REQUEST_UNKNOWN']);
  });
});

/** Bob may execute what others asked for in `dev` alone. */
const RETRIERS = configOf({
  environments: [{ match: '*', quorum: 0 }],
  permissions: [
    { users: ['jane@example.com'], allow: ['read', 'propose', 'deploy'], in: ['**'] },
    { users: ['bob@example.com'], allow: ['read', 'propose', 'deploy'], in: ['dev'] },
    { users: ['bob@example.com'], allow: ['read', 'propose'], in: ['prod'] },
  ],
});

const FAILING = ['prod/api', 'dev/api', 'prod/cron', 'dev/cron'];

/** Each has failed, but for the last one, which is completed; pushes to the ledger by `janes` are counted. */
async function failed() {
  const scopes = [...FAILING, 'prod/web'];
  const { repo, jane, signers, worker, ...stage } = await stageOf(team, RETRIERS, { lives: 'file', scopes });
  const asked = await askAll(stage.janes, jane, scopes, INCIDENT);
  const ids = asked.map(String);
  expect(asked).toEqual(scopes.map(() => expect.stringMatching(/^rbk-/)));
  await repo.write(Object.fromEntries(FAILING.map((scope) => [`apps/${scope}/app.yaml`, 'by: hand\n'])));
  const results = await worker.rollbacks.executeMany(ids.map((id) => ({ id })));
  expect(ids.map((id) => reasonOf(results.get(id)))).toMatchObject([
    ...FAILING.map(() => 'WORKTREE_DIRTY'),
    { status: 'completed' },
  ]);
  await repo.git('checkout', '--', '.');
  const list = join(repo.gitDir, 'pushes');
  await writeFile(list, '');
  await writeFile(join(repo.gitDir, 'hooks/pre-receive'), `#!/bin/sh\necho push >> '${list}'\n`, {
    mode: 0o755,
  });
  const far = { ...repo, folder: `file://${repo.gitDir}` };
  const janes = await engineFor(far, jane, { allowedSigners: signers, lives: 'file' });
  const pushes = async () => (await readFile(list, 'utf8')).split('\n').length - 1;
  return { ...stage, repo, jane, janes, worker, ids, pushes };
}

describe('failed requests that are retried at once', () => {
  let stage: Awaited<ReturnType<typeof failed>>;
  beforeAll(async () => {
    stage = await failed();
  });

  it('are one signed commit of the ledger and one push; what has not failed says so, and hinders none', async () => {
    const { repo, jane, janes, worker, ids, pushes } = stage;
    const [prod = '', dev = '', , , done = ''] = ids;
    const before = await count(repo);
    const unknown = newId();
    const results = await janes.requests.retryMany({ actor: jane, ids: [done, prod, unknown, dev] });
    expect(results.map(reasonOf)).toMatchObject([
      'REQUEST_NOT_FAILED',
      { id: prod, status: 'executing' },
      'REQUEST_UNKNOWN',
      { id: dev, status: 'executing' },
    ]);
    expect([await count(repo), await pushes()]).toEqual([before + 1, 1]);
    expect(await repo.git('log', '-1', '--format=%s', LEDGER)).toBe(
      'jane@example.com writes 2 events: 2 retried',
    );
    expect(await repo.git('cat-file', '-p', LEDGER)).toContain('gpgsig');
    const log = await worker.requests.audit({ limit: 2, reader: jane });
    expect(log.map(({ event, problems, identity }) => [event, problems, identity])).toEqual([
      ['retried', [], 'verified'],
      ['retried', [], 'verified'],
    ]);
    const again = await janes.requests.retryMany({ actor: jane, ids: [prod, dev] });
    expect(again.map(reasonOf)).toEqual(['REQUEST_NOT_FAILED', 'REQUEST_NOT_FAILED']);
    expect([await count(repo), await pushes()]).toEqual([before + 1, 1]);
    const executed = await worker.rollbacks.executeMany([{ id: prod }, { id: dev }]);
    expect([prod, dev].map((id) => reasonOf(executed.get(id)))).toMatchObject([
      { status: 'completed' },
      { status: 'completed' },
    ]);
    const { checked, honest, ledger } = await worker.audit.verify({});
    expect([checked, honest, ledger.problems]).toEqual([3, 3, []]);
  });

  it('are refused one by one to whoever may not execute them, and as a whole where one is named twice', async () => {
    const { repo, bobs, bob, worker, ids } = stage;
    const [, , prod = '', dev = ''] = ids;
    const before = await count(repo);
    await expect(bobs.requests.retryMany({ actor: bob, ids: [dev, dev] })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    expect(await bobs.requests.retryMany({ actor: bob, ids: [] })).toEqual([]);
    expect(await count(repo)).toBe(before);
    const results = await bobs.requests.retryMany({ actor: bob, ids: [prod, dev] });
    expect(results.map(reasonOf)).toMatchObject(['PERMISSION_DENIED', { id: dev, status: 'executing' }]);
    expect(await count(repo)).toBe(before + 1);
    expect((await worker.requests.show({ id: prod })).status).toBe('failed');
  });
});
