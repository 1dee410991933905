/** Tables that fit the terminal. */
import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';
import type { Style } from './style.ts';

export interface Column {
  readonly head?: string;
  /** On a narrow terminal columns go, that with the highest number first; one without stays. */
  readonly drop?: number;
  /** May its cells take several lines, before others go? */
  readonly wrap?: boolean;
}

const GAP = 2;
/** Columns of text below which a cell is hard to read. */
const READABLE = 12;

/**
 * Columns as wide as their widest cell; the last one is not filled up. A column of which nothing is known in any row is left out. What is
 * wider than the terminal loses columns, and says which, and then has cells of several lines.
 */
export function table(
  style: Style,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const told = columns.flatMap((column, at) => {
    const cells = rows.map((row) => row[at] ?? '');
    return column.head && rows.length > 0 && cells.every(isUnknown)
      ? []
      : [{ ...column, cells, width: widthOf(column, cells) }];
  });
  const { shown, dropped } = choose(told, style.columns ?? Infinity);
  const widths = widthsOf(shown, style.columns ?? Infinity);
  const heads = shown.some(({ head }) => head !== undefined)
    ? [shown.map(({ head = '' }) => style.paint('dim', head))]
    : [];
  const body = rows.map((_, at) => shown.map(({ cells }) => cells[at] ?? ''));
  const lines = [...heads, ...body].flatMap((row) => linesOf(row, widths));
  const names = dropped.map(({ head = '' }) => head).join(', ');
  return names === ''
    ? lines.join('\n')
    : [...lines, wrapped(style.paint('dim', `Not shown here: ${names}.`), style.columns)].join('\n');
}

/** Text in lines that fit; words are broken where nothing else helps. */
export const wrapped = (text: string, columns: number | null) =>
  columns === null ? text : wrapAnsi(text, Math.max(1, columns), { hard: true });

/** A label and a text beside it, in lines of its own column; below the label where too little room is left. */
export function beside({ columns }: Style, label: string, text: string): string {
  const width = stringWidth(label) + GAP;
  if (columns === null) return `${label}${' '.repeat(GAP)}${text}`;
  if (columns - width < READABLE)
    return [
      label.trimEnd(),
      ...wrapped(text, columns - 4)
        .split('\n')
        .map((line) => `    ${line}`),
    ]
      .filter((line) => line !== '')
      .join('\n');
  return `${label}${' '.repeat(GAP)}${wrapped(text, columns - width).replaceAll('\n', `\n${' '.repeat(width)}`)}`;
}

interface Told extends Column {
  readonly cells: readonly string[];
  readonly width: number;
}

const isUnknown = (cell: string) => /^(?:unknown)?$/.test(plain(cell).trim());

// oxlint-disable-next-line no-control-regex -- the escape character begins a colour
const plain = (text: string) => text.replace(/\u001b\[[\d;]*m/g, '');

function widthOf({ head = '' }: Column, cells: readonly string[]): number {
  return cells.reduce((width, cell) => Math.max(width, stringWidth(cell)), stringWidth(head));
}

function choose(columns: readonly Told[], limit: number): { shown: Told[]; dropped: Told[] } {
  const shown = [...columns];
  const dropped: Told[] = [];
  const needs = ({ width, wrap }: Told) => (wrap ? Math.min(width, READABLE) : width);
  while (total(shown.map(needs)) > limit) {
    const [first] = shown
      .filter(({ drop }) => drop !== undefined)
      .sort((a, b) => (b.drop ?? 0) - (a.drop ?? 0));
    if (first === undefined) break;
    shown.splice(shown.indexOf(first), 1);
    dropped.push(first);
  }
  return { shown, dropped: columns.filter((column) => dropped.includes(column)) };
}

const total = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1);

/** Cells that may wrap share what the others leave; where that is too little, all share. */
function widthsOf(columns: readonly Told[], limit: number): number[] {
  const natural = columns.map(({ width }) => width);
  if (total(natural) <= limit) return natural;
  const needed = total(columns.map(({ width, wrap }) => (wrap ? Math.min(width, READABLE) : width)));
  const flexible = columns.map(({ wrap }) => wrap === true || needed > limit);
  const fixed = total(natural.map((width, at) => (flexible[at] ? 0 : width)));
  let room = limit - fixed;
  let left = flexible.filter(Boolean).length;
  const widths = [...natural];
  const bySize = [...natural.keys()]
    .filter((at) => flexible[at])
    .sort((a, b) => (natural[a] ?? 0) - (natural[b] ?? 0));
  for (const at of bySize) {
    const width = Math.max(1, Math.min(natural[at] ?? 0, Math.floor(room / left)));
    widths[at] = width;
    room -= width;
    left -= 1;
  }
  return widths;
}

function linesOf(row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((cell, at) => {
    const width = widths[at] ?? 0;
    return stringWidth(cell) > width ? wrapped(cell, width).split('\n') : [cell];
  });
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, at) => {
        const text = lines[line] ?? '';
        return at === row.length - 1
          ? text
          : text + ' '.repeat(Math.max(0, (widths[at] ?? 0) - stringWidth(text)));
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}
