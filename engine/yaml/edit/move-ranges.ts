/**
 * Fast path: consecutive versions of a shared file often differ in one value of another service (`version: 1.2.3` → `1.2.4`). If such a
 * change provably did not touch a part, the file need not be parsed for it.
 */

/** Range of a part in a text: offsets, end exclusive. */
export interface PartRange {
  readonly start: number;
  readonly end: number;
}

interface MoveInput {
  /** A parsed text, and the ranges of the parts in it. */
  readonly text: string;
  readonly ranges: readonly PartRange[];
  readonly other: string;
  /** Keys whose values identify the parts, as `name` in `/releases[name=api]`. */
  readonly names: ReadonlySet<string>;
  /** May such a change also be within a part? */
  readonly within?: boolean;
}

export interface MovedRange extends PartRange {
  /** A value within the part is another one. */
  readonly changed?: true;
}

/** `key: value` on one line, the value plain or quoted, without characters that are special in YAML. */
const SCALAR_LINE =
  /^(\s*(?:- +)*)(["']?)([A-Za-z_][\w./-]*)\2: +(["']?)[A-Za-z0-9](?:[\w./:@+-]*[A-Za-z0-9])?\4(\s*|\s+#.*)$/;

/**
 * The ranges of the same parts in `other`, or null if that is not certain. Certain if the texts differ only in lines outside the
 * parts that are `key: value` on both sides with equal indentation, key, quotes and comment, so that both texts have the same
 * structure; if no such key identifies a part; and if no part contains an alias, which could refer to a changed value.
 */
export function moveRanges({ text, ranges, other, names, within }: MoveInput): readonly MovedRange[] | null {
  if (ranges.some(({ start, end }) => text.slice(start, end).includes('*'))) return null;
  if (!hasSimpleNames(text, names)) return null;
  const [lines, others] = [text.split('\n'), other.split('\n')];
  if (lines.length !== others.length) return null;
  const moves: { readonly start: number; readonly end: number; readonly by: number }[] = [];
  let offset = 0;
  for (const [index, line] of lines.entries()) {
    const changed = others[index] ?? '';
    const start = offset;
    offset += line.length + 1;
    if (line === changed) continue;
    if (!isSameShape(line, changed, names)) return null;
    moves.push({ start, end: start + line.length, by: changed.length - line.length });
  }
  const moved: MovedRange[] = [];
  for (const { start, end } of ranges) {
    const isChanged = moves.some((move) => start < move.end && move.start < end);
    if (isChanged && !within) return null;
    const sum = (isBefore: (move: (typeof moves)[number]) => boolean) =>
      moves.reduce((total, move) => (isBefore(move) ? total + move.by : total), 0);
    // A part that begins on a line that changes begins before the value: nothing but values differ.
    const own = {
      start: start + sum((move) => move.end <= start),
      end: end + sum((move) => move.start < end),
    };
    moved.push(isChanged ? { ...own, changed: true } : own);
  }
  return moved;
}

/** Whether the texts differ in nothing but values on single lines, of keys that are not among `names`: both have the same structure then. */
export function differInValues(text: string, other: string, names: ReadonlySet<string>): boolean {
  const [lines, others] = [text.split('\n'), other.split('\n')];
  return (
    lines.length === others.length &&
    lines.every((line, index) => line === others[index] || isSameShape(line, others[index] ?? '', names)) &&
    hasSimpleNames(text, names)
  );
}

function isSameShape(line: string, other: string, names: ReadonlySet<string>): boolean {
  const [a, b] = [SCALAR_LINE.exec(line), SCALAR_LINE.exec(other)];
  if (!a || !b || names.has(a[3] ?? '')) return false;
  return [1, 2, 3, 4, 5].every((group) => a[group] === b[group]);
}

/** A key of several lines could be changed by a line that looks like another key. */
function hasSimpleNames(text: string, names: ReadonlySet<string>): boolean {
  for (const line of text.split('\n')) {
    const key = /^\s*(?:[-?] +)*["']?([\w./-]+)["']?\s*:/.exec(line)?.[1];
    if (key !== undefined && names.has(key) && !SCALAR_LINE.test(line.replace(/\r$/, ''))) return false;
  }
  return true;
}
