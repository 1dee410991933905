/** What the page computes, without a browser. */
import { describe, expect, it } from 'vitest';
import { unreachable } from '../../console/data/problem.ts';
import { scopeName, scopeNamed, scopePath } from '../../console/data/paths.ts';
import { linesOf, rowsOf } from '../../console/difference/lines.ts';
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
  const textsOf = (diff: string) => linesOf(file(diff)).map(({ kind, text }) => `${kind} ${text}`);
  const closed = () => false;

  it('reads hunks, and takes for a header only what is outside of one', () => {
    const diff =
      '--- a/x\n+++ b/x\n@@ -3,2 +3,3 @@\n same\n--- removed\n++++ added\n+@@ -1 +1 @@\n+a\r@@ -1 +1 @@\n';
    expect(textsOf(diff)).toEqual([
      'title From line 3',
      'same same',
      'removed -- removed',
      'added +++ added',
      'added @@ -1 +1 @@',
      'added a\r@@ -1 +1 @@',
    ]);
  });

  it('shows what is no hunk as a note', () => {
    const noted = 'mode 100644 → 100755\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n… 9 more lines\n';
    expect(textsOf(noted)).toEqual([
      'note mode 100644 → 100755',
      'title From line 1',
      'removed a',
      'added b',
      'note No newline at end of file',
      'note … 9 more lines',
    ]);
    expect(textsOf('- a submodule\n+ a file\n')).toEqual(['note - a submodule', 'note + a file']);
    expect(textsOf('')).toEqual([]);
  });

  it('has a title for each field, with its value before and after', () => {
    const field = { selector: '/image/tag', op: 'replace' as const, before: '1', after: '2\n3' };
    const [title, ...lines] = linesOf({ path: 'a', change: 'modified', fields: [field] });
    expect(title).toMatchObject({ kind: 'title', text: '/image/tag', field: 'a#/image/tag' });
    expect(lines.map(({ old, next, text }) => [old, next, text])).toEqual([
      [1, undefined, '1'],
      [undefined, 1, '2'],
      [undefined, 2, '3'],
    ]);
    const short = linesOf({ path: 'a', change: 'modified', fields: [{ ...field, after: '' }] });
    expect(short.slice(1).map(({ kind, old, next, text }) => [kind, old ?? next, text])).toEqual([
      ['removed', undefined, '1'],
      ['added', undefined, ''],
    ]);
  });

  it('puts what was removed beside what came in its place, or above it', () => {
    const lines = linesOf(file('@@ -1,2 +1,3 @@\n-a\n-b\n+c\n+d\n+e\n z\n')).slice(1);
    const shownOf = (isSplit: boolean) =>
      rowsOf(lines, isSplit, closed).map((row) => row.map((cell) => cell.map((line) => line?.text ?? '')));
    expect(shownOf(true)).toEqual([
      [
        ['a', 'c'],
        ['c', 'a'],
      ],
      [
        ['b', 'd'],
        ['d', 'b'],
      ],
      [
        ['', 'e'],
        ['e', ''],
      ],
      [['z'], ['z']],
    ]);
    expect(shownOf(false)).toEqual([
      [['a', 'c']],
      [['b', 'd']],
      [['c', 'a']],
      [['d', 'b']],
      [['e', '']],
      [['z']],
    ]);
  });

  it('names a line the same however it is shown, and none twice', () => {
    const lines = linesOf(file('@@ -7,3 +8,3 @@\n a\n-b\n+c\n d\n')).slice(1);
    const names = lines.map(({ id }) => id.replace(/^.*(?=[LR])/, ''));
    expect(names).toEqual(['R8', 'L8', 'R9', 'R10']);
  });

  it('folds long stretches that are the same, until somebody opens them', () => {
    const lines = linesOf(file(`@@ -1,20 +1,21 @@\n${' same\n'.repeat(20)}+new\n`)).slice(1);
    const rows = rowsOf(lines, false, closed);
    const three = ['same', 'same', 'same'];
    const texts = rows.map(([cell]) => cell?.[0]?.text);
    expect(texts).toEqual([...three, 'Show 14 unchanged lines', ...three, 'new']);
    expect(rowsOf(lines, false, (same) => same.length === 20)).toHaveLength(21);
  });
});
