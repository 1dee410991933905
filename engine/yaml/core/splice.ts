import { refuse } from './refusal.ts';

/** Replaces the text between two offsets; inserts if they are equal. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Applies splices. They may touch but not overlap; insertions at the same offset keep their order.
 * @throws EDIT_REFUSED if splices overlap
 */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const sorted = splices
    .map((splice, order) => ({ ...splice, order }))
    .sort((a, b) => a.start - b.start || a.end - b.end || a.order - b.order);
  let result = '';
  let at = 0;
  for (const { start, end, text: inserted } of sorted) {
    if (start < at || end < start) refuse('unsupported', 'Two changes of the field overlap.');
    result += text.slice(at, start) + inserted;
    at = end;
  }
  return result + text.slice(at);
}

/** Indents every line but the first by `delta` spaces (or removes them) and normalises line breaks. */
export function reindent(text: string, delta: number, eol: string): string {
  const [first = '', ...lines] = text.split(/\r?\n/);
  return [first, ...lines.map((line) => shift(line, delta))].join(eol);
}

function shift(line: string, delta: number): string {
  if (line === '') return line;
  if (delta >= 0) return ' '.repeat(delta) + line;
  const blanks = line.search(/[^ ]|$/);
  return line.slice(Math.min(blanks, -delta));
}
