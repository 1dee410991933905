import { isCollection } from 'yaml';
import { maskLines } from './lines.ts';
import { rangeOf } from '../core/nodes.ts';
import type { Marker } from './secrets.ts';

interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** A range of a text, in UTF-16 units, and its replacement. */
export interface Span extends TextRange {
  readonly replacement: string;
}

/** Positions of values and comments in a text. */
export interface SourceLayout {
  readonly text: string;
  /** The text with JSON comments replaced by spaces, at the same offsets. */
  readonly code: string;
  /** All scalars; between them are only punctuation and comments. */
  readonly scalars: TextRange[];
  /** From a secret key to the end of the line where its value ends: comments inside are secret too. */
  readonly zones: TextRange[];
}

/** Adds the zone of a secret value. It extends over comments below that are indented deeper than the key. */
export function addZone(key: unknown, value: unknown, { text, scalars, zones }: SourceLayout): void {
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

/** Masks comments by the rules for lines; comments below or beside a secret value are masked entirely. */
export function maskComments(layout: SourceLayout, marker: Marker): Span[] {
  const { text } = layout;
  const spans: Span[] = [];
  const isInZone = zoneTest(layout.zones);
  let block: TextRange | null = null;
  const flush = () => {
    if (block === null) return;
    const source = text.slice(block.start, block.end);
    const shown = source.startsWith('/*')
      ? `/*${maskLines(source.slice(2, -2), marker)}*/`
      : maskLines(source, marker);
    if (shown !== source) spans.push({ ...block, replacement: shown });
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
      else
        spans.push({ ...comment, replacement: wholeComment(text.slice(comment.start, comment.end), marker) });
    }
  }
  flush();
  return spans;
}

/** A test whether an offset is in a zone. Must be called with ascending offsets. */
function zoneTest(zones: readonly TextRange[]): (offset: number) => boolean {
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

function* commentsOf(layout: SourceLayout): Generator<TextRange> {
  yield* layout.code === layout.text ? commentsOfYaml(layout) : commentsOfJson(layout);
}

/** Comments are where the code is blank and the text is not. */
function* commentsOfJson({ text, code }: SourceLayout): Generator<TextRange> {
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

/** Between two scalars a `#` starts a comment. */
function* commentsOfYaml({ text, scalars }: SourceLayout): Generator<TextRange> {
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
