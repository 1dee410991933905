/** Policies and people that several tests of the policy judge by. */
import fc from 'fast-check';
import { type EnvironmentPolicy, type Policy, type Review } from '../../../engine/model/index.ts';
import { evaluateReviews } from '../../../engine/policy/policy.ts';

export const PLACE = { tenant: 'acme', environment: 'production' };

export const RULE: EnvironmentPolicy = {
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

export const OPEN: Policy = { environments: [], groups: {}, permissions: [] };

export const [JANE, BOB, CAROL] = ['jane@example.com', 'bob@example.com', 'carol@example.com'];

export type Seen = Review & { readonly verified: boolean };

export const review = (actor: string, rest: Partial<Seen> = {}): Seen => ({
  id: `evt-${actor}-${JSON.stringify(rest)}`,
  decision: 'approved',
  actor: { name: 'Somebody', email: actor },
  at: '2026-11-20T10:00:00.000Z',
  comment: null,
  digest: 'sha256:1',
  verified: true,
  ...rest,
});

export const verdict = (
  reviews: readonly Seen[],
  rule: Partial<EnvironmentPolicy> = {},
  policy: Policy = OPEN,
) =>
  evaluateReviews({
    policy,
    rule: { ...RULE, ...rule },
    place: PLACE,
    author: JANE,
    digest: 'sha256:1',
    reviews,
  });

export const POOL = ['a@x', 'A@X ', 'b@x', 'B@x', 'c@x', 'd@x', JANE];

export const person = fc.constantFrom(...POOL);
