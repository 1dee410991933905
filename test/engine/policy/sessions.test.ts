/** What a break-glass session covers. */
import { describe, expect, it } from 'vitest';
import { sessionCovers } from '../../../engine/policy/policy.ts';
import { BOB, JANE, OPEN } from './policies.ts';

describe('sessionCovers', () => {
  const session = {
    scope: 'acme/production',
    holder: { name: 'Jane', email: JANE },
    expiresAt: '2026-11-20T11:00:00.000Z',
    closed: null,
  };
  const covers = (
    scope: string,
    rest: { person?: string; at?: string } = {},
    other: Partial<typeof session> = {},
  ) =>
    sessionCovers(
      OPEN,
      { ...session, ...other },
      { scope, person: JANE, at: '2026-11-20T10:30:00Z', ...rest },
    );

  it('covers its environment and the services in it', () => {
    expect(['acme/production', 'acme/production/api'].map((scope) => covers(scope))).toEqual([true, true]);
    for (const other of ['acme/production2', 'acme/production2/api', 'acme/staging', 'acme', 'production'])
      expect(covers(other)).toBe(false);
  });

  it('covers nothing beside a service, nor the environment around it', () => {
    const service = { scope: 'acme/production/api' };
    expect(covers('acme/production/api', {}, service)).toBe(true);
    for (const other of ['acme/production', 'acme/production/api2', 'acme/production/web'])
      expect(covers(other, {}, service)).toBe(false);
  });

  it('covers its holder only, until it ends or is closed', () => {
    expect(covers('acme/production', { person: 'JANE@example.com' })).toBe(true);
    expect(covers('acme/production', { person: BOB })).toBe(false);
    expect(covers('acme/production', { at: '2026-11-20T11:00:00Z' })).toBe(false);
    expect(covers('acme/production', { at: '2026-11-20T12:59:00+02:00' })).toBe(true);
    expect(covers('acme/production', {}, { expiresAt: 'never' })).toBe(false);
    const closed = { at: '2026-11-20T10:10:00Z', actor: session.holder };
    expect(
      sessionCovers(
        OPEN,
        { ...session, closed },
        { scope: 'acme/production', person: JANE, at: '2026-11-20T10:05:00Z' },
      ),
    ).toBe(false);
  });
});
