import { describe, expect, it } from 'vitest';
import { logText } from '../../../cli/print/history.ts';
import { makeStyle } from '../../../cli/print/style.ts';
import type { LogEntry } from '../../../engine/index.ts';

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
const lines = (entry: Partial<LogEntry>) => logText(makeStyle(false), [{ ...pushed, ...entry }]).split('\n');

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
});
