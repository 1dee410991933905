import { parseText } from '../../../engine/yaml/core/document.ts';
import { locate } from '../../../engine/yaml/core/locate.ts';
import type { Leaf } from './yaml-leaves.ts';

/**
 * How many lines of `base` an edit changed that do not belong to the field: lines between the first and the last that differ, without those of
 * the field's own source. An added field has none of its own.
 */
export function collateralLines(leaf: Leaf, base: string, result: string): number {
  const [before, after] = [base.split('\n'), result.split('\n')];
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  const room = Math.min(before.length, after.length) - start;
  while (end < room && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const own = ownLines(leaf, base, result);
  let count = 0;
  for (let line = start; line < before.length - end; line += 1) if (!own(line)) count += 1;
  return count;
}

function ownLines({ selector, op }: Leaf, base: string, result: string): (line: number) => boolean {
  const lines = base.split('\n');
  const parsed = parseText(base);
  const lineOf = (offset: number) => base.slice(0, offset).split('\n').length - 1;
  const isOwnComment = (line: number) => op === 'remove' && /^\s*#/.test(lines[line] ?? '');
  if (op === 'add') {
    const parent = locate(parsed, selector.slice(0, -1))?.outline;
    // A last line without line break gets one; what is empty or in brackets changes its own lines.
    const isOpen = (line: number) => line === lines.length - 1 && lines[line] !== '';
    if (!parent) return isOpen;
    const [from, to] = [lineOf(parent.start), lineOf(parent.end)];
    const isInside = parent.flow || parent.entries.length === 0;
    // A new first key takes the place beside the "-"; the one that stood there moves down as it is.
    const isMovedDown = (line: number) =>
      line === from && result.includes(`\n${(lines[line] ?? '').replace('- ', '  ')}\n`);
    return (line) => isOpen(line) || (isInside && line >= from && line <= to) || isMovedDown(line);
  }
  const found = locate(parsed, selector);
  if (!found?.entry) return () => true;
  const isLast = op === 'remove' && found.parent?.entries.length === 1;
  const first = isLast ? (found.path.at(-2)?.start ?? found.parent.start) : found.entry.start;
  let [from, to] = [lineOf(first), lineOf(Math.max(found.end, found.entry.after))];
  while (isOwnComment(from - 1)) from -= 1;
  while (isOwnComment(to + 1)) to += 1;
  // Where the first key of an item goes, the next one moves up to the "-".
  const isFirst =
    op === 'remove' && found.parent?.entries[0] === found.entry && /^\s*- /.test(lines[from] ?? '');
  return (line) => line >= from && line <= (isFirst ? to + 1 : to);
}
