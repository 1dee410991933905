import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/internal.ts';
import type { LedgerRequest, Proposed, RequestEvent } from '../../../engine/model/index.ts';
import { printFile, readRequestEvents } from '../../../engine/record/ledger-file.ts';
import { requestSummary } from '../../../engine/record/request-summary.ts';
import { foldRequest, isProposed } from '../../../engine/record/transitions.ts';

const ID = `rbk-${'0'.repeat(26)}`;
const jane = { name: 'Jane', email: 'jane@example.com' };
const at = '2026-11-28T10:00:00Z';
const digest = `sha256:${'3'.repeat(64)}`;
const commit = '4'.repeat(40);
const link = { number: 7, url: 'https://git.example.com/acme/config/pulls/7' };

let number = 0;
type Kind = Parameters<typeof foldRequest>[0][number];
type Bare = Kind extends infer Event
  ? Event extends Kind
    ? Omit<Event, 'id' | 'at' | 'actor'>
    : never
  : never;
const event = (bare: Bare): RequestEvent => {
  number += 1;
  return { ...bare, id: `evt-${String(number).padStart(26, '0')}`, at, actor: jane };
};

const what = {
  scope: { mode: 'full', environment: 'prod' },
  target: '1'.repeat(40),
  targetVersion: 1,
} as const;
const opened = event({
  type: 'opened',
  proposal: {
    id: ID,
    ...what,
    allowRemoval: false,
    justification: 'v2 answers 500',
    message: requestSummary(what),
    author: jane,
    createdAt: at,
    expiresAt: null,
    follows: null,
    supersedes: null,
    config: null,
  },
  terms: { base: '2'.repeat(40), digest, rendered: null, affectedServices: [] },
  gate: 'no-policy',
  session: null,
});
const proposed: Proposed = {
  via: 'pull-request',
  branch: `backtrail/${ID}`,
  base: '2'.repeat(40),
  commit,
  deliveryCommit: null,
  tip: commit,
  messages: { revert: 'Rollback: …\n', delivery: null },
  change: { revert: digest, delivery: null, whole: digest },
};
const propose = event({ type: 'proposed', proposed });
const linked = event({ type: 'linked', link });
const completed = event({
  type: 'completed',
  outcome: 'completed',
  commit,
  deliveryCommit: null,
  arrived: { how: 'squash', link, by: 'bob', reviews: [{ actor: 'bob', state: 'approved', at }] },
});

const codeOf = (work: () => unknown) => {
  try {
    work();
    return null;
  } catch (error) {
    return isFailure(error) ? error.code : error;
  }
};
const textOf = (...events: readonly RequestEvent[]) => printFile({ state: foldRequest(events), events });

describe('a request that waits for its pull request', () => {
  it('stays approved, and says what waits and where', () => {
    const state = foldRequest([opened, propose, linked]);
    expect(state).toMatchObject({ status: 'approved', proposed, link });
    expect([isProposed(state), isProposed(foldRequest([opened]))]).toEqual([true, false]);
  });

  it.each<[LedgerRequest['status'], Bare]>([
    ['superseded', { type: 'superseded', by: `rbk-${'1'.repeat(26)}` }],
    ['expired', { type: 'expired' }],
    ['cancelled', { type: 'cancelled', reason: null }],
  ])('can still be %s, which an approved one that a worker may publish cannot', (status, bare) => {
    expect(foldRequest([opened, propose, event(bare)]).status).toBe(status);
    expect(codeOf(() => foldRequest([opened, event(bare)]))).toBe('LEDGER_TAMPERED');
  });

  it('waits for a worker again where it is retried, and for people where it is asked anew', () => {
    const failed = event({ type: 'failed', code: 'PULL_REQUEST_CLOSED', message: 'It was closed.' });
    const retried = foldRequest([opened, propose, linked, failed, event({ type: 'retried' })]);
    expect(retried).toMatchObject({ status: 'executing', proposed: null, link: null });
    const reopened = foldRequest([
      opened,
      propose,
      linked,
      event({ type: 'reopened', reason: 'The policy changed.' }),
    ]);
    expect(reopened).toMatchObject({ status: 'pending', proposed: null, link: null });
  });

  it('keeps the pull request where the branch is made anew', () => {
    const again = event({ type: 'proposed', proposed: { ...proposed, base: '5'.repeat(40) } });
    expect(foldRequest([opened, propose, linked, again])).toMatchObject({
      link,
      proposed: { base: '5'.repeat(40) },
    });
  });

  it('has no pull request without a branch', () => {
    expect(codeOf(() => foldRequest([opened, linked]))).toBe('LEDGER_TAMPERED');
  });

  it('says in the end how it came to the branch', () => {
    expect(foldRequest([opened, propose, linked, completed])).toMatchObject({
      status: 'completed',
      result: { commit, arrived: { how: 'squash', link, by: 'bob' } },
    });
  });
});

describe('the file of such a request', () => {
  it('has the form 3, from which the same events are read', () => {
    const events = [opened, propose, linked, completed];
    const text = textOf(...events);
    expect(text).toContain('"version": 3');
    expect(readRequestEvents(text, 'x')).toEqual(events);
    expect(codeOf(() => readRequestEvents(text.replace('"version": 3', '"version": 2'), 'x'))).toBe(
      'LEDGER_TAMPERED',
    );
  });

  it.each<[string, string, string]>([
    ['a branch that is not ours', `"backtrail/${ID}"`, '"main"'],
    ['a branch that leads elsewhere', `"backtrail/${ID}"`, '"backtrail/../main"'],
    ['an address that runs a script', `"${link.url}"`, '"javascript:alert(1)"'],
    ['an address that a terminal obeys', `"${link.url}"`, String.raw`"https://x/\u001b[2J"`],
    ['a pull request without a number', '"number": 7', '"number": -7'],
    ['another way', '"via": "pull-request"', '"via": "push"'],
  ])('is none with %s', (_, from, to) => {
    const text = textOf(opened, propose, linked);
    const [before, events = ''] = text.split('"events"');
    const forged = `${before}"events"${events.replace(from, to)}`;
    expect(forged).not.toBe(text);
    expect(codeOf(() => readRequestEvents(forged, 'x'))).toBe('LEDGER_TAMPERED');
  });
});
