/** Comments that steer automation: behind a value, or above its key. */
import { locate } from '../../yaml/core/locate.ts';
import type { ParsedText } from '../../yaml/core/document.ts';
import { parseSelector } from '../../yaml/core/selector.ts';
import { lineEnd, lineStart } from '../../yaml/core/text.ts';
import type { AdapterFile, Taking } from './adapter.ts';

/** The end of a comment on the line of a restored value: `tag: v1 # {"$imagepolicy": "ns:name:tag"}`. */
export function commentBehind(
  { parsed, fields }: AdapterFile,
  isMarker: (comment: string) => boolean,
): Taking | null {
  if (parsed.format !== 'yaml') return null;
  for (const of of fields) {
    const end = valueEnd(parsed, of);
    if (end === null) continue;
    const stop = lineEnd(parsed.text, end);
    const [, after, comment] = /^([^#]*?)([ \t]+#.*)$/su.exec(parsed.text.slice(end, stop)) ?? [];
    if (after === undefined || comment === undefined || !isMarker(comment)) continue;
    return {
      start: stop - comment.length,
      end: stop,
      text: '',
      part: { kind: 'line-end', selector: of, after, of },
    };
  }
  return null;
}

/** A comment on the line above the key of a restored value. */
export function commentAbove(
  { parsed, fields }: AdapterFile,
  isMarker: (comment: string) => boolean,
): Taking | null {
  if (parsed.format !== 'yaml') return null;
  const { text } = parsed;
  for (const of of fields) {
    const end = entryLine(parsed, of);
    if (end === null || end === 0) continue;
    const start = lineStart(text, end - 1);
    const line = text.slice(start, end);
    if (!/^[ \t]*#/.test(line) || !isMarker(line)) continue;
    return { start, end, text: '', part: { kind: 'above', selector: of, of } };
  }
  return null;
}

/** Where a value of one line ends, or where it would stand; null for others. */
export function valueEnd(parsed: ParsedText, selector: string): number | null {
  const found = tryLocate(parsed, selector);
  if (found === null || found.outline.kind === 'block' || !isOneLine(parsed.text, found.start, found.end))
    return null;
  return found.entry ? Math.max(found.entry.after, found.end) : found.end;
}

const isOneLine = (text: string, start: number, end: number) => !text.slice(start, end).includes('\n');

/** The start of the line that an entry begins on. */
export function entryLine(parsed: ParsedText, selector: string): number | null {
  const entry = tryLocate(parsed, selector)?.entry;
  return entry ? lineStart(parsed.text, entry.start) : null;
}

/** Not inside of strings, whose text is written in another form. */
export function tryLocate(parsed: ParsedText, selector: string) {
  try {
    const steps = parseSelector(selector);
    return steps.some((step) => 'enter' in step) ? null : locate(parsed, steps);
  } catch {
    return null;
  }
}
