import { describe, expect, it } from 'vitest';
import type { ChangeWindow, Policy } from '../../../engine/model/index.ts';
import { featuresOf, forbiddenBy } from '../../../engine/policy/features.ts';
import { cronProblem, freezesAt, timezoneProblem } from '../../../engine/policy/windows.ts';

const HOUR = 3_600_000;
const production = { tenant: 'acme', environment: 'production' };
const weekend: ChangeWindow = {
  match: '*/production',
  kind: 'deny',
  cron: '0 18 * * FRI',
  durationMs: 62 * HOUR,
  timezone: 'Europe/Berlin',
  rollbacks: 'bound',
};

const policy = (...windows: ChangeWindow[]): Policy => ({
  environments: [],
  groups: {},
  permissions: [],
  windows,
});
const frozen = (time: string, ...windows: ChangeWindow[]) =>
  freezesAt(policy(...windows), production, Date.parse(time)).map(({ until }) =>
    until === null ? null : new Date(until).toISOString(),
  );

describe('a window that denies', () => {
  it.each([
    ['2026-11-27T16:59:59Z', []],
    ['2026-11-27T17:00:00Z', ['2026-11-30T07:00:00.000Z']],
    ['2026-11-30T06:59:59Z', ['2026-11-30T07:00:00.000Z']],
    ['2026-11-30T07:00:00Z', []],
    // In summer, 18:00 in Berlin is 16:00 in UTC.
    ['2026-07-03T16:00:00Z', ['2026-07-06T06:00:00.000Z']],
    ['2026-07-03T15:59:59Z', []],
    // The clocks go back on that Sunday; the window is 62 hours long all the same.
    ['2026-10-23T16:00:00Z', ['2026-10-26T06:00:00.000Z']],
  ])('at %s covers until %j', (time, until) => {
    expect(frozen(time, weekend)).toEqual(until);
  });

  it('that overlaps itself lasts until its newest one ends', () => {
    const daily = { ...weekend, cron: '0 0 * * *', timezone: 'UTC', durationMs: 36 * HOUR };
    expect(frozen('2026-11-28T06:00:00Z', daily)).toEqual(['2026-11-29T12:00:00.000Z']);
  });

  it('is of the environments that it matches alone', () => {
    const at = Date.parse('2026-11-28T00:00:00Z');
    expect(freezesAt(policy(weekend), { tenant: 'acme', environment: 'staging' }, at)).toEqual([]);
    expect(freezesAt(policy({ ...weekend, match: '**' }), { environment: 'staging' }, at)).toHaveLength(1);
  });

  it('comes first where it binds rollbacks', () => {
    const exempt: ChangeWindow = { ...weekend, rollbacks: 'exempt' };
    const found = freezesAt(policy(exempt, weekend), production, Date.parse('2026-11-28T00:00:00Z'));
    expect(found.map(({ window }) => window.rollbacks)).toEqual(['bound', 'exempt']);
  });
});

describe('windows that allow', () => {
  const office: ChangeWindow = {
    ...weekend,
    kind: 'allow',
    cron: '0 9 * * MON-FRI',
    durationMs: 8 * HOUR,
    timezone: 'UTC',
  };
  it.each([
    ['2026-11-27T10:00:00Z', []],
    ['2026-11-27T17:00:00Z', ['2026-11-30T09:00:00.000Z']],
    ['2026-11-28T10:00:00Z', ['2026-11-30T09:00:00.000Z']],
  ])('freeze what is outside of them: at %s until %j', (time, until) => {
    expect(frozen(time, office)).toEqual(until);
  });

  it('bind rollbacks only where all of them do', () => {
    const at = Date.parse('2026-11-28T10:00:00Z');
    const found = freezesAt(policy(office, { ...office, rollbacks: 'exempt' }), production, at);
    expect(found.map(({ window }) => window.rollbacks)).toEqual(['exempt']);
  });
});

it.each(['', 'x', '* * * *', '0 0 * * * *', '99 * * * *', '0 0 31 2 *', '@daily; rm'])(
  '%j is no cron',
  (text) => {
    expect(cronProblem(text)).toMatch(/five fields|never comes/);
  },
);
it.each(['*/5 * * * *', '0 18 * * FRI', '0 0 1 JAN *'])('%j is one', (text) => {
  expect(cronProblem(text)).toBeNull();
});
it('knows time zones', () => {
  expect([timezoneProblem('Europe/Berlin'), timezoneProblem('UTC')]).toEqual([null, null]);
  expect(timezoneProblem('Mars/Olympus')).toMatch(/time zone/);
});

describe('features', () => {
  const of = (policy: Partial<Policy>) =>
    featuresOf({ environments: [], groups: {}, permissions: [], ...policy }, production);
  it('are all on until something is switched off', () => {
    expect((['full', 'service', 'field'] as const).map((mode) => forbiddenBy(of({}), mode))).toEqual([
      null,
      null,
      null,
    ]);
  });

  it.each([
    [{ rollback: false }, ['rollback', 'rollback', 'rollback']],
    [{ basicRollback: false }, ['basic_rollback', null, null]],
    [{ selectiveRollback: ['service'] as const }, [null, null, 'selective_rollback']],
    [{ selectiveRollback: [] }, [null, 'selective_rollback', 'selective_rollback']],
  ])('%j forbids by name %j', (features, names) => {
    expect(
      (['full', 'service', 'field'] as const).map((mode) => forbiddenBy(of({ features }), mode)),
    ).toEqual(names);
  });
});
