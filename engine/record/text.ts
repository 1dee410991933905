/** Maximum length of a trailer value, in bytes of UTF-8. */
const VALUE_LIMIT = 1024;
/** Maximum length of a name, in bytes of UTF-8. A longer name is refused, since a truncated one would be another name. */
export const NAME_LIMIT = 8 * 1024;
const BODY_LINES = 200;

const LINE_BREAKS = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/;
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** Bidirectional controls (Unicode UAX #9, table 4), and lone surrogates. */
const DECEPTIVE = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;

/**
 * Makes any text usable as a trailer value: one line; runs of control characters and line separators become a space; bidirectional
 * controls and lone surrogates become U+FFFD, so that they stay visible; trimmed; at most 1 KiB of UTF-8, truncated between characters
 * with an ellipsis. Idempotent.
 */
export function cleanValue(text: string): string {
  return clip(cleanLine(text).trim(), VALUE_LIMIT);
}

/**
 * Free text for the body of a message: lines indented by four spaces, so that git does not parse one as a trailer, divider, scissors line
 * or comment. [] if nothing is left. Runs of blank lines become one; at most 200 lines of 1 KiB.
 */
export function indentBody(text: string): readonly string[] {
  const lines = text
    .split(LINE_BREAKS, 10 * BODY_LINES)
    .map((line) => clip(cleanLine(line).trimEnd(), VALUE_LIMIT));
  const kept = lines.filter((line, index) => line !== '' || (lines[index - 1] ?? '') !== '');
  if (kept.at(-1) === '') kept.pop();
  const cut = kept.length > BODY_LINES ? [...kept.slice(0, BODY_LINES), '…'] : kept;
  return cut.map((line) => (line === '' ? '' : `    ${line}`));
}

/**
 * A name (tenant, service, field) as a trailer value that is read back exactly: unchanged if it is one clean line, else as a JSON string
 * in ASCII. Injective: no name can pose as another one.
 */
export function quoteName(name: string): string {
  if (!name.startsWith('"') && cleanLine(name) === name && name.trim() === name) return name;
  return JSON.stringify(name).replace(/[^ -~]/g, escapeUnit);
}

/** Reverses `quoteName`; null for a value that it cannot have written. */
export function unquoteName(value: string): string | null {
  const name = value.startsWith('"') ? parseString(value) : value;
  return name !== null && name !== '' && quoteName(name) === value ? name : null;
}

/** Length in bytes of UTF-8. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += characterBytes(character);
  return bytes;
}

function cleanLine(text: string): string {
  return text.replace(CONTROLS, ' ').replace(DECEPTIVE, '\ufffd');
}

function clip(text: string, limit: number): string {
  const room = limit - characterBytes('…');
  let bytes = 0;
  let end = 0;
  let roomy = 0;
  for (const character of text) {
    bytes += characterBytes(character);
    if (bytes > limit) return `${text.slice(0, roomy).trimEnd()}…`;
    end += character.length;
    if (bytes <= room) roomy = end;
  }
  return text;
}

function characterBytes(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function parseString(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
