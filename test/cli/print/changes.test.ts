import { describe, expect, it } from 'vitest';
import { printFile } from '../../../cli/print/changes.ts';
import { makeStyle } from '../../../cli/print/style.ts';

const fields = ['/a', '/b', '/c', '/d'].map((selector) => ({ selector, op: 'add' as const, after: '1' }));
const added = { path: 'x.yaml', change: 'added' as const, fields };

describe('a printed difference', () => {
  it('folds a file that came as a whole to one line that counts its fields', () => {
    expect(printFile(makeStyle(false), added)).toEqual(['+ x.yaml (added, 4 fields; --full shows them)']);
  });

  it('shows each field of it in full where that is asked for', () => {
    expect(printFile(makeStyle(false, { full: true }), added)).toHaveLength(5);
  });

  it('never folds a file that was modified', () => {
    expect(printFile(makeStyle(false), { ...added, change: 'modified' })).toHaveLength(5);
  });

  it('counts the lines of a text that went', () => {
    const diff = '--- a/x\n+++ /dev/null\n@@ -1,4 +0,0 @@\n-a\n-b\n-c\n-d\n';
    expect(printFile(makeStyle(false), { path: 'x', change: 'removed', diff })).toEqual([
      '- x (removed, 4 lines; --full shows them)',
    ]);
  });

  it('prints the lines of a long value in place of its sides', () => {
    const diff = '@@ -1,2 +1,2 @@\n x\n-a\n+b\n';
    const field = { selector: '/v', op: 'replace' as const, before: '|\n x…', after: '|\n x…', diff };
    expect(printFile(makeStyle(false), { path: 'x.yaml', change: 'modified', fields: [field] })).toEqual([
      '~ x.yaml',
      '    /v',
      '      @@ -1,2 +1,2 @@',
      '       x',
      '      -a',
      '      +b',
    ]);
  });

  it('cuts long lines around what differs, not with --full', () => {
    const value = (n: number) => `${'x'.repeat(600)}${n}${'y'.repeat(600)}`;
    const diff = `--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-${value(1)}\n+${value(2)}\n`;
    const print = (full: boolean) =>
      printFile(makeStyle(false, { full }), { path: 'x', change: 'modified', diff }).join('\n');
    expect(print(false)).toContain('    -…xxx');
    expect(print(false)).toContain('x2y');
    expect(print(true)).toContain(value(1));
  });
});
