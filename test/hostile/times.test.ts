/** Dates are what their writer says: nobody gets anything by them, and nobody loses a vote by those of others. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../engine/internal.ts';
import { engineOf } from '../helpers/repositories/engine.ts';
import { approvalBy, eventId, fileOf, forgeEvent } from '../helpers/people/forge.ts';
import { temporaryFolder } from '../helpers/repositories/repo.ts';
import { ask, configOf, createTeam, engineFor, POLICY, stageOf } from '../helpers/people/requests.ts';
import { LEDGER } from '../helpers/people/scene.ts';
import { allowedSigners, createIdentity } from '../helpers/people/signing.ts';
import { isProof, someOf } from '../helpers/run/proof.ts';

const team = createTeam();
const BOB = { name: 'bob', email: 'bob@example.com' };
const HOUR = 3_600_000;
const clockAt = (time: number) => ({ now: () => time, sleep: () => Promise.resolve() });
const iso = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');

const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'done',
    (error: unknown) => {
      if (isFailure(error)) return error.code;
      throw error;
    },
  );

const stage = (more: object = {}) =>
  stageOf(team, configOf({ environments: [{ ...POLICY.environments[0], ...more }] }));

/** A worker that believes this list, at this time. */
const workerAt = async (on: Awaited<ReturnType<typeof stage>>, time: number, list = on.signers) =>
  engineOf(on.repo, { allowedSigners: list, clock: clockAt(time) });

describe('the key of an approver that has ended', () => {
  it.each(
    someOf(
      [
        ['of now', null],
        ['from when it was valid', '2024-06-01T00:00:00Z'],
      ],
      1,
    ),
  )('approves nothing with a commit %s', async (_, date) => {
    const on = await stage();
    const list = await allowedSigners([on.jane]);
    await appendFile(list, `${on.bob.email} namespaces="git",valid-before="20250101" ${on.bob.publicKey}\n`);
    const { id, digest } = await ask(on.janes, on.jane);
    const at = date ?? iso(Date.now());
    await forgeEvent(on.repo, id, approvalBy(BOB, digest, at), {
      key: on.bob,
      status: 'approved',
      date: at,
    });
    const worker = await engineOf(on.repo, { allowedSigners: list });
    expect(await codeOf(worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
  });

  it.runIf(isProof)('approves as long as it is valid', async () => {
    const on = await stage();
    const list = await allowedSigners([on.jane]);
    await appendFile(
      list,
      `${on.bob.email} namespaces="git",valid-after="20200101",valid-before="29990101Z" ${on.bob.publicKey}\n`,
    );
    const { id } = await ask(on.janes, on.jane);
    await on.bobs.requests.approve({ id, actor: on.bob });
    const worker = await engineOf(on.repo, { allowedSigners: list });
    expect(await codeOf(worker.requests.executeRequest(id))).toBe('done');
  });
});

describe('a vote after the end of its request', () => {
  it('does not count', async () => {
    const on = await stage({ expiry: '1h' });
    const { id, digest, createdAt } = await ask(on.janes, on.jane);
    const late = iso(Date.parse(createdAt) + 2 * HOUR);
    await forgeEvent(on.repo, id, approvalBy(BOB, digest, late), {
      key: on.bob,
      status: 'approved',
      date: late,
    });
    const worker = await workerAt(on, Date.parse(createdAt) + 3 * HOUR);
    expect(await codeOf(worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
  });

  it.runIf(isProof)(
    'does not count when it is dated back behind what a trusted key signed since',
    async () => {
      const on = await stage({ expiry: '1h' });
      const { id, digest, createdAt } = await ask(on.janes, on.jane);
      const opened = Date.parse(createdAt);
      const later = await engineFor(on.repo, on.carol, {
        allowedSigners: on.signers,
        clock: clockAt(opened + 2 * HOUR),
      });
      await later.requests.note({ id, actor: on.carol, text: 'Is anybody there?', kind: 'note' });
      const early = iso(opened + HOUR / 2);
      await forgeEvent(on.repo, id, approvalBy(BOB, digest, early), {
        key: on.bob,
        status: 'approved',
        date: early,
      });
      const worker = await workerAt(on, opened + 3 * HOUR);
      expect(await codeOf(worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
    },
  );

  it.runIf(isProof)('counts where it came in time, however late it is executed', async () => {
    const on = await stage({ expiry: '1h' });
    const { id, createdAt } = await ask(on.janes, on.jane);
    await on.bobs.requests.approve({ id, actor: on.bob });
    const worker = await workerAt(on, Date.parse(createdAt) + 3 * HOUR);
    expect(await codeOf(worker.requests.executeRequest(id))).toBe('done');
  });
});

describe('an event of another time', () => {
  const note = (actor: { name: string; email: string }, at: string) => ({
    id: eventId(),
    at,
    actor,
    type: 'noted',
    text: 'x',
    kind: 'note',
  });

  it.each(
    someOf(
      [
        ['2100, unsigned', '2100-01-01T00:00:00Z', 'nobody'],
        ['2100, by a key of nobody', '2100-01-01T00:00:00Z', 'stranger'],
        ['2100, by a trusted key', '2100-01-01T00:00:00Z', 'carol'],
        ['1999, unsigned', '1999-01-01T00:00:00Z', 'nobody'],
        ['1999, by a trusted key', '1999-01-01T00:00:00Z', 'carol'],
        ['tomorrow, unsigned', iso(Date.now() + 24 * HOUR), 'nobody'],
        ['an hour ago, unsigned', iso(Date.now() - HOUR), 'nobody'],
      ] as const,
      2,
    ),
  )("voids nobody else's vote: %s", async (_, at, who) => {
    const on = await stage({ expiry: '72h' });
    const stranger = await createIdentity({ name: 'Eve', email: 'eve@example.com' });
    const key = { nobody: undefined, stranger, carol: on.carol }[who];
    const { id } = await ask(on.janes, on.jane);
    const actor = key ?? { name: 'Mallory', email: 'mallory@example.com' };
    const how = { date: at, ...(key && { key }) };
    await forgeEvent(on.repo, id, note({ name: actor.name, email: actor.email }, at), how);
    await on.bobs.requests.approve({ id, actor: on.bob });
    await forgeEvent(on.repo, id, note({ name: actor.name, email: actor.email }, at), {
      ...how,
      status: 'approved',
    });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('done');
  });

  it('does not approve before its time has come', async () => {
    const on = await stage();
    const { id, digest } = await ask(on.janes, on.jane);
    const at = iso(Date.now() + HOUR);
    await forgeEvent(on.repo, id, approvalBy(BOB, digest, at), {
      key: on.bob,
      status: 'approved',
      date: at,
    });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
  });

  it.runIf(isProof)('is never written by a clock that is slow: it is dated as what it follows', async () => {
    const on = await stage();
    const { id, createdAt } = await ask(on.janes, on.jane);
    const behind = (milliseconds: number, who: typeof on.bob) =>
      engineFor(on.repo, who, {
        allowedSigners: on.signers,
        clock: clockAt(Date.parse(createdAt) - milliseconds),
      });
    const slow = await behind(90_000, on.bob);
    await slow.requests.note({ id, actor: on.bob, text: 'Looking.', kind: 'note' });
    const { events } = await fileOf(on.repo, id);
    expect(events.map((event) => event['at'])).toEqual([createdAt, createdAt]);
    // A clock that is far behind cannot tell who is wrong, and its vote counts as of the opening.
    await (await behind(HOUR, on.bob)).requests.approve({ id, actor: on.bob });
    expect(await codeOf(on.worker.requests.executeRequest(id))).toBe('done');
  });
});

describe('a key that is revoked while requests wait', () => {
  it('is judged by whoever settles as by whoever executes, and asked about once', async () => {
    const on = await stage({ quorum: 2 });
    const revoked = join(await temporaryFolder(), 'revoked');
    await writeFile(revoked, '');
    const settings = join(await temporaryFolder(), 'gitconfig');
    await writeFile(settings, `[gpg "ssh"]\n\trevocationFile = ${revoked}\n`);
    const worker = await engineOf(on.repo, {
      allowedSigners: on.signers,
      env: { GIT_CONFIG_GLOBAL: settings },
    });
    const { id } = await ask(on.janes, on.jane);
    await on.bobs.requests.approve({ id, actor: on.bob });
    await worker.requests.reconcile();
    await writeFile(revoked, `${on.bob.publicKey}\n`);
    await on.carols.requests.approve({ id, actor: on.carol });
    for (let round = 0; round < 3; round += 1) {
      expect(await codeOf(worker.requests.executeRequest(id))).toBe('AWAITING_APPROVAL');
      await worker.requests.reconcile();
    }
    const log = await on.repo.git('log', '--format=%(trailers:key=Event,valueonly,separator=)', LEDGER);
    expect(log.split('\n').toReversed()).toEqual(['opened', 'approved', 'approved', 'reopened']);
  });
});

describe('the audit', () => {
  it('goes by the event, and says where the message of its commit is another', async () => {
    const on = await stage();
    const { id } = await ask(on.janes, on.jane);
    const noted = {
      id: eventId(),
      // To the millisecond, as the request: within its second, whole seconds would be earlier.
      at: new Date().toISOString(),
      actor: BOB,
      type: 'noted',
      text: 'fine',
      kind: 'note',
    };
    const { email } = BOB;
    const lie = [
      'jane@example.com approves the rollback of prod/api to v1 (1/1)',
      '',
      'Event: approved',
      `Event-Id: ${noted.id}`,
      'Event-Time: 1999-01-01T00:00:00Z',
      'Event-Request: rbk-00000000000000000000000000',
      'Event-Scope: dev/web',
      'Event-Status: completed',
      '',
    ].join('\n');
    await forgeEvent(on.repo, id, noted, { key: on.bob, message: lie, date: noted.at });
    const since = iso(Date.now() - HOUR);
    const events = await on.janes.requests.audit({ scope: 'prod/api', since, limit: 9, reader: on.jane });
    expect(events).toMatchObject([
      {
        event: 'noted',
        requestId: id,
        scope: 'prod/api',
        status: 'pending',
        actor: { email },
        identity: 'verified',
      },
      { event: 'opened', problems: [] },
    ]);
    expect(events[0]?.problems).toEqual([
      'The commit message says something else than the event: event, at, by, request, scope, status, comment, subject.',
    ]);
    expect(JSON.stringify(events)).not.toContain('approves');
  });

  it('shows a commit that adds no event, and one that is dated back', async () => {
    const on = await stage();
    const { id } = await ask(on.janes, on.jane);
    const tree = `${await on.repo.git('rev-parse', LEDGER)}^{tree}`;
    const stray = await on.repo.git('commit-tree', '-m', 'Event: approved', '-p', LEDGER, tree);
    await on.repo.git('update-ref', LEDGER, stray);
    const at = '1999-01-01T00:00:00Z';
    const old = {
      id: eventId(),
      at,
      actor: { name: 'M', email: 'm@example.com' },
      type: 'noted',
      text: 'x',
      kind: 'note',
    };
    await forgeEvent(on.repo, id, old, { date: at });
    const [dated, odd] = await on.janes.requests.audit({ limit: 9, reader: on.jane });
    expect(dated?.problems).toContain('It is dated earlier than what came before it.');
    expect(Date.parse(dated?.at ?? '')).toBeGreaterThan(Date.now() - HOUR);
    expect(odd).toMatchObject({ commit: stray, event: 'unknown', problems: [expect.any(String)] });
  });
});
