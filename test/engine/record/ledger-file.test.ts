import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../engine/internal.ts';
import type { RequestEvent } from '../../../engine/model/index.ts';
import { printFile, readRequestEvents } from '../../../engine/record/ledger-file.ts';
import { requestSummary } from '../../../engine/record/request-summary.ts';
import { foldRequest } from '../../../engine/record/transitions.ts';

const ID = `rbk-${'0'.repeat(26)}`;
const OTHER = `rbk-${'1'.repeat(26)}`;
const jane = { name: 'Jane', email: 'jane@example.com' };
const at = '2026-11-28T10:00:00Z';

function textOf(more: object): string {
  const what = {
    scope: { mode: 'full', environment: 'prod' },
    target: '1'.repeat(40),
    targetVersion: 1,
  } as const;
  const event: RequestEvent = {
    id: `evt-${'0'.repeat(26)}`,
    at,
    actor: jane,
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
      ...more,
    },
    terms: { base: '2'.repeat(40), digest: `sha256:${'3'.repeat(64)}`, rendered: null, affectedServices: [] },
    gate: null,
    session: null,
  };
  return printFile({ state: foldRequest([event]), events: [event] });
}

const versionOf = (text: string) => /"version": (\d+)/.exec(text)?.[1];
const read = (text: string) => {
  try {
    return readRequestEvents(text, 'x').length;
  } catch (error) {
    return isFailure(error) ? error.code : error;
  }
};

describe('the form of a request in the ledger', () => {
  it.each<[string, string, object]>([
    ['1', 'is as ever where no incident asked for it', {}],
    ['2', 'names its incident', { incident: 'inc-1' }],
    ['2', 'names the first of its group', { incident: 'inc-1', atomic: { first: OTHER } }],
    ['2', 'names its group', { incident: 'inc-1', atomic: { first: ID, members: [ID, OTHER] } }],
  ])('%s %s', (form, _, more) => {
    expect([versionOf(textOf(more)), read(textOf(more))]).toEqual([form, 1]);
  });

  it('is not that of another one', () => {
    expect(read(textOf({ incident: 'inc-1' }).replace('"version": 2', '"version": 1'))).toBe(
      'LEDGER_TAMPERED',
    );
    expect(read(textOf({}).replace('"version": 1', '"version": 2'))).toBe('LEDGER_TAMPERED');
    expect(read(textOf({}).replace('"version": 1', '"version": 99'))).toBe('LEDGER_NEWER');
  });

  it.each<[string, object]>([
    ['an id that a terminal obeys', { incident: 'inc\u001b[2J' }],
    ['a group without an incident', { atomic: { first: OTHER } }],
    [
      'a group that it is the first of, and whose members it does not name',
      { incident: 'i', atomic: { first: ID } },
    ],
    ['members of another one’s group', { incident: 'i', atomic: { first: OTHER, members: [OTHER, ID] } }],
    ['members that do not begin with itself', { incident: 'i', atomic: { first: ID, members: [OTHER, ID] } }],
    ['a member twice', { incident: 'i', atomic: { first: ID, members: [ID, OTHER, OTHER] } }],
    ['a key that nobody knows', { incident: 'i', atomic: { first: OTHER, force: true } }],
  ])('is none with %s', (_, more) => {
    expect(read(textOf(more))).toBe('LEDGER_TAMPERED');
  });
});
