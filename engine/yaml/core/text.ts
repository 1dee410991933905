/** Lines and offsets of a text. A byte order mark (U+FEFF) is not part of a line. */

/** Start of the line at an offset. */
export function lineStart(text: string, offset: number): number {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  return start === 0 && text.startsWith('\uFEFF') ? Math.min(1, offset) : start;
}

/** End of the line at an offset, before its line break. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline < 0) return text.length;
  return newline > offset && text[newline - 1] === '\r' ? newline - 1 : newline;
}

/** Start of the next line; the text's length if there is none. */
export function nextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}

/** Number of characters before an offset on its line. */
export const columnOf = (text: string, offset: number): number => offset - lineStart(text, offset);

/** Whether only indentation precedes an offset on its line. */
export const startsLine = (text: string, offset: number): boolean =>
  /^[ \t]*$/.test(text.slice(lineStart(text, offset), offset));

/** `line 3, column 7`. */
export function positionOf(text: string, offset: number): string {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return `line ${line}, column ${columnOf(text, offset) + 1}`;
}

/** The line break of most lines. */
export function eolOf(text: string): '\n' | '\r\n' {
  const all = text.split('\n').length - 1;
  const crlf = text.split('\r\n').length - 1;
  return crlf * 2 > all ? '\r\n' : '\n';
}

/**
 * End of a block scalar's content, before its last line break. With `+` trailing blank lines are content, else not.
 * The parser's own range always includes them.
 */
export function blockScalarEnd(text: string, start: number, rangeEnd: number): number {
  const header = text.slice(start, lineEnd(text, start));
  const keep = /^[|>][0-9]?\+|^[|>]\+/.test(header);
  let end = rangeEnd;
  if (keep) {
    if (text[end - 1] === '\n') end -= text[end - 2] === '\r' ? 2 : 1;
    return Math.max(end, start + header.trimEnd().length);
  }
  while (end > start && /\s/.test(text[end - 1] ?? '')) end -= 1;
  // Spaces after the last character are content; line breaks and blank lines are not.
  return end <= start + header.length
    ? start + header.replace(/\s+#.*$/, '').trimEnd().length
    : lineEnd(text, end);
}

/** Decodes UTF-8, keeping a byte order mark; null if the bytes are not valid UTF-8. */
export function decode(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
