import { describe, expect, it } from 'vitest';
import { logText } from '../../../cli/print/history.ts';
import { makeStyle } from '../../../cli/print/style.ts';
import type { LogEntry, Recorded } from '../../../engine/index.ts';

const commit = 'a'.repeat(40);
const pushed: LogEntry = {
  requestId: `rbk-${'0'.repeat(26)}`,
  commit,
  time: '2026-11-28T10:00:00.000Z',
  author: { name: 'Jane', email: 'jane@example.com' },
  mode: 'service',
  scope: 'acme/production/api',
  reason: 'v2 answers 500',
  record: {
    mode: 'service',
    tenant: 'acme',
    environment: 'production',
    service: 'api',
    justification: 'v2 answers 500',
    author: 'jane@example.com',
    approvals: [],
    requestId: `rbk-${'0'.repeat(26)}`,
    target: '1'.repeat(40),
    base: '2'.repeat(40),
    plan: `sha256:${'3'.repeat(64)}`,
    engine: 2,
    fields: [],
  },
  deliveryCommit: 'b'.repeat(40),
  problems: [],
};
const textOf = (found: Partial<Recorded>) =>
  logText(makeStyle(false), { rollbacks: [], resumes: [], unlisted: [], next: null, ...found }).split('\n');
const lines = (entry: Partial<LogEntry>) => textOf({ rollbacks: [{ ...pushed, ...entry }] });

describe('a rollback in the printed log', () => {
  it('names the commit of its manifests, and no way where it was pushed', () => {
    const text = lines({});
    expect(text[2]).toBe(`         ${pushed.requestId}, manifests in bbbbbbb`);
    expect(text).toHaveLength(3);
  });

  it('says how it came by a pull request, and which', () => {
    const pullRequest = { number: 7, url: 'https://git.example.com/acme/config/pull/7' };
    expect(lines({ via: 'squash', pullRequest, deliveryCommit: commit }).slice(2)).toEqual([
      `         ${pushed.requestId}, manifests with it`,
      '         by squash of pull request 7, https://git.example.com/acme/config/pull/7',
    ]);
    expect(lines({ via: 'merge' }).at(-1)).toBe('         by merge');
  });

  it('says which entries were not made again, or could not be', () => {
    const told = (...rollbacks: Recorded['rollbacks']) => textOf({ rollbacks }).slice(3 * rollbacks.length);
    expect(told({ ...pushed, verdict: 'honest' })).toEqual([]);
    expect(told({ ...pushed, verdict: 'unverifiable' }, pushed)).toEqual([
      '1 cannot be judged here; `backtrail audit verify` says why.',
      'The 1 oldest were not made again; `backtrail audit verify` does.',
    ]);
    const unjudged = { code: 'LEDGER_TAMPERED', message: 'The ledger holds a merge.' } as const;
    expect(textOf({ rollbacks: [pushed], unjudged }).at(-1)).toBe(
      'None was made again: The ledger holds a merge. (LEDGER_TAMPERED)',
    );
  });
});
