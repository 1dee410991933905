import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeCommitter } from '../../../engine/git/signing/committer.ts';
import {
  emailKey,
  type EnvironmentPolicy,
  type Grant,
  PERMISSIONS,
  type Policy,
  type Review,
} from '../../../engine/model/index.ts';
import {
  approversOf,
  evaluateReviews,
  matchesEnvironment,
  hasPermission,
  mayApprove,
  members,
  policyFor,
  samePerson,
  unsatisfiableReason,
  sessionCovers,
} from '../../../engine/policy/policy.ts';
import { vouchedBy } from '../../../engine/policy/vouched.ts';
import { cpuSeconds } from '../../helpers/run/soon.ts';

const PLACE = { tenant: 'acme', environment: 'production' };
const RULE: EnvironmentPolicy = {
  match: '**',
  quorum: 1,
  selfApproval: false,
  approvers: null,
  rejections: 1,
  expiryMs: 1000,
  unsignedApprovals: false,
  unsignedRequests: null,
  bind: 'digest',
  breakGlass: null,
};
const OPEN: Policy = { environments: [], groups: {}, permissions: [] };
const [JANE, BOB, CAROL] = ['jane@example.com', 'bob@example.com', 'carol@example.com'];

type Seen = Review & { readonly verified: boolean };

const review = (actor: string, rest: Partial<Seen> = {}): Seen => ({
  id: `evt-${actor}-${JSON.stringify(rest)}`,
  decision: 'approved',
  actor: { name: 'Somebody', email: actor },
  at: '2026-11-20T10:00:00.000Z',
  comment: null,
  digest: 'sha256:1',
  verified: true,
  ...rest,
});

const verdict = (reviews: readonly Seen[], rule: Partial<EnvironmentPolicy> = {}, policy: Policy = OPEN) =>
  evaluateReviews({
    policy,
    rule: { ...RULE, ...rule },
    place: PLACE,
    author: JANE,
    digest: 'sha256:1',
    reviews,
  });

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

describe('judge', () => {
  it('counts an approval, and says who can still give one', () => {
    const policy = { ...OPEN, groups: { sre: [JANE, BOB, CAROL] } };
    const rule = { quorum: 2, approvers: { users: [], groups: ['sre'] } };
    const bob = review(BOB);
    expect(verdict([bob], rule, policy)).toEqual({
      need: 2,
      have: 1,
      satisfied: false,
      rejected: false,
      counted: [bob.id],
      approvers: [CAROL],
    });
    expect(verdict([bob, review(CAROL)], rule, policy)).toMatchObject({
      have: 2,
      satisfied: true,
      approvers: [],
    });
  });

  it('needs nothing where the quorum is 0, until a person rejects', () => {
    expect(verdict([], { quorum: 0 }).satisfied).toBe(true);
    expect(verdict([review(BOB, { decision: 'rejected' })], { quorum: 0 })).toMatchObject({
      satisfied: false,
      rejected: true,
    });
  });

  it.each([
    ['of another digest', review(BOB, { digest: 'sha256:2' })],
    ['of the author', review(JANE)],
    ['of the author in other letters', review(' JANE@Example.com')],
    ['that nobody vouches for', review(BOB, { verified: false })],
  ])('leaves out an approval %s', (_, one) => {
    expect(verdict([one])).toMatchObject({ have: 0, satisfied: false, counted: [] });
  });

  it('leaves out whoever may not deploy, even if named as an approver, and whoever is not named', () => {
    const permissions: Grant[] = [{ allow: ['deploy'], users: [CAROL, JANE], groups: [], in: ['**'] }];
    const rule = { approvers: { users: [BOB], groups: [] } };
    expect(verdict([review(BOB), review(CAROL)], rule, { ...OPEN, permissions }).counted).toEqual([]);
  });

  it('counts what the rule lets count: own approvals, and those that nobody vouches for', () => {
    expect(verdict([review(JANE)], { selfApproval: true }).satisfied).toBe(true);
    expect(verdict([review(BOB, { verified: false })], { unsignedApprovals: true }).satisfied).toBe(true);
  });

  it('takes a rejection from whoever may vote, vouched for or not, as often as the rule says', () => {
    const no = (actor: string) => review(actor, { decision: 'rejected', verified: false });
    expect(verdict([review(BOB), no(CAROL)])).toMatchObject({ satisfied: false, rejected: true });
    expect(verdict([review(BOB), no(CAROL)], { rejections: 2 })).toMatchObject({
      satisfied: true,
      rejected: false,
    });
    expect(verdict([no(CAROL), no('Carol@example.com')], { rejections: 2 }).rejected).toBe(false);
    expect(verdict([no(JANE)]).rejected).toBe(false);
    expect(verdict([no(BOB)], { approvers: { users: [CAROL], groups: [] } }).rejected).toBe(false);
  });

  it('does not count the approval of a person who rejected', () => {
    const both = [review(BOB), review(BOB, { decision: 'rejected' })];
    expect(verdict(both, { rejections: 2 })).toMatchObject({ have: 0, counted: [both[1]?.id] });
  });

  it('counts the approval that a key proves, although one was there in the same name that none does', () => {
    const [claimed, proven] = [review(BOB, { verified: false }), review(BOB)];
    expect(verdict([claimed, proven]).counted).toEqual([proven.id]);
  });
});

const POOL = ['a@x', 'A@X ', 'b@x', 'B@x', 'c@x', 'd@x', JANE];
const person = fc.constantFrom(...POOL);
const peopleOf = fc.record({
  users: fc.array(person, { maxLength: 3 }),
  groups: fc.subarray(['sre', 'ops', 'nobody'] as const),
});
const policies = fc.record({
  environments: fc.constant([]),
  groups: fc.record({
    sre: fc.array(person, { maxLength: 3 }),
    ops: fc.array(person, { maxLength: 3 }),
    nobody: fc.constant([]),
  }),
  permissions: fc.array(
    fc
      .tuple(
        peopleOf,
        fc.subarray([...PERMISSIONS]),
        fc.subarray(['**', 'acme/*', '*/staging'], { minLength: 1 }),
      )
      .map(([people, allow, places]): Grant => ({ ...people, allow, in: places })),
    { maxLength: 3 },
  ),
});
const rules = fc
  .record({
    quorum: fc.nat(4),
    selfApproval: fc.boolean(),
    approvers: fc.option(peopleOf),
    rejections: fc.integer({ min: 1, max: 3 }),
    unsignedApprovals: fc.boolean(),
  })
  .map((rest): EnvironmentPolicy => ({ ...RULE, ...rest }));
const reviewsOf = fc
  .array(
    fc.record({
      actor: person,
      decision: fc.constantFrom('approved', 'approved', 'rejected'),
      digest: fc.constantFrom('sha256:1', 'sha256:1', 'sha256:2'),
      verified: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((all) => all.map(({ actor, ...rest }, at) => review(actor, { ...rest, id: `evt-${at}` })));
const cases = fc.record({ policy: policies, rule: rules, author: person, reviews: reviewsOf });
const runs = { numRuns: 1000 };

describe('judge, whatever the policy and the reviews', () => {
  const of = (input: { policy: Policy; rule: EnvironmentPolicy; author: string; reviews: readonly Seen[] }) =>
    evaluateReviews({ ...input, place: PLACE, digest: 'sha256:1' });

  it('never counts a person twice, nor a review of something else', () => {
    fc.assert(
      fc.property(cases, (input) => {
        const { counted, have } = of(input);
        const votes = input.reviews.filter(({ id }) => counted.includes(id));
        const people = votes.map(({ actor }) => actor.email.trim().toLowerCase());
        expect(new Set(people).size).toBe(counted.length);
        expect(votes.filter(({ decision }) => decision === 'approved')).toHaveLength(have);
        expect(votes.every(({ digest }) => digest === 'sha256:1')).toBe(true);
      }),
      runs,
    );
  });

  it('gives the same verdict without the reviews that do not count', () => {
    fc.assert(
      fc.property(cases, (input) => {
        const all = of(input);
        const reviews = input.reviews.filter(({ id }) => all.counted.includes(id));
        expect(of({ ...input, reviews })).toEqual(all);
      }),
      runs,
    );
  });

  it('gives the same verdict after a review that cannot count, wherever it stands', () => {
    fc.assert(
      fc.property(cases, person, fc.nat(8), (input, actor, at) => {
        const { policy, rule, author } = input;
        const cannot =
          !mayApprove(policy, rule, { email: actor }, PLACE) ||
          (!rule.selfApproval && samePerson(actor, author));
        const added = [
          review(actor, { id: 'other', digest: 'sha256:3' }),
          ...(rule.unsignedApprovals ? [] : [review(actor, { id: 'unverified', verified: false })]),
          ...(cannot
            ? [review(actor, { id: 'yes' }), review(actor, { id: 'no', decision: 'rejected' })]
            : []),
        ];
        expect(of({ ...input, reviews: input.reviews.toSpliced(at, 0, ...added) })).toEqual(of(input));
      }),
      runs,
    );
  });

  it('is never satisfied by one more rejection, and never less rejected', () => {
    fc.assert(
      fc.property(cases, person, (input, actor) => {
        const [before, after] = [
          of(input),
          of({ ...input, reviews: [...input.reviews, review(actor, { id: 'no', decision: 'rejected' })] }),
        ];
        expect(after.satisfied && !before.satisfied).toBe(false);
        expect(before.rejected && !after.rejected).toBe(false);
      }),
      runs,
    );
  });

  it('names as approvers exactly those of the policy whose approval would be one more', () => {
    fc.assert(
      fc.property(cases, (input) => {
        const { have, approvers } = of(input);
        const oneMore = (email: string) =>
          of({ ...input, reviews: [...input.reviews, review(email, { id: 'one more' })] }).have === have + 1;
        expect(approvers.every(oneMore)).toBe(true);
        const anybody = input.rule.approvers === null && input.policy.permissions.length === 0;
        const pool = [...new Set(POOL.map((email) => email.trim().toLowerCase()))];
        expect(approvers).toEqual(anybody ? [] : pool.filter(oneMore).sort());
      }),
      runs,
    );
  });

  it('finds a policy satisfiable exactly where all of its approvers together satisfy it', () => {
    fc.assert(
      fc.property(cases, ({ policy, rule, author }) => {
        const reviews = POOL.map((email) => review(email, { id: email }));
        const anybody = rule.approvers === null && policy.permissions.length === 0;
        const { satisfied } = of({ policy, rule, author, reviews });
        expect(unsatisfiableReason(policy, rule, PLACE, author) === null).toBe(anybody || satisfied);
      }),
      runs,
    );
  });
});

describe('satisfiable', () => {
  const approvers = (...users: string[]) => ({ ...RULE, approvers: { users, groups: [] } });
  const why = (rule: EnvironmentPolicy, policy = OPEN, author: string | null = null) =>
    unsatisfiableReason(policy, rule, PLACE, author);

  it('finds nothing wrong where the policy names nobody, or asks for nothing', () => {
    expect(why({ ...RULE, quorum: 20 })).toBeNull();
    expect(why({ ...approvers(), quorum: 0 })).toBeNull();
    expect(why(approvers(BOB), OPEN, JANE)).toBeNull();
  });

  it('says who is missing, and why', () => {
    expect(why({ ...approvers(BOB), quorum: 2 })).toBe(
      'acme/production needs 2 approvals, and only bob@example.com can give one.',
    );
    expect(why(approvers(JANE), OPEN, 'Jane@example.com')).toBe(
      'acme/production needs 1 approval, and nobody can give one: jane@example.com cannot approve their own request.',
    );
    expect(why({ ...approvers(JANE), selfApproval: true }, OPEN, JANE)).toBeNull();
    expect(why(approvers())).toContain('`approvers` is empty');
    expect(
      why({ ...RULE, approvers: { users: [], groups: ['sre'] } }, { ...OPEN, groups: { sre: [] } }),
    ).toBe('acme/production needs 1 approval, and nobody can give one: nobody is in sre.');
    const permissions: Grant[] = [{ allow: ['propose'], users: [BOB], groups: [], in: ['**'] }];
    expect(why(approvers(BOB), { ...OPEN, permissions })).toBe(
      'acme/production needs 1 approval, and nobody can give one: bob@example.com may not deploy there.',
    );
    expect(why(RULE, { ...OPEN, permissions })).toBe(
      'acme/production needs 1 approval, and nobody can give one: nobody may deploy there.',
    );
  });

  it('names a few of many', () => {
    const users = Array.from({ length: 19 }, (_, at) => `p${at + 10}@x`);
    expect(why({ ...approvers(...users), quorum: 20 })).toContain('p14@x and 14 more can give one');
    expect(approversOf(OPEN, approvers(...users), PLACE, ['P10@x'])).toHaveLength(18);
  });
});

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
