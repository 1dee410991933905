import { isCollection } from 'yaml';
import { maskLines } from './lines.ts';
import { rangeOf } from '../core/nodes.ts';
import type { Marker } from './secrets.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A part of a text, in UTF-16 units, and what is shown in its place. */
export interface Span extends Range {
  readonly shown: string;
}

/** Where values and comments stand in a text. */
export interface Layout {
  readonly text: string;
  /** The text without comments of JSON, at the same offsets. */
  readonly code: string;
  /** All scalars: between them stand punctuation and comments. */
  readonly scalars: Range[];
  /** From a secret key to the end of the line where its value ends: comments in there are secret too. */
  readonly zones: Range[];
}

/** The zone of a secret value goes on over comments below it that are indented deeper than its key. */
export function addZone(key: unknown, value: unknown, { text, scalars, zones }: Layout): void {
  const keyRange = rangeOf(key);
  const valueRange = rangeOf(value);
  if (keyRange === null || valueRange === null) return;
  const isBlock = isCollection(value) && value.flow !== true;
  const end = isBlock ? Math.max(keyRange[1], scalars.at(-1)?.end ?? 0) : valueRange[1];
  const column = keyRange[0] - (text.lastIndexOf('\n', keyRange[0] - 1) + 1);
  zones.push({ start: keyRange[1], end: endOfComments(text, endOfLine(text, end), column) });
}

function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset - 1;
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end;
}

function endOfComments(text: string, lineEnd: number, column: number): number {
  const line = /\n([ \t]*)(#[^\n]*)?(?=\n|$)/y;
  let end = lineEnd;
  for (line.lastIndex = end; line.lastIndex < text.length; end = line.lastIndex) {
    const match = line.exec(text);
    if (match === null || (match[2] !== undefined && (match[1] ?? '').length <= column)) break;
  }
  return end;
}

/** Comments are lines like any other, except below and beside a secret value, where they are secret as well. */
export function maskComments(layout: Layout, marker: Marker): Span[] {
  const { text } = layout;
  const spans: Span[] = [];
  const isInZone = zoneTest(layout.zones);
  let block: Range | null = null;
  const flush = () => {
    if (block === null) return;
    const source = text.slice(block.start, block.end);
    const shown = source.startsWith('/*')
      ? `/*${maskLines(source.slice(2, -2), marker)}*/`
      : maskLines(source, marker);
    if (shown !== source) spans.push({ ...block, shown });
    block = null;
  };
  for (const comment of commentsOf(layout)) {
    const isNext = block !== null && text.slice(block.end, comment.start).trim() === '';
    const isLine = text[comment.start + 1] !== '*' && (block === null || text[block.start + 1] !== '*');
    if (block !== null && isNext && isLine && !isInZone(comment.start))
      block = { start: block.start, end: comment.end };
    else {
      flush();
      if (!isInZone(comment.start)) block = comment;
      else spans.push({ ...comment, shown: wholeComment(text.slice(comment.start, comment.end), marker) });
    }
  }
  flush();
  return spans;
}

/** Tells whether an offset lies in a zone; to be asked with offsets that never go down. */
function zoneTest(zones: readonly Range[]): (offset: number) => boolean {
  const sorted = zones.toSorted((a, b) => a.start - b.start);
  let next = 0;
  let end = -1;
  return (offset) => {
    for (; (sorted[next]?.start ?? Infinity) <= offset; next += 1)
      end = Math.max(end, sorted[next]?.end ?? -1);
    return offset < end;
  };
}

function wholeComment(source: string, marker: Marker): string {
  if (source.startsWith('/*')) return `/* ${marker(source)} */`;
  return `${source.startsWith('//') ? '//' : '#'} ${marker(source)}`;
}

function* commentsOf(layout: Layout): Generator<Range> {
  yield* layout.code === layout.text ? commentsOfYaml(layout) : commentsOfJson(layout);
}

/** Where the code is blank and the text is not. */
function* commentsOfJson({ text, code }: Layout): Generator<Range> {
  const sign = /\/[/*]/g;
  for (let match = sign.exec(text); match !== null; match = sign.exec(text)) {
    const start = match.index;
    if (code[start] === '/') {
      sign.lastIndex = start + 1;
      continue;
    }
    const close = match[0] === '/*' ? text.indexOf('*/', start + 2) : endOfLine(text, start + 1);
    const end = close === -1 ? text.length : match[0] === '/*' ? close + 2 : close;
    yield { start, end };
    sign.lastIndex = end;
  }
}

/** Between two scalars a `#` begins a comment. */
function* commentsOfYaml({ text, scalars }: Layout): Generator<Range> {
  const sorted = scalars.toSorted((a, b) => a.start - b.start);
  let from = 0;
  for (const scalar of [...sorted, { start: text.length, end: text.length }]) {
    for (let start = text.indexOf('#', from); start !== -1 && start < scalar.start; ) {
      const end = Math.min(endOfLine(text, start + 1), scalar.start);
      yield { start, end };
      start = text.indexOf('#', end);
    }
    from = Math.max(from, scalar.end);
  }
}
