/** What reviews come to under a policy, and whether it can be met at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EnvironmentPolicy, type Grant, PERMISSIONS, type Policy } from '../../../engine/model/index.ts';
import {
  approversOf,
  evaluateReviews,
  mayApprove,
  samePerson,
  unsatisfiableReason,
} from '../../../engine/policy/policy.ts';
import { BOB, CAROL, JANE, OPEN, person, PLACE, POOL, review, RULE, type Seen, verdict } from './policies.ts';

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
