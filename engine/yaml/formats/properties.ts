import { Pair, parseLines } from 'dot-properties';
import type { FlatEntry } from './flat-entry.ts';
import { refuse } from '../core/refusal.ts';
import { positionOf } from '../core/text.ts';

/**
 * Parses a text like `java.util.Properties.load`; a byte order mark is skipped.
 * @throws EDIT_REFUSED for an invalid `\u` escape, and where parsers disagree
 */
export function parseProperties(text: string): FlatEntry[] {
  const bom = text.startsWith('\uFEFF') ? 1 : 0;
  const alone = text.search(/\r(?!\n)/);
  if (alone >= 0)
    refuse('syntax', `The file has a carriage return without a line feed (${positionOf(text, alone)}).`);
  return parseLines(text.slice(bom), true).flatMap((node) => {
    if (!(node instanceof Pair)) return [];
    const [first = 0, keyEnd = first, valueStart = keyEnd, valueEnd = valueStart] = node.range ?? [];
    // The parser's offset is past the end if the text ends with a backslash.
    const end = Math.min(bom + valueEnd, text.length);
    const keyStart = bom + first;
    const source = text.slice(keyStart, end);
    if (/(?<!\\)(?:\\\\)*\\u(?![\da-fA-F]{4})/.test(source))
      refuse('syntax', `The file has a \\u without four hexadecimal digits (${positionOf(text, keyStart)}).`);
    // Parsers disagree on line breaks within keys.
    if (/[\r\n]/.test(text.slice(keyStart, bom + keyEnd)))
      refuse('syntax', `A key continues on another line (${positionOf(text, keyStart)}).`);
    const { key, value } = node;
    const start = Math.max(bom, lastBreak(text, keyStart));
    // `key=\` with the value on the next line: the backslash is part of the value's source.
    const joint = text.slice(bom + keyEnd, bom + valueStart).search(/\\[\r\n]/);
    const from = bom + (joint < 0 ? valueStart : keyEnd + joint);
    // A separator on the next line.
    if (
      !/[=:]/.test(text.slice(bom + keyEnd, from)) &&
      /^(?:\\\r?\n[ \t\f]*)+[=:]/.test(text.slice(from, end))
    )
      refuse('syntax', `A key continues on another line (${positionOf(text, keyStart)}).`);
    return [{ key, value, start, keyStart, keyEnd: bom + keyEnd, valueStart: from, valueEnd: end, end }];
  });
}

/** Offset after the last line break before an offset; a lone carriage return counts. */
function lastBreak(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && text[at - 1] !== '\n' && text[at - 1] !== '\r') at -= 1;
  return at;
}
