/** Which rules a policy has for an environment, and who may do what there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Grant, PERMISSIONS, type Policy } from '../../../engine/model/index.ts';
import {
  matchesEnvironment,
  hasPermission,
  members,
  policyFor,
  samePerson,
} from '../../../engine/policy/policy.ts';
import { cpuSeconds } from '../../helpers/run/soon.ts';
import { BOB, CAROL, OPEN, PLACE, RULE } from './policies.ts';

describe('matchesEnvironment', () => {
  it('matches names whole, and stars inside a name only', () => {
    expect(matchesEnvironment('acme/production', PLACE)).toBe(true);
    expect(matchesEnvironment('*/prod*', PLACE)).toBe(true);
    expect(matchesEnvironment('**', PLACE)).toBe(true);
    for (const other of ['acme/prod', 'acme/Production', 'acme/production2', '*', '*/*/*', 'acme', 'a/*'])
      expect(matchesEnvironment(other, PLACE)).toBe(false);
    expect(matchesEnvironment('prod*', { environment: 'production' })).toBe(true);
    expect(matchesEnvironment('*/*', { environment: 'production' })).toBe(false);
  });

  it('takes every letter but the star as itself', () => {
    expect(matchesEnvironment('p.od', { environment: 'prod' })).toBe(false);
    expect(matchesEnvironment('(a+)+', { environment: 'aaa' })).toBe(false);
  });

  it('agrees with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    fc.assert(
      fc.property(text, name, (pattern, environment) => {
        const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
        const expected = pattern === '**' || new RegExp(`^${parts.join('[^/]*')}$`).test(environment);
        expect(matchesEnvironment(pattern, { environment })).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no time over a pattern made to take it', () => {
    const started = cpuSeconds();
    expect(matchesEnvironment(`${'a*'.repeat(250)}b`, { environment: 'a'.repeat(100_000) })).toBe(false);
    expect(cpuSeconds() - started).toBeLessThan(30);
  });
});

describe('policyFor', () => {
  it('is the first entry that matches, or none', () => {
    const environments = [
      { ...RULE, match: '*/staging' },
      { ...RULE, match: 'acme/*', quorum: 2 },
      { ...RULE, match: '**', quorum: 3 },
    ];
    expect(policyFor({ ...OPEN, environments }, PLACE)?.quorum).toBe(2);
    expect(policyFor({ ...OPEN, environments: environments.slice(0, 1) }, PLACE)).toBeNull();
  });
});

describe('may', () => {
  const grant = (rest: Partial<Grant>): Grant => ({
    allow: ['deploy'],
    users: [],
    groups: [],
    in: ['**'],
    ...rest,
  });
  const granted = (...permissions: Grant[]): Policy => ({
    ...OPEN,
    groups: { sre: [' BOB@example.com'] },
    permissions,
  });
  const bob = { email: BOB };

  it('allows everything to everybody until something is granted to a person', () => {
    expect(PERMISSIONS.every((permission) => hasPermission(OPEN, bob, permission, PLACE))).toBe(true);
    const policy = granted(grant({ users: [CAROL] }));
    expect(PERMISSIONS.filter((permission) => hasPermission(policy, bob, permission, PLACE))).toEqual([]);
  });

  it('adds grants up, of groups and of people, and takes no notice of case', () => {
    const policy = granted(
      grant({ groups: ['sre'] }),
      grant({ allow: ['propose'], users: ['Bob@Example.COM '] }),
    );
    expect(PERMISSIONS.filter((permission) => hasPermission(policy, bob, permission, PLACE))).toEqual([
      'read',
      'propose',
      'record',
      'deploy',
    ]);
  });

  it('grants in the places named only', () => {
    const policy = granted(grant({ users: [BOB], in: ['acme/staging', '*/dev'] }));
    expect(hasPermission(policy, bob, 'deploy', PLACE)).toBe(false);
    expect(hasPermission(policy, bob, 'deploy', { tenant: 'globex', environment: 'dev' })).toBe(true);
  });

  it('holds all permissions in `admin`, and in no other', () => {
    expect(
      PERMISSIONS.every((one) =>
        hasPermission(granted(grant({ allow: ['admin'], users: [BOB] })), bob, one, PLACE),
      ),
    ).toBe(true);
    expect(hasPermission(granted(grant({ users: [BOB] })), bob, 'admin', PLACE)).toBe(false);
  });

  it('gives nothing to a group that is not there, whatever its name', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(hasPermission(granted(grant({ groups: [name] })), bob, 'deploy', PLACE)).toBe(false);
  });
});

describe('members', () => {
  it('names each person once, in lower case', () => {
    const policy = { ...OPEN, groups: { a: ['X@y', 'z@y'], b: ['z@Y'] } };
    expect(members(policy, { users: ['x@y'], groups: ['a', 'b', 'missing'] })).toEqual(['x@y', 'z@y']);
    expect(samePerson(' A@B ', 'a@b')).toBe(true);
    expect(samePerson('a@b', 'a@b.c')).toBe(false);
  });
});
