import { describe, expect, it } from 'vitest';
import { judgeEnds, type Landed } from '../../scripts/chaos/ends.ts';
import { allAsked, type Asked, TROUBLES, troubleAt } from '../../scripts/chaos/plan.ts';
import type { Known } from '../../scripts/chaos/watch.ts';

const SEED = 7;
const asked = allAsked(SEED, 2000);
const ofKind = (test: (asked: Asked) => boolean): Asked => {
  const found = asked.find(test);
  if (found === undefined) throw new Error('There is none of that kind.');
  return found;
};
const plain = ofKind(({ wish, refused }) => wish === 'many' && !refused);

const COMPLETED: Known = { status: 'completed', code: null, commit: 'c1', outcome: 'completed' };
const landedOf = ({ id, folder }: Asked): Landed => ({
  commit: 'c1',
  requestId: id,
  target: 't1',
  paths: [`${folder}/values.yaml`],
  restores: true,
});

/** What is said of one request that is there like this. */
const said = (of: Asked, known: Known | null, landed: readonly Landed[]) =>
  judgeEnds([of], new Map(known === null ? [] : [[of.id, known]]), landed).problems.join('\n');

describe('the plan of a run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(allAsked(SEED, 2000)).toEqual(asked);
    expect(allAsked(SEED + 1, 1)[0]?.id).not.toBe(asked[0]?.id);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(asked.length);
    expect(new Set(asked.map(({ scope }) => scope)).size).toBe(asked.length);
  });

  it('goes on in the middle with what would have come', () => {
    const turns = Array.from({ length: 40 }, (_, number) => troubleAt(SEED, number));
    expect(turns.slice(20)).toEqual(Array.from({ length: 20 }, (_, index) => troubleAt(SEED, 20 + index)));
  });

  it('begins with every kind of trouble, and asks in every way', () => {
    const first = TROUBLES.map((_, number) => troubleAt(SEED, number).trouble);
    expect(first.toSorted()).toEqual([...TROUBLES].toSorted());
    const wishes = new Set(asked.map(({ wish }) => wish));
    expect(wishes).toEqual(new Set(['many', 'direct', 'approve', 'reject', 'cancel']));
  });
});

describe('the end of a request', () => {
  const rejected = ofKind(({ wish }) => wish === 'reject');
  const cancelled = ofKind(({ wish }) => wish === 'cancel');
  const refused = ofKind((each) => each.refused);

  it('is right where it is done once, or was rejected, cancelled or refused', () => {
    const end = (status: string, code: string | null = null): Known => ({
      status,
      code,
      commit: null,
      outcome: null,
    });
    expect(said(plain, COMPLETED, [landedOf(plain)])).toBe('');
    expect(said(rejected, end('rejected'), [])).toBe('');
    expect(said(cancelled, end('cancelled'), [])).toBe('');
    expect(said(refused, end('failed', 'REMOTE_REJECTED'), [])).toBe('');
  });

  it.each<[string, Asked, Known | null, readonly Landed[], RegExp]>([
    ['lost', plain, null, [], /is not in the ledger/],
    ['stuck', plain, { ...COMPLETED, status: 'approved' }, [], /is approved, not completed/],
    ['doubled', plain, COMPLETED, [landedOf(plain), { ...landedOf(plain), commit: 'c2' }], /2 times/],
    ['completed, and not there', plain, COMPLETED, [], /not on the branch/],
    ['completed elsewhere', plain, { ...COMPLETED, commit: 'c9' }, [landedOf(plain)], /in c9/],
    ['done without a change', plain, { ...COMPLETED, outcome: 'unchanged' }, [], /nothing to do/],
    ['wrong', plain, COMPLETED, [{ ...landedOf(plain), restores: false }], /does not restore/],
    ['too much', plain, COMPLETED, [{ ...landedOf(plain), paths: ['other'] }], /outside/],
    [
      'done though it was rejected',
      rejected,
      { ...COMPLETED, status: 'rejected' },
      [landedOf(rejected)],
      /is on the branch/,
    ],
    [
      'failed by itself',
      plain,
      { ...COMPLETED, status: 'failed', code: 'INTERNAL' },
      [],
      /failed \(INTERNAL\)/,
    ],
    [
      'done for nobody',
      plain,
      COMPLETED,
      [landedOf(plain), { ...landedOf(plain), requestId: 'rbk-x' }],
      /nobody/,
    ],
  ])('is a problem where it is %s', (_, of, known, landed, problem) => {
    expect(said(of, known, landed)).toMatch(problem);
  });
});
