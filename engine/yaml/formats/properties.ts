import { Pair, parseLines } from 'dot-properties';
import type { FlatEntry } from './flat-entry.ts';
import { refuse } from '../core/refusal.ts';
import { placeOf } from '../core/text.ts';

/** Reads a text as `java.util.Properties.load` does; a byte order mark is skipped. Throws EDIT_REFUSED for a broken `\u` escape. */
export function parseProperties(text: string): FlatEntry[] {
  const bom = text.startsWith('\uFEFF') ? 1 : 0;
  const alone = text.search(/\r(?!\n)/);
  if (alone >= 0)
    refuse('syntax', `A carriage return without line feed is in the file (${placeOf(text, alone)}).`);
  return parseLines(text.slice(bom), true).flatMap((node) => {
    if (!(node instanceof Pair)) return [];
    const [first = 0, keyEnd = first, valueStart = keyEnd, valueEnd = valueStart] = node.range ?? [];
    // The parser steps over a backslash that ends the text.
    const end = Math.min(bom + valueEnd, text.length);
    const keyStart = bom + first;
    const source = text.slice(keyStart, end);
    if (/(?<!\\)(?:\\\\)*\\u(?![\da-fA-F]{4})/.test(source))
      refuse('syntax', `A \\u without four hexadecimal digits is in the file (${placeOf(text, keyStart)}).`);
    // A line break within a key is written in ways that readers take differently.
    if (/[\r\n]/.test(text.slice(keyStart, bom + keyEnd)))
      refuse('syntax', `A key goes on in another line (${placeOf(text, keyStart)}).`);
    const { key, value } = node;
    const start = Math.max(bom, lastBreak(text, keyStart));
    // `key=\` and the value in the next line: the backslash is part of how the value is written.
    const joint = text.slice(bom + keyEnd, bom + valueStart).search(/\\[\r\n]/);
    const from = bom + (joint < 0 ? valueStart : keyEnd + joint);
    // A separator in the next line.
    if (
      !/[=:]/.test(text.slice(bom + keyEnd, from)) &&
      /^(?:\\\r?\n[ \t\f]*)+[=:]/.test(text.slice(from, end))
    )
      refuse('syntax', `A key goes on in another line (${placeOf(text, keyStart)}).`);
    return [{ key, value, start, keyStart, keyEnd: bom + keyEnd, valueStart: from, valueEnd: end, end }];
  });
}

/** Behind the last line break before an offset: a carriage return alone is one too. */
function lastBreak(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && text[at - 1] !== '\n' && text[at - 1] !== '\r') at -= 1;
  return at;
}
