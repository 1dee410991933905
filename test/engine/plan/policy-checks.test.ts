import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../engine/model/index.ts';
import { checkFeatures } from '../../../engine/plan/checks/features.ts';
import { checkRecurring } from '../../../engine/plan/checks/recurring.ts';
import { checkWindows } from '../../../engine/plan/checks/windows.ts';

const owner = { tenant: 'acme', environment: 'production' };
const scope = { mode: 'service', ...owner, service: 'api' } as const;
const policy: Policy = { environments: [], groups: {}, permissions: [] };

describe('WINDOW_CLOSED', () => {
  const window = {
    match: '*/production',
    kind: 'deny',
    cron: '0 18 * * FRI',
    durationMs: 62 * 3_600_000,
    timezone: 'UTC',
    rollbacks: 'bound',
  } as const;
  const at = Date.parse('2026-11-28T12:00:00Z');

  it('blocks a rollback that a freeze binds, and says until when', () => {
    const [finding, ...others] = checkWindows({ ...policy, windows: [window] }, [owner], at);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'WINDOW_CLOSED', severity: 'block' });
    expect(finding?.message).toBe(
      'Changes of acme/production are frozen, until 2026-11-30T08:00Z, rollbacks too.',
    );
  });

  it('only tells of one that rollbacks are exempt from', () => {
    const windows = [{ ...window, rollbacks: 'exempt' as const }];
    expect(checkWindows({ ...policy, windows }, [owner], at)).toMatchObject([{ severity: 'info' }]);
  });

  it('is silent outside of it, and for other environments', () => {
    expect(checkWindows({ ...policy, windows: [window] }, [owner], at + 3 * 86_400_000)).toEqual([]);
    expect(checkWindows({ ...policy, windows: [window] }, [{ ...owner, environment: 'dev' }], at)).toEqual(
      [],
    );
    expect(checkWindows(policy, [owner], at)).toEqual([]);
  });

  it('asks every environment that the rollback changes', () => {
    const owners = [{ tenant: 'acme', environment: 'dev' }, owner];
    expect(checkWindows({ ...policy, windows: [window] }, owners, at)).toMatchObject([{ severity: 'block' }]);
  });
});

describe('MODE_FORBIDDEN', () => {
  it('names the feature, and who may change it', () => {
    const features = { selectiveRollback: ['field'] as const };
    const [finding] = checkFeatures({ ...policy, features }, [owner], scope);
    expect(finding).toMatchObject({ code: 'MODE_FORBIDDEN', severity: 'block' });
    expect(finding?.message).toContain(
      'of a service are switched off for acme/production (feature selective_rollback)',
    );
    expect(finding?.hint).toMatch(/may change \.backtrail\/config\.yaml/);
    expect(checkFeatures({ ...policy, features }, [owner], { mode: 'field' })).toEqual([]);
  });
});

describe('RECURRING', () => {
  const [target, other] = ['a'.repeat(40), 'b'.repeat(40)];
  const now = Date.parse('2026-11-28T12:00:00Z');
  const before = (days: number, to = target) => ({
    requestId: `rbk-${days}`,
    target: to,
    time: new Date(now - days * 86_400_000).toISOString(),
  });

  it('names the requests, from the third time in thirty days on', () => {
    const found = checkRecurring({ scope, target }, [before(1), before(2), before(31), before(3, other)], {
      now,
    });
    expect(found).toMatchObject([{ code: 'RECURRING', severity: 'info' }]);
    expect(found[0]?.message).toMatch(/2 times in 30 days: rbk-1, rbk-2\.$/);
  });

  it('is silent below that', () => {
    expect(checkRecurring({ scope, target }, [before(1), before(31), before(3, other)], { now })).toEqual([]);
    expect(
      checkRecurring({ scope, target }, [before(1), before(2)], { now, limit: { times: 4, days: 30 } }),
    ).toEqual([]);
  });
});
