/**
 * Versions of a shared file mostly differ in one value of somebody else's: `version: 1.2.3` becomes `version: 1.2.4`. Where it is certain
 * that such a change cannot have touched a part, the part need not be looked up in every version by taking the text apart.
 */

/** Where a part stands in a text: offsets, the end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

interface Versions {
  /** A text that was taken apart, and where the parts stand in it. */
  readonly text: string;
  readonly ranges: readonly Range[];
  readonly other: string;
  /** Keys whose values choose the way to the parts, as `name` in `/releases[name=api]`. */
  readonly names: ReadonlySet<string>;
  /** May such a change also be within a part? */
  readonly within?: boolean;
}

export interface MovedRange extends Range {
  /** A value within the part is another one. */
  readonly changed?: true;
}

/** `key: value` in one line, the value plain or quoted and of characters that mean nothing in YAML. */
const SCALAR_LINE =
  /^(\s*(?:- +)*)(["']?)([A-Za-z_][\w./-]*)\2: +(["']?)[A-Za-z0-9](?:[\w./:@+-]*[A-Za-z0-9])?\4(\s*|\s+#.*)$/;

/**
 * The ranges of the same parts in `other`, or null where that is not certain. Certain is it when the texts differ only in lines outside the
 * parts, each of which is `key: value` on both sides with the same indentation, key, quotes and comment, so that both texts have one
 * structure; when no such key chooses the way to a part; and when no part holds an alias, which could stand for what changed.
 */
export function moveRanges({ text, ranges, other, names, within }: Versions): readonly MovedRange[] | null {
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

function isSameShape(line: string, other: string, names: ReadonlySet<string>): boolean {
  const [a, b] = [SCALAR_LINE.exec(line), SCALAR_LINE.exec(other)];
  if (!a || !b || names.has(a[3] ?? '')) return false;
  return [1, 2, 3, 4, 5].every((group) => a[group] === b[group]);
}

/** A name that spreads over several lines could be changed by a line that looks like another key's. */
function hasSimpleNames(text: string, names: ReadonlySet<string>): boolean {
  for (const line of text.split('\n')) {
    const key = /^\s*(?:[-?] +)*["']?([\w./-]+)["']?\s*:/.exec(line)?.[1];
    if (key !== undefined && names.has(key) && !SCALAR_LINE.test(line.replace(/\r$/, ''))) return false;
  }
  return true;
}
