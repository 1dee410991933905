/** A difference, as the engine gives it, in lines that can be drawn. It is masked already. */
import type { FieldChange, FileDifference } from '../contract.ts';

export interface Line {
  readonly kind: 'same' | 'added' | 'removed' | 'note';
  readonly text: string;
  /** Numbers of the line on both sides; null: it is not there. */
  readonly old: number | null;
  readonly next: number | null;
}

/** A field, or a hunk of a file. */
export interface Block {
  /** `/image/tag`, or where the hunk is; empty: nothing is to be said of it. */
  readonly title: string;
  readonly selector: string | null;
  readonly lines: readonly Line[];
}

/** One line of the table. Side by side it shows both sides; one below the other what `shown` says, which knows of the other. */
export type Row =
  | { readonly left: Line | null; readonly right: Line | null; readonly shown: 'left' | 'right' }
  /** Unchanged lines that nobody asked to see; `at`: where their run begins. */
  | { readonly folded: readonly Line[]; readonly at: number };

export function blocksOf({ fields = [], diff }: FileDifference): readonly Block[] {
  return [...fields.map(blockOfField), ...(diff === undefined ? [] : blocksOfText(diff))];
}

function blockOfField({ selector, before, after, diff }: FieldChange): Block {
  if (diff !== undefined)
    return { title: selector, selector, lines: blocksOfText(diff).flatMap(({ lines }) => lines) };
  const lines = [...sideOf(before, 'removed'), ...sideOf(after, 'added')];
  return { title: selector, selector, lines };
}

function sideOf(text: string | undefined, kind: 'added' | 'removed'): Line[] {
  if (text === undefined) return [];
  const lines = linesOf(text);
  // The name of the field is enough for one.
  return lines.map((line, index) =>
    lines.length === 1 ? { kind, text: line, old: null, next: null } : numbered(kind, line, index + 1),
  );
}

const numbered = (kind: Line['kind'], text: string, at: number): Line => ({
  kind,
  text,
  old: kind === 'added' || kind === 'note' ? null : at,
  next: kind === 'removed' || kind === 'note' ? null : at,
});

const linesOf = (text: string) => text.replace(/\n$/, '').split(/\r\n|[\n\r]/);

/** Of unified hunks; what stands outside of them are notes. */
function blocksOfText(text: string): Block[] {
  const blocks: { title: string; selector: null; lines: Line[] }[] = [];
  let [old, next, oldLeft, nextLeft] = [0, 0, 0, 0];
  const put = (line: Line) => {
    if (blocks.length === 0) blocks.push({ title: '', selector: null, lines: [] });
    blocks.at(-1)?.lines.push(line);
  };
  for (const line of linesOf(text)) {
    const [sign, rest] = [line[0] ?? ' ', line.slice(1)];
    const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (oldLeft <= 0 && nextLeft <= 0 && header !== null) {
      [old, oldLeft] = [Number(header[1]), Number(header[2] ?? 1)];
      [next, nextLeft] = [Number(header[3]), Number(header[4] ?? 1)];
      blocks.push({ title: `From line ${next || old}`, selector: null, lines: [] });
    } else if (sign === '\\') put(numbered('note', rest.trim(), 0));
    else if (oldLeft <= 0 && nextLeft <= 0) {
      // Names of the file, which stand above it.
      if (!/^(---|\+\+\+) /.test(line)) put(numbered('note', line, 0));
    } else if (sign === '+') {
      put({ kind: 'added', text: rest, old: null, next: next++ });
      nextLeft -= 1;
    } else if (sign === '-') {
      put({ kind: 'removed', text: rest, old: old++, next: null });
      oldLeft -= 1;
    } else {
      put({ kind: 'same', text: rest, old: old++, next: next++ });
      [oldLeft, nextLeft] = [oldLeft - 1, nextLeft - 1];
    }
  }
  return blocks;
}

/** `isOpen`: whether the unchanged lines whose run begins there are all shown. */
export function rowsOf(
  lines: readonly Line[],
  { isSplit, isOpen }: { readonly isSplit: boolean; readonly isOpen: (at: number) => boolean },
): readonly Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < lines.length; ) {
    const part = lines.slice(at, at + lengthOf(lines, at));
    const isChange = part[0]?.kind === 'removed' || part[0]?.kind === 'added';
    if (isChange) rows.push(...(isSplit ? paired(part) : stacked(part)));
    else if (part[0]?.kind === 'same' && part.length > SHOWN * 2 + 2 && !isOpen(at))
      rows.push(
        ...part.slice(0, SHOWN).map(both),
        { folded: part.slice(SHOWN, -SHOWN), at },
        ...part.slice(-SHOWN).map(both),
      );
    else rows.push(...part.map(both));
    at += part.length;
  }
  return rows;
}

/** Unchanged lines that stay on each side of a fold. */
const SHOWN = 3;
const both = (line: Line): Row => ({ left: line, right: line, shown: 'right' });

/** Of lines that belong together: unchanged ones, or removed ones with the added ones behind them. */
function lengthOf(lines: readonly Line[], at: number): number {
  const isChange = (line: Line | undefined) => line?.kind === 'added' || line?.kind === 'removed';
  const first = lines[at];
  let end = at + 1;
  const goesOn = (line: Line | undefined) => {
    if (line === undefined || !isChange(first)) return line !== undefined && line.kind === first?.kind;
    return line.kind === 'added' || (line.kind === 'removed' && lines[end - 1]?.kind === 'removed');
  };
  while (goesOn(lines[end])) end += 1;
  return end - at;
}

/** What was removed beside what came in its place. */
function paired(
  lines: readonly Line[],
): { left: Line | null; right: Line | null; shown: 'left' | 'right' }[] {
  const removed = lines.filter(({ kind }) => kind === 'removed');
  const added = lines.filter(({ kind }) => kind === 'added');
  return Array.from({ length: Math.max(removed.length, added.length) }, (_, index) => ({
    left: removed[index] ?? null,
    right: added[index] ?? null,
    shown: 'right',
  }));
}

/** All that was removed above all that was added. */
function stacked(lines: readonly Line[]): Row[] {
  const pairs = paired(lines);
  return [
    ...pairs.filter(({ left }) => left !== null).map((pair) => ({ ...pair, shown: 'left' as const })),
    ...pairs.filter(({ right }) => right !== null),
  ];
}
