import { describe, expect, it } from 'vitest';
import { matchesEnvironment } from '../../../engine/request/policy.ts';

const acme = { tenant: 'acme', environment: 'production' };

describe('matchesEnvironment', () => {
  it('matches names whole, and stars inside a name only', () => {
    expect(matchesEnvironment('acme/production', acme)).toBe(true);
    expect(matchesEnvironment('*/prod*', acme)).toBe(true);
    expect(matchesEnvironment('acme/prod', acme)).toBe(false);
    expect(matchesEnvironment('*', acme)).toBe(false);
    expect(matchesEnvironment('*', { environment: 'production' })).toBe(true);
    expect(matchesEnvironment('**', acme)).toBe(true);
  });
});
