/** What came after an event of the ledger, for whoever follows it. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../../engine/internal.ts';
import { engineOf, JANE } from '../../../helpers/repositories/engine.ts';
import {
  ask,
  configOf,
  createTeam,
  engineFor,
  POLICY,
  policedRepo,
} from '../../../helpers/people/requests.ts';

const [JANES, BOBS] = ['jane@example.com', 'bob@example.com'];
const RULES = configOf({
  ...POLICY,
  permissions: [
    { allow: ['propose', 'deploy'], users: [JANES, BOBS], in: ['**'] },
    { allow: ['read'], users: ['carol@example.com'], in: ['dev'] },
  ],
});

let engine: Engine;
/** Of each event, oldest first. */
let all: Awaited<ReturnType<Engine['requests']['events']>>;

beforeAll(async () => {
  const { jane, bob, signers } = await createTeam();
  const repo = await policedRepo(RULES);
  const options = { allowedSigners: signers, lives: 'file' } as const;
  const janes = await engineFor(repo, jane, options);
  const bobs = await engineFor(repo, bob, options);
  engine = await engineOf(repo, options);
  const one = await ask(janes, jane);
  const other = await ask(janes, jane, 'dev/api', { propose: true });
  await janes.requests.note({ id: one.id, actor: jane, text: 'Pods crash' });
  await bobs.requests.reviewMany({
    actor: bob,
    decision: 'approved',
    votes: [{ id: one.id }, { id: other.id }],
  });
  all = await engine.requests.events({ after: '0', limit: 100 });
});

describe('events after a position', () => {
  it('are those of the ledger, oldest first, each with a position of its own, as the log of the ledger has them', async () => {
    expect(all.events.map(({ event }) => event)).toEqual([
      'opened',
      'opened',
      'noted',
      'approved',
      'approved',
    ]);
    const positions = all.events.map(({ position }) => position);
    expect(new Set(positions).size).toBe(5);
    const [fourth, fifth] = all.events.slice(3);
    expect(positions.slice(3)).toEqual([`${fourth?.commit}.1`, `${fourth?.commit}.2`]);
    expect(fifth?.commit).toBe(fourth?.commit);
    const log = await engine.requests.audit({ limit: 10, reader: JANE });
    expect(all.events).toEqual(
      log.toReversed().map((entry, index) => ({ position: positions[index], ...entry })),
    );
  });

  it('begin behind any of them, in pieces of any size', async () => {
    for (const limit of [1, 2, 3]) {
      const seen: string[] = [];
      for (let [after, hasMore] = ['0', true]; hasMore; ) {
        const page = await engine.requests.events({ after, limit });
        expect(page.events.length).toBeLessThanOrEqual(limit);
        seen.push(...page.events.map(({ position }) => position));
        ({ position: after, hasMore } = page);
      }
      expect(seen).toEqual(all.events.map(({ position }) => position));
    }
    const newest = await engine.requests.events({ limit: 10 });
    expect(newest).toMatchObject({ events: [], position: all.position, hasMore: false });
  });

  it('come with what the ledger said of each request as of then, and begin at a time, where that is asked for', async () => {
    const { events } = await engine.requests.events({ after: '0', limit: 100, states: true });
    expect(events.map(({ status }) => status)).toEqual(events.map(({ state }) => state?.request?.status));
    expect(events.map(({ state: _state, ...event }) => event)).toEqual(all.events);
    expect(all.environmentOf('prod/api')).toEqual({ environment: 'prod' });
    const early = await engine.requests.events({ since: 0, limit: 1 });
    const late = await engine.requests.events({ since: Date.parse('2100-01-01'), limit: 1 });
    expect([early.position, late.position]).toEqual(['0', all.position]);
  });

  it('refuse what is no position, and one of another ledger', async () => {
    for (const after of ['', '1', 'x.1', `${all.events[0]?.commit}.0`, `${all.events[0]?.commit}`])
      await expect(engine.requests.events({ after, limit: 1 })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      });
    await expect(engine.requests.events({ after: `${'0'.repeat(40)}.1`, limit: 1 })).rejects.toMatchObject({
      code: 'EVENT_UNKNOWN',
    });
  });

  it('are for those who may read them', () => {
    const readers = [
      JANE,
      { name: 'Carol', email: 'carol@example.com' },
      { name: 'X', email: 'x@example.com' },
    ];
    const may = readers.map((reader) => ['prod/api', 'dev/api'].map((scope) => all.mayRead(reader, scope)));
    expect(may).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ]);
  });
});

describe('the overview', () => {
  it('counts what waits, and what ended after a position', async () => {
    const before = await engine.requests.overview();
    expect(before).toMatchObject({ pending: 0, waiting: 2, proposed: 0, position: all.position, ended: [] });
    expect(before.waitingSince).toBe(all.events[3]?.at);
    await engine.rollbacks.executeMany(
      all.events.slice(0, 2).map(({ requestId }) => ({ id: requestId ?? '' })),
    );
    const { ended, ...after } = await engine.requests.overview({ after: before.position });
    expect(after).toMatchObject({ pending: 0, waiting: 0, waitingSince: null });
    expect(ended).toEqual(
      Array.from({ length: 2 }, () => ({
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
        mode: 'service',
        outcome: 'completed',
        seconds: expect.any(Number),
      })),
    );
    expect(new Set(ended.map(({ commit }) => commit)).size).toBe(1);
  });
});
