import { describe, expect, it } from 'vitest';
import { combine, stateOf, timeText, withDeadlines, worstState } from '../../../engine/live/combine.ts';
import type { LiveState, Observation } from '../../../engine/model/index.ts';
import { rule, target } from './observers/seen.ts';

const MINUTE = 60_000;
const of = target({ rule: rule({ kubernetes: { namespace: null } }) });
const published = Date.parse(of.since);
const observation = (state: LiveState, more: Partial<Observation> = {}): Observation => ({
  source: 'kubernetes',
  cluster: 'prod-eu',
  object: 'Deployment acme/api',
  state,
  revision: null,
  message: 'It is so.',
  observedAt: of.since,
  ...more,
});

describe('deadlines', () => {
  const late = (state: LiveState, minutes: number) =>
    withDeadlines(
      { target: of, observations: [observation(state, { code: 'OUT_OF_SYNC' })] },
      published + minutes * MINUTE,
    )[0];

  it('are of what may still come, and say since when', () => {
    expect(late('progressing', 12)).toMatchObject({
      state: 'degraded',
      code: 'DEADLINE',
      message: 'It is so. It was published 12m ago, and is given 10m.',
    });
    expect(late('pending', 75)).toMatchObject({
      state: 'unconfirmed',
      code: 'NOT_SEEN',
      message: 'It is so. It was published 1h 15m ago, and is given 10m.',
    });
  });

  it.each(['live', 'degraded', 'unconfirmed', 'overtaken'] as const)('say nothing of what is %s', (state) => {
    expect(late(state, 60)).toEqual(observation(state, { code: 'OUT_OF_SYNC' }));
  });

  it('have to pass', () => {
    expect(late('progressing', 10)?.state).toBe('progressing');
    expect(
      withDeadlines(
        { target: { ...of, since: 'soon' }, observations: [observation('pending')] },
        published * 2,
      ),
    ).toEqual([observation('pending')]);
  });

  it('leave room for themselves', () => {
    const [long] = withDeadlines(
      { target: of, observations: [observation('pending', { message: 'x'.repeat(300) })] },
      published + 11 * MINUTE,
    );
    expect(long?.message).toHaveLength(300);
    expect(long?.message).toMatch(/x… It was published 11m ago, and is given 10m\.$/);
  });
});

describe('the worst', () => {
  it.each([
    [['live', 'degraded', 'progressing', 'pending', 'unconfirmed'], 'degraded'],
    [['live', 'progressing', 'pending', 'unconfirmed'], 'progressing'],
    [['live', 'pending', 'unconfirmed'], 'pending'],
    [['live', 'overtaken', 'unconfirmed'], 'unconfirmed'],
    [['live', 'overtaken'], 'overtaken'],
    [['live', 'live'], 'live'],
    [[], null],
  ] as const)('of %j is %s', (states, worst) => {
    expect(worstState(states)).toBe(worst);
  });
});

describe('one target', () => {
  it('is overtaken whatever others say of what runs there', () => {
    expect(stateOf([observation('degraded'), observation('overtaken', { source: 'argocd' })])).toBe(
      'overtaken',
    );
  });

  it('is live where who applied it knows nothing of health, and who looks at it does', () => {
    const applied = observation('unconfirmed', { source: 'flux', code: 'HEALTH_UNKNOWN' });
    expect(stateOf([applied])).toBe('unconfirmed');
    expect(stateOf([applied, observation('live')])).toBe('live');
    expect(stateOf([applied, observation('live'), observation('progressing')])).toBe('progressing');
    expect(stateOf([applied, observation('live'), observation('unconfirmed')])).toBe('unconfirmed');
  });

  it('is what nobody knows where nobody observes it', () => {
    expect(stateOf([])).toBeNull();
  });
});

it('has no deadline for what goes on after the revision has arrived, such as being scaled', () => {
  const arrived = { target: { ...of, hasArrived: true }, observations: [observation('progressing')] };
  expect(combine([arrived], published + 11 * MINUTE).state).toBe('progressing');
  const gone = { ...arrived, observations: [observation('pending')] };
  expect(combine([gone], published + 11 * MINUTE).state).toBe('unconfirmed');
});

describe('several targets', () => {
  it('of one service are taken together: where a later revision runs, its objects are not pending', () => {
    const both = [
      { target: of, observations: [observation('overtaken')] },
      { target: of, observations: [observation('pending')] },
    ];
    expect(combine(both, published).state).toBe('overtaken');
  });

  it('are as bad as the worst, and all is told', () => {
    const two = [
      { target: { ...of, service: 'web' }, observations: [observation('overtaken')] },
      { target: of, observations: [observation('live'), observation('pending')] },
    ];
    const both = combine(two, published);
    expect(both.state).toBe('pending');
    expect(both.live.map(({ state }) => state)).toEqual(['overtaken', 'live', 'pending']);
    expect(combine(two, published + 11 * MINUTE)).toMatchObject({ state: 'unconfirmed' });
    expect(combine([], published)).toEqual({ state: null, live: [] });
  });
});

it('tells times by their two largest units', () => {
  expect([0, 999, 61_000, 3_600_000, 90_061_000].map(timeText)).toEqual(['0s', '0s', '1m 1s', '1h', '1d 1h']);
});
