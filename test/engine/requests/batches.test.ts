/** Several events in one commit of the ledger: what one person, or a worker, writes at once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Engine, Person } from '../../../engine/internal.ts';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import { eventId, fileOf, forge, print, TIME } from '../../helpers/people/forge.ts';
import type { Repo } from '../../helpers/repositories/repo.ts';
import { engineOf } from '../../helpers/repositories/engine.ts';
import { ask, configOf, createTeam, engineFor, stageOf } from '../../helpers/people/requests.ts';
import { LEDGER } from '../../helpers/people/scene.ts';
import type { Identity } from '../../helpers/people/signing.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';

const team = createTeam();
const SCOPES = ['prod/api', 'dev/api', 'prod', 'dev'];
const EVERYWHERE = configOf({ environments: [{ match: '*', quorum: 1, expiry: '24h' }] });
const DAY = 86_400_000;

/** Requests that nobody decided on in time, four of them. */
async function overdue(scopes = SCOPES) {
  const stage = await stageOf(team, EVERYWHERE);
  const { repo, jane, signers } = stage;
  const clock = { now: () => Date.now() - 3 * DAY, sleep: () => Promise.resolve() };
  const before = await engineFor(repo, jane, { allowedSigners: signers, clock });
  const ids: string[] = [];
  for (const scope of scopes) ids.push((await ask(before, jane, scope)).id);
  return { ...stage, ids };
}

/** For tests that have a scope of their own. */
let shared: Awaited<ReturnType<typeof stageOf>>;
beforeAll(async () => {
  shared = await stageOf(team, EVERYWHERE, {
    lives: 'file',
    scopes: ['prod/newer', 'prod/clock', 'dev/clock'],
  });
});

const count = async (repo: Repo) => Number(await repo.git('rev-list', '--count', LEDGER));
const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'nothing',
    (error: { code?: string }) => error.code,
  );

describe('what a worker finds out about several requests', () => {
  it('is not written of one that people have decided on anew while it waited for its turn to push', async () => {
    const { repo, jane, bob, janes, bobs, worker, signers } = await stageOf(team, EVERYWHERE);
    const ids: string[] = [];
    for (const scope of ['prod/api', 'dev/api']) ids.push((await ask(janes, jane, scope)).id);
    for (const id of ids) await bobs.requests.approve({ id, actor: bob });
    await repo.commit({ 'apps/prod/api/app.yaml': 'image: v3\n', 'apps/dev/api/app.yaml': 'image: v3\n' });
    const [first = '', second = ''] = ids;
    const other = await engineOf(repo, { allowedSigners: signers });
    const turn = async () => {
      expect(await codeOf(other.requests.executeRequest(first))).toBe('PLAN_CHANGED');
      await bobs.requests.approve({ id: first, actor: bob });
    };
    const results = await worker.requests.executeRequests(
      ids.map((id) => ({ id })),
      { turn },
    );
    for (const id of ids) expect(results.get(id)).toMatchObject({ reason: { code: 'PLAN_CHANGED' } });
    expect((await janes.requests.show({ id: first })).status).toBe('approved');
    expect((await janes.requests.show({ id: second })).status).toBe('pending');
  });

  it('is one commit, which says what it is, and is read as events of each', async () => {
    const { repo, jane, janes, worker, ids } = await overdue();
    const before = await count(repo);
    const { repairs } = await worker.requests.reconcile();
    expect(
      repairs
        .map(({ requestId, action }) => [requestId, action])
        .map(String)
        .toSorted(),
    ).toEqual(ids.map((id) => String([id, 'expired'])).toSorted());
    expect(await count(repo)).toBe(before + 1);
    const message = await repo.git('log', '-1', '--format=%B', LEDGER);
    expect(message.split('\n')[0]).toBe('backtrail@localhost writes 4 events: 4 expired');
    expect(message).toMatch(/^Event-Form: 2\nEvents: 4\n/m);
    expect(message).toContain('    backtrail@localhost lets the request for a rollback of dev/api to v1');
    expect(await repo.git('diff-tree', '-r', '--name-only', '--no-commit-id', LEDGER)).toBe(
      ids
        .map((id) => requestPath(id))
        .toSorted()
        .join('\n'),
    );
    for (const id of ids) expect(await janes.requests.show({ id })).toMatchObject({ status: 'expired' });
    const log = await janes.requests.audit({ limit: 6, reader: jane });
    expect(log.map(({ event, problems }) => [event, problems])).toEqual([
      ...Array.from({ length: 4 }, () => ['expired', []]),
      ...Array.from({ length: 2 }, () => ['opened', []]),
    ]);
    expect(new Set(log.slice(0, 4).map(({ requestId }) => requestId))).toEqual(new Set(ids));
    expect(new Set(log.slice(0, 4).map(({ commit }) => commit)).size).toBe(1);
    await repo.git('fsck', '--strict');
  });

  it.runIf(isProof)('goes on with events of one commit each, in the form that they always had', async () => {
    const { repo, jane, janes, worker, ids } = await overdue();
    await worker.requests.reconcile();
    const [id = ''] = ids;
    await janes.requests.note({ id, actor: jane, text: 'Too late' });
    expect(await repo.git('log', '-1', '--format=%(trailers:key=Event,valueonly)', LEDGER)).toBe('noted\n');
    expect(await repo.git('log', '-1', '--format=%B', LEDGER)).not.toContain('Event-Form');
    expect(await janes.requests.show({ id })).toMatchObject({
      status: 'expired',
      notes: [{ text: 'Too late' }],
    });
    expect(await worker.requests.reconcile()).toEqual({ repairs: [], waiting: [] });
  });

  it('stays an event a commit where a request gives way to another one, for older programs', async () => {
    const { repo, jane, janes } = shared;
    await ask(janes, jane, 'prod/newer');
    const before = await count(repo);
    await ask(janes, jane, 'prod/newer');
    expect(await count(repo)).toBe(before + 2);
    expect(await repo.git('log', '--format=%B', LEDGER)).not.toContain('Event-Form');
  });
});

it('a list does not go on after a request that its reader may not read, or say that there is one', async () => {
  const permissions = [
    { allow: ['admin'], users: ['jane@example.com'], in: ['*'] },
    { allow: ['read'], users: ['bob@example.com'], in: ['dev'] },
  ];
  const { jane, bob, janes } = await stageOf(team, configOf({ permissions }));
  const { id } = await ask(janes, jane, 'prod/api');
  const after = (reader: Person) => codeOf(janes.requests.list({ reader, after: id }));
  expect([await after(jane), await after(bob)]).toEqual(['nothing', 'REQUEST_UNKNOWN']);
});

interface Forging {
  readonly repo: Repo;
  readonly ids: readonly string[];
  readonly by: Identity;
}

/** A commit of several notes, as a person with a key could write it. `change`: of its message. */
async function forgeNotes({ repo, ids, by }: Forging, change: (lines: string[]) => string[]): Promise<void> {
  const files: Record<string, string> = {};
  const items: string[] = [];
  const actor: Person = { name: by.name, email: by.email };
  for (const id of ids.toSorted((one, other) => (requestPath(one) < requestPath(other) ? -1 : 1))) {
    const { events, ...file } = await fileOf(repo, id);
    const note = { id: eventId(), at: TIME, actor, type: 'noted', text: 'x', kind: 'note' };
    files[requestPath(id)] = print({ ...file, events: [...events, note] });
    items.push(`Event-Item: noted ${note.id} ${id}`);
  }
  const head = ['Event-Form: 2', `Events: ${items.length}`, `Event-Time: ${TIME}`];
  const trailers = change([...head, `Event-Actor: ${actor.name} <${actor.email}>`, ...items]);
  const message = `${actor.email} notes\n\n${trailers.join('\n')}\n`;
  await forge(repo, { files, author: actor, message, key: by });
}

const shown = (engine: Engine, ids: readonly string[]) =>
  Promise.all(ids.map((id) => codeOf(engine.requests.show({ id }))));

describe('a commit of several events', () => {
  const forged = async (change: (lines: string[]) => string[]) => {
    const stage = await overdue(SCOPES.slice(0, 3));
    await forgeNotes({ repo: stage.repo, ids: stage.ids.slice(0, 2), by: stage.bob }, change);
    return stage;
  };

  it('is taken as it is where it is as Backtrail would write it', async () => {
    const { worker, ids } = await forged((lines) => lines);
    expect(await shown(worker, ids)).toEqual(['nothing', 'nothing', 'nothing']);
  });

  it.each(
    someOf<[string, (lines: string[]) => string[]]>(
      [
        ['names one event less than it has files', (lines) => lines.slice(0, -1)],
        [
          'counts others than it names',
          (lines) => lines.map((line) => line.replace('Events: 2', 'Events: 3')),
        ],
        [
          'names another event',
          (lines) => lines.map((line) => line.replace(/noted evt-\S+/, `noted ${eventId()}`)),
        ],
        ['names another kind of event', (lines) => lines.map((line) => line.replace('noted', 'approved'))],
        ['names an event twice', (lines) => [...lines.slice(0, -1), lines.at(-2) ?? '', lines.at(-1) ?? '']],
        ['names its form twice', (lines) => ['Event-Form: 1', ...lines]],
        ['has a form that is no number', (lines) => ['Event-Form: x', ...lines.slice(1)]],
        ['says the form of one event', (lines) => ['Event-Form: 1', ...lines.slice(1)]],
      ],
      1,
    ),
  )('is tampering where it %s', async (_, change) => {
    const { worker, ids, jane } = await forged(change);
    expect((await shown(worker, ids)).slice(0, 2)).toContain('LEDGER_TAMPERED');
    expect((await shown(worker, ids)).slice(2)).toEqual(['nothing']);
    const [newest] = await worker.requests.audit({ limit: 1, reader: jane });
    expect(newest?.problems).not.toEqual([]);
  });

  it.runIf(isProof)('of a later form is for a newer program to read, and no tampering', async () => {
    const { worker, ids, jane } = await forged((lines) => ['Event-Form: 3', ...lines.slice(1)]);
    expect(await shown(worker, ids)).toEqual(['LEDGER_NEWER', 'LEDGER_NEWER', 'nothing']);
    expect(await codeOf(worker.requests.list({ reader: jane }))).toBe('LEDGER_NEWER');
    expect(await codeOf(worker.requests.audit({ limit: 9, reader: jane }))).toBe('LEDGER_NEWER');
    expect(await codeOf(worker.requests.executeRequest(ids[0] ?? ''))).toBe('LEDGER_NEWER');
  });

  it.runIf(isProof)('of files of a later form is for a newer program to read, too', async () => {
    const { repo, bob, worker, ids, jane } = await overdue();
    const [id = ''] = ids;
    const { version: _, ...file } = await fileOf(repo, id);
    const files = { [requestPath(id)]: print({ version: 99, ...file, shape: 'new' }) };
    await forge(repo, { files, author: bob, message: 'new\n\nEvent-Form: 3\n', key: bob });
    expect(await codeOf(worker.requests.show({ id }))).toBe('LEDGER_NEWER');
    expect(await codeOf(worker.requests.reconcile())).toBe('LEDGER_NEWER');
    expect(await codeOf(worker.requests.audit({ limit: 9, reader: jane }))).toBe('LEDGER_NEWER');
  });
});

describe('requests that are opened', () => {
  it('by a clock that is behind the newest event are as old as that', async () => {
    const { repo, jane, janes, signers } = shared;
    await ask(janes, jane, 'prod/clock');
    const clock = { now: () => Date.now() - 60_000, sleep: () => Promise.resolve() };
    const slow = await engineFor(repo, jane, { allowedSigners: signers, clock });
    const { id } = await ask(slow, jane, 'dev/clock');
    const { events } = await fileOf(repo, id);
    const [{ at, proposal } = {}] = z
      .array(z.looseObject({ at: z.string(), proposal: z.looseObject({ createdAt: z.string() }) }))
      .parse(events);
    expect(proposal?.createdAt).toBe(at);
    expect(Date.parse(at ?? '')).toBeGreaterThan(Date.now() - 50_000);
  });

  it('together while a second ends are of the same second', async () => {
    const { repo, jane, signers } = await stageOf(team, EVERYWHERE);
    let now = Date.now() - 60_000;
    const clock = { now: () => (now += 1000), sleep: () => Promise.resolve() };
    const ticking = await engineFor(repo, jane, { allowedSigners: signers, clock });
    const asks = [];
    for (const scope of ['prod/api', 'dev/api']) {
      const { target, digest } = await ticking.rollbacks.plan({ scope, author: jane });
      asks.push({ scope, target, digest, author: jane, reason: 'It answers 500' });
    }
    const results = await ticking.rollbacks.requestMany(asks);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await count(repo)).toBe(1);
  });
});
