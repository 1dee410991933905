/** What the page computes, without a browser. */
import { describe, expect, it } from 'vitest';
import { unreachable } from '../../console/data/problem.ts';
import { scopeName, scopeNamed, scopePath } from '../../console/data/paths.ts';
import { blocksOf, rowsOf } from '../../console/difference/lines.ts';
import { durationOf, exactly, relativeTo } from '../../console/parts/duration.ts';
import { commandLine } from '../../console/parts/shell-words.ts';
import { ranFor } from '../../console/scope/revisions.ts';

describe('addresses of scopes', () => {
  it('has a dash for no tenant, and tells a service from a page of the same name', () => {
    expect(scopePath({ environment: 'prod' })).toBe('/e/-/prod');
    expect(scopePath({ tenant: 'a', environment: 'b', service: 'c' }, 'rollback', { to: 'v1' })).toBe(
      '/e/a/b/c/rollback?to=v1',
    );
    expect(scopePath({ tenant: 'a', environment: 'b', service: 'history' })).toBe('/e/a/b/history/overview');
    expect(scopePath({ tenant: 'a b', environment: '?', service: '<i>' })).toBe('/e/a%20b/%3F/%3Ci%3E');
  });

  it('reads names of scopes as the repository has them', () => {
    expect(scopeName({ tenant: '-', environment: 'prod', service: 'api' })).toBe('prod/api');
    expect(scopeNamed('prod/api', false)).toEqual({ tenant: null, environment: 'prod', service: 'api' });
    expect(scopeNamed('acme/prod', true)).toEqual({ tenant: 'acme', environment: 'prod', service: null });
  });
});

describe('times', () => {
  it('says spans as people do', () => {
    expect([durationOf(6 * 86_400_000), durationOf(3_600_000), durationOf(999)]).toEqual([
      '6 days',
      '1 hour',
      '0 seconds',
    ]);
    expect([relativeTo(0, 10), relativeTo(120_000, 0), relativeTo(0, 7_200_000)]).toEqual([
      'now',
      '2 minutes ago',
      'in 2 hours',
    ]);
    expect(exactly('2026-11-18T14:02:00.000Z')).toBe('2026-11-18 14:02:00 UTC');
  });

  it('knows how long a revision ran, unless it is the newest', () => {
    const revisions = [
      { version: 3, time: '2026-11-18T12:00:00Z' },
      { version: 2, time: '2026-11-18T10:00:00Z' },
    ];
    expect(ranFor(revisions, { version: 2 })).toBe(7_200_000);
    expect([ranFor(revisions, { version: 3 }), ranFor(revisions, { version: 1 })]).toEqual([null, null]);
  });
});

describe('a server that does not answer', () => {
  it('is asked again, but what was sent to be done is not sent again by itself', () => {
    for (const isOnline of [true, false]) {
      expect(unreachable(isOnline).hint).not.toContain('Nobody knows');
      expect(unreachable(isOnline, true).hint).toContain('not sent again by itself');
      expect(unreachable(isOnline, true).hint).not.toContain('asked again');
    }
  });
});

describe('command lines', () => {
  it('quotes what a shell or a terminal would take for anything else', () => {
    expect(commandLine('rollback', 'acme/prod/api', '--to', 'v12', false, null)).toBe(
      'backtrail rollback acme/prod/api --to v12',
    );
    expect(commandLine('show', "a'b $(x)")).toBe(String.raw`backtrail show 'a'\''b $(x)'`);
    expect(commandLine('show', 'a\u001b[31m\n\u202e')).toBe(
      String.raw`backtrail show $'a\U0000001b[31m\U0000000a\U0000202e'`,
    );
    expect(commandLine('show', '')).toBe("backtrail show ''");
  });
});

describe('lines of a difference', () => {
  const file = (diff: string) => ({ path: 'a', change: 'modified' as const, diff });
  const kindsOf = (diff: string) =>
    blocksOf(file(diff)).map(({ title, lines }) => [title, lines.map(({ kind, text }) => `${kind} ${text}`)]);

  it('reads hunks, and takes for a header only what is outside of one', () => {
    const diff = '--- a/x\n+++ b/x\n@@ -3,2 +3,3 @@\n same\n--- removed\n++++ added\n+@@ -1 +1 @@\n';
    expect(kindsOf(diff)).toEqual([
      ['From line 3', ['same same', 'removed -- removed', 'added +++ added', 'added @@ -1 +1 @@']],
    ]);
  });

  it('shows what is no hunk as a note', () => {
    expect(kindsOf('mode 100644 → 100755\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n')).toEqual([
      ['', ['note mode 100644 → 100755']],
      ['From line 1', ['removed a', 'added b', 'note No newline at end of file']],
    ]);
  });

  it('has a block for each field, with its value before and after', () => {
    const fields = [{ selector: '/image/tag', op: 'replace' as const, before: '1', after: '2\n3' }];
    const [block] = blocksOf({ path: 'a', change: 'modified', fields });
    expect(block).toMatchObject({ title: '/image/tag', selector: '/image/tag' });
    expect(block?.lines.map(({ old, next, text }) => [old, next, text])).toEqual([
      [null, null, '1'],
      [null, 1, '2'],
      [null, 2, '3'],
    ]);
  });

  it('puts what was removed beside what came in its place, or above it', () => {
    const [block] = blocksOf(file('@@ -1,2 +1,3 @@\n-a\n-b\n+c\n+d\n+e\n'));
    const shownOf = (isSplit: boolean) =>
      rowsOf(block?.lines ?? [], { isSplit, isOpen: () => false }).map((row) =>
        'folded' in row ? 'folded' : `${row.left?.text ?? ''}|${row.right?.text ?? ''} ${row.shown}`,
      );
    expect(shownOf(true)).toEqual(['a|c right', 'b|d right', '|e right']);
    expect(shownOf(false)).toEqual(['a|c left', 'b|d left', 'a|c right', 'b|d right', '|e right']);
  });

  it('folds long stretches that are the same, until somebody opens them', () => {
    const [block] = blocksOf(file(`@@ -1,20 +1,21 @@\n${' same\n'.repeat(20)}+new\n`));
    const rows = rowsOf(block?.lines ?? [], { isSplit: false, isOpen: () => false });
    expect(rows.map((row) => ('folded' in row ? row.folded.length : 1))).toEqual([1, 1, 1, 14, 1, 1, 1, 1]);
    expect(rowsOf(block?.lines ?? [], { isSplit: false, isOpen: (at) => at === 0 })).toHaveLength(21);
  });
});
