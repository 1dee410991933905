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
    expect(printFile(makeStyle(false, true), added)).toHaveLength(5);
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
});
