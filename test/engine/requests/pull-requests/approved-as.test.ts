import { expect, it } from 'vitest';
import { approvedAs } from '../../../../engine/requests/pull-requests/standing/approved-as.ts';

const [BOB, CAROL, OTHER] = ['b'.repeat(40), 'c'.repeat(40), 'd'.repeat(40)];
const vote = (id: string, decision: 'approved' | 'rejected' = 'approved') => ({
  id,
  decision,
  actor: { name: id, email: `${id}@example.com` },
});
const votes = {
  reviews: [vote('bob'), vote('carol'), vote('dave', 'rejected')],
  proofs: new Map([
    ['bob', { commit: BOB }],
    ['carol', { commit: CAROL }],
    ['dave', { commit: OTHER }],
  ]),
};
const says = (who: string, quorum: string, doubt = '') =>
  `Approved by ${who}@example.com (quorum: ${quorum})${doubt}`;
const UNVERIFIED = ' (identity unverified)';
const trailersOf = (approvals: readonly string[], ledger: string) => [
  'Mode: service',
  ...approvals.map((text) => `Approval: ${text}`),
  `Rollback-Ledger: ${ledger}`,
];
const nowOf = (approvals: readonly string[], ledger: string) => ({
  approvals,
  ledger,
  breakGlass: null,
  at: '2026-01-01T00:00:00Z',
});
/** Carol's key is trusted since. */
const NOW = nowOf([says('bob', '2/1'), says('carol', '2/1')], CAROL);

it('takes a commit by the words that the votes make now', () => {
  expect(approvedAs(votes, NOW, trailersOf(NOW.approvals, CAROL))).toEqual(NOW);
  expect(approvedAs(votes, nowOf([], OTHER), trailersOf([], OTHER))).toEqual(nowOf([], OTHER));
});

it('takes one that names those whose votes counted then', () => {
  const said = [says('bob', '1/1')];
  expect(approvedAs(votes, NOW, trailersOf(said, BOB))).toEqual({ ...NOW, approvals: said, ledger: BOB });
  const doubted = [says('bob', '1/1', UNVERIFIED)];
  expect(approvedAs(votes, NOW, trailersOf(doubted, BOB))).toMatchObject({ approvals: doubted });
});

it.each([
  ['one who has not voted', [says('eve', '1/1')], BOB],
  ['one who has not voted beside one who has', [says('bob', '2/1'), says('eve', '2/1')], BOB],
  ['one who has rejected it', [says('dave', '1/1')], OTHER],
  ['the same one twice', [says('bob', '2/1'), says('bob', '2/1')], BOB],
  ['another quorum', [says('bob', '2/2')], BOB],
  ['more votes than there are', [says('bob', '3/1')], BOB],
  ['too few votes', [says('bob', '0/1')], BOB],
  ['another event of the ledger', [says('bob', '1/1')], OTHER],
  ['the event of one that it does not name', [says('bob', '1/1')], CAROL],
  ['nobody', [], BOB],
  ['words of its own', ['Approved by bob@example.com'], BOB],
])('takes none that names %s', (_, said, ledger) => {
  expect(approvedAs(votes, NOW, trailersOf(said, ledger))).toBeNull();
});

it('takes none that vouches for whom nobody vouches now, or that names somebody where nobody was asked', () => {
  const now = nowOf([says('bob', '1/1', UNVERIFIED)], BOB);
  expect(approvedAs(votes, now, trailersOf([says('bob', '1/1')], BOB))).toBeNull();
  expect(approvedAs(votes, nowOf([], OTHER), trailersOf([says('bob', '1/1')], OTHER))).toBeNull();
});
