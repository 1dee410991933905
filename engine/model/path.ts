/**
 * Returns whether a path is safe to check out on any file system. Stricter than what git itself refuses (core.protectHFS and
 * core.protectNTFS in git-config(1), CVE-2014-9390, CVE-2019-1353): no empty, `.` or `..` component; no component that HFS+ or
 * NTFS takes for `.git` (case, ignorable code points, short names, streams, trailing dots and spaces); no NUL. Backslashes separate
 * components too, as on Windows. Each byte sequence has one valid text form, that of `decodePath`.
 */
export function isSafePath(path: string): boolean {
  return path !== '' && path.split('/').every(isSafeName);
}

export function isSafeName(name: string): boolean {
  if (name === '' || name.includes('/') || name.includes('\0')) return false;
  if (LONE_SURROGATE.test(name) && decodePath(encodePath(name)) !== name) return false;
  return !name.split('\\').some((part) => part !== '' && isTakenForOther(part));
}

/** True if some file system resolves the name to `.`, `..` or `.git`. */
function isTakenForOther(name: string): boolean {
  const folded = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase();
  // HFS+ stores UTF-8 only: a name ends at the first byte that is not.
  const stem = withoutTail(folded.replace(/(?<=.)\p{Cs}.*$/su, '').split(':')[0] ?? '');
  return isDots(name) || isDots(folded) || stem === '.git' || /^git~\d+$/.test(stem);
}

const isDots = (name: string) => name !== '' && withoutTail(name) === '';

const withoutTail = (name: string) => name.replace(/[. ]+$/, '');

/** With the `u` flag, `\p{Cs}` matches unpaired surrogates only. */
const LONE_SURROGATE = /\p{Cs}/u;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes a file name. Git's names are bytes; each byte that is not part of valid UTF-8 becomes a lone surrogate U+DC80 to U+DCFF
 * with the byte in its low eight bits (`surrogateescape` of PEP 383). `encodePath` reverses it; no two names have the same text.
 */
export function decodePath(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
        : strict.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return text;
}

/** Length in bytes of the well-formed UTF-8 character at an offset (RFC 3629, section 4); 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  // Overlong forms, surrogates and values above U+10FFFF are detected by the second byte.
  const least = { 0xe0: 0xa0, 0xf0: 0x90 }[lead] ?? 0x80;
  const most = { 0xed: 0x9f, 0xf4: 0x8f }[lead] ?? 0xbf;
  for (let next = 1; next < length; next += 1) {
    const byte = bytes[at + next] ?? 0;
    if (byte < (next === 1 ? least : 0x80) || byte > (next === 1 ? most : 0xbf)) return 0;
  }
  return length;
}

/** Reverses `decodePath`. A surrogate outside U+DC80 to U+DCFF becomes U+FFFD, as in TextEncoder. */
export function encodePath(path: string): Uint8Array {
  const encoder = new TextEncoder();
  if (!LONE_SURROGATE.test(path)) return encoder.encode(path);
  return Uint8Array.from(
    Array.from(path, (character) => escapedByte(character) ?? encoder.encode(character)).flatMap((bytes) => [
      ...(typeof bytes === 'number' ? [bytes] : bytes),
    ]),
  );
}

/** The byte that a lone surrogate encodes; null for any other character. */
function escapedByte(character: string): number | null {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : null;
}

/** Characters that could end a line of output or disguise a name: escaped in messages. */
const DISGUISING = /["\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};
const SPELLED = new Map(Object.entries(SHORT).map(([character, spelled]) => [spelled, character]));

/** Escapes a name as in the quoted paths that git prints (core.quotePath in git-config(1)), without the quotes: `caf\351`. Keeps valid UTF-8. */
export function escapePath(path: string): string {
  return path.replace(
    DISGUISING,
    (character) =>
      SHORT[character] ??
      Array.from(encodePath(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}

/** Parses a quoted path as git prints it (`"caf\\351.yaml"`) and returns what follows; null if the text does not start with one. */
export function unquotePath(text: string): { readonly path: string; readonly rest: string } | null {
  const match = /^"((?:[^"\\]|\\[abtnvfr"\\]|\\[0-3][0-7]{2})*)"/su.exec(text);
  if (match === null) return null;
  const bytes = Array.from((match[1] ?? '').matchAll(/\\([0-7]{3})|\\.|[^\\]/gsu), ([piece, octal]) => {
    if (octal !== undefined) return [Number.parseInt(octal, 8)];
    return [...encodePath(SPELLED.get(piece) ?? piece)];
  });
  return { path: decodePath(Uint8Array.from(bytes.flat())), rest: text.slice(match[0].length) };
}

/** Formats a path for a message, on one line: quoted only if a character needs escaping. */
export function quotePath(path: string): string {
  const escaped = escapePath(path);
  return escaped === path ? path : `"${escaped}"`;
}

/** Quotes a word for a POSIX shell, so that a hint can be pasted whatever names it contains. */
export function shellWord(word: string): string {
  return /^[\w./@:+,-][\w./@:+,=-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
