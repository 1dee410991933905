import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areChecksGreen,
  areReviewsMet,
  type GiteaRules,
  matches,
} from '../../../engine/hosts/kinds/gitea-rules.ts';
import { GITEA_DRAFT, GITLAB_DRAFT, titleAs } from '../../../engine/hosts/kinds/draft-title.ts';

const rules = (of: Partial<GiteaRules>): GiteaRules => ({
  isProtected: true,
  requiredApprovals: 0,
  requiredChecks: null,
  mustBeUpToDate: false,
  noRejections: false,
  mayPush: false,
  adminsPass: null,
  requiresSignatures: null,
  ...of,
});

describe('what Gitea asks for', () => {
  it('are checks that have all passed, by pattern', () => {
    const build = { name: 'ci/build', state: 'passed' } as const;
    const lint = { name: 'ci/lint', state: 'failed' } as const;
    const isGreen = (requiredChecks: readonly string[] | null, ...checks: (typeof build | typeof lint)[]) =>
      areChecksGreen(rules({ requiredChecks }), checks);
    expect(isGreen(null, lint)).toBe(true);
    expect(isGreen(['ci/build'], build, lint)).toBe(true);
    expect(isGreen(['ci/*'], build, lint)).toBe(false);
    expect(isGreen(['ci/*'], build)).toBe(true);
    expect(isGreen(['ci/deploy'], build)).toBe(false);
    expect(isGreen([], build)).toBe(true);
    expect(isGreen([], build, lint)).toBe(false);
  });

  it('are reviews that count', () => {
    const review = { actor: 'ada', at: '', state: 'approved', counts: true } as const;
    expect(areReviewsMet(rules({ requiredApprovals: 1 }), [])).toBe(false);
    expect(areReviewsMet(rules({ requiredApprovals: 1 }), [review])).toBe(true);
    expect(areReviewsMet(rules({ requiredApprovals: 1 }), [{ ...review, counts: false }])).toBe(false);
    const rejected = { ...review, state: 'changes-requested' } as const;
    expect(areReviewsMet(rules({ noRejections: true }), [rejected])).toBe(false);
    expect(areReviewsMet(rules({}), [rejected])).toBe(true);
  });

  it('matches a pattern as a regular expression would, and does not take long for it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll(/\*+/g, '.*')}$`);
        expect(matches(pattern, name)).toBe(expression.test(name));
      }),
    );
    expect(matches(`${'a*'.repeat(500)}b`, 'a'.repeat(1000))).toBe(false);
  });
});

describe('the title of a draft', () => {
  it('is marked once, and the mark is taken off whole', () => {
    expect(titleAs('Roll back', true, GITLAB_DRAFT)).toBe('Draft: Roll back');
    expect(titleAs('Draft: [draft] Roll back', true, GITLAB_DRAFT)).toBe('Draft: Roll back');
    expect(titleAs('draft: (Draft) Roll back', false, GITLAB_DRAFT)).toBe('Roll back');
    expect(titleAs('WIP: Roll back', false, GITEA_DRAFT)).toBe('Roll back');
    expect(titleAs('Draft: Roll back', true, GITEA_DRAFT)).toBe('WIP: Draft: Roll back');
  });
});
