/** Who is the same person: emails that look alike, and several of one person. */
import { describe, expect, it } from 'vitest';
import { judgeCommitter } from '../../../engine/git/signing/committer.ts';
import { emailKey, type Policy } from '../../../engine/model/index.ts';
import { hasPermission, members, samePerson } from '../../../engine/policy/policy.ts';
import { vouchedBy } from '../../../engine/policy/vouched.ts';
import { BOB, JANE, OPEN, PLACE, review, verdict } from './policies.ts';

describe('emails that look alike', () => {
  const KATE = 'kate@example.com';
  // In lower case the Kelvin sign is a k.
  const KELVIN = '\u212aate@example.com';

  it('are those of different people, for permissions, votes and keys', () => {
    expect(samePerson(KATE, KELVIN)).toBe(false);
    expect(samePerson(KATE, ' KATE@Example.COM ')).toBe(true);
    const grant = { allow: ['deploy'] as const, users: [KATE], groups: [], in: ['**'] };
    const policy: Policy = { ...OPEN, permissions: [grant] };
    expect(hasPermission(policy, { email: KELVIN }, 'deploy', PLACE)).toBe(false);
    expect(verdict([review(KELVIN), review(KATE)], { quorum: 2 }, policy).have).toBe(1);
    const signature = { state: 'good', principals: [KATE], served: [['k*@example.com']], key: null } as const;
    expect(vouchedBy(signature, KELVIN)).toBe(null);
    expect(vouchedBy(signature, 'Kate@example.com')).toBe('person');
    expect(vouchedBy(signature, 'Karl@example.com')).toBe('server');
    expect(judgeCommitter(signature, { email: KELVIN }).verdict).toBe('other');
    expect(judgeCommitter(signature, { email: 'KATE@example.com' }).verdict).toBe('signed');
  });

  it('no character but a letter of ASCII is compared as one', () => {
    const folded = [];
    for (let code = 0x80; code <= 0x1ffff; code += 1) {
      const letter = String.fromCodePoint(code);
      if (/[\0-\x7f]/.test(emailKey(`x${letter}x`).slice(1, -1))) folded.push(code);
    }
    expect(folded).toEqual([]);
    expect('\u212a'.toLowerCase()).toBe('k');
  });
});

describe('several emails of one person', () => {
  const people = [[JANE, 'Jane.Doe@corp.example']];
  const joined: Policy = { ...OPEN, people };

  it('are one vote, and one author', () => {
    const votes = [review(BOB), review('jane.doe@corp.example'), review(JANE)];
    expect(verdict(votes, { quorum: 2 }, joined)).toMatchObject({ have: 1, satisfied: false });
    expect(verdict(votes, { quorum: 2, selfApproval: true }, joined).have).toBe(2);
    expect(verdict(votes, { quorum: 2 }).have).toBe(2);
  });

  it('have the permissions of each, and are named by the first', () => {
    const grant = { allow: ['deploy'] as const, users: ['jane.doe@corp.example'], groups: [], in: ['**'] };
    const policy: Policy = { ...joined, permissions: [grant] };
    for (const email of [JANE, 'JANE.DOE@corp.example'])
      expect(hasPermission(policy, { email }, 'deploy', PLACE)).toBe(true);
    expect(hasPermission({ ...policy, people: [] }, { email: JANE }, 'deploy', PLACE)).toBe(false);
    expect(members(policy, grant)).toEqual([JANE]);
    expect(samePerson(JANE, 'jane.doe@corp.example', policy)).toBe(true);
    expect(samePerson(JANE, 'jane.doe@corp.example')).toBe(false);
  });
});
