/**
 * May this path be in a tree that people check out? The rules are those that git enforces with `core.protectHFS` and `core.protectNTFS` on
 * (git-config(1); hasDot, hasDotdot and hasDotgit in git-fsck(1)): no empty, `.` or `..` component, nothing that a file system could take for
 * `.git` (case, HFS+ ignorable code points, NTFS short names, streams, trailing dots and blanks), no NUL. A backslash separates
 * components too, on some systems. Of two ways to write the same bytes, only that of `decodePath`.
 */
export function isSafePath(path: string): boolean {
  return path !== '' && path.split('/').every(isSafeName);
}

export function isSafeName(name: string): boolean {
  if (name === '' || name.includes('/') || name.includes('\0')) return false;
  if (LONE_SURROGATE.test(name) && decodePath(encodePath(name)) !== name) return false;
  return !name.split('\\').some((part) => part !== '' && isTakenForOther(part));
}

/** Does a file system take it for `.`, `..` or `.git`? */
function isTakenForOther(name: string): boolean {
  const folded = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase();
  // HFS+ reads a name up to what is not UTF-8.
  const stem = withoutTail(folded.replace(/(?<=.)\p{Cs}.*$/su, '').split(':')[0] ?? '');
  return isDots(name) || isDots(folded) || stem === '.git' || /^git~\d+$/.test(stem);
}

const isDots = (name: string) => name !== '' && withoutTail(name) === '';

const withoutTail = (name: string) => name.replace(/[. ]+$/, '');

/** In a regular expression over code points, only what is no half of a pair. */
const LONE_SURROGATE = /\p{Cs}/u;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Git's names are bytes. As text they are UTF-8, and each byte that is not becomes the lone surrogate U+DC80 to U+DCFF that
 * holds it in its last eight bits (the scheme `surrogateescape` of PEP 383), so that `encodePath` gives the same bytes back. No
 * two names have the same text.
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

/** Bytes of the well-formed UTF-8 character at a place (RFC 3629, section 4), 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  // Too long forms, surrogates, and what is beyond U+10FFFF, show in the second byte.
  const least = { 0xe0: 0xa0, 0xf0: 0x90 }[lead] ?? 0x80;
  const most = { 0xed: 0x9f, 0xf4: 0x8f }[lead] ?? 0xbf;
  for (let next = 1; next < length; next += 1) {
    const byte = bytes[at + next] ?? 0;
    if (byte < (next === 1 ? least : 0x80) || byte > (next === 1 ? most : 0xbf)) return 0;
  }
  return length;
}

/** The bytes of a name that `decodePath` gave. A surrogate that stands for no byte becomes U+FFFD, as everywhere. */
export function encodePath(path: string): Uint8Array {
  const encoder = new TextEncoder();
  if (!LONE_SURROGATE.test(path)) return encoder.encode(path);
  return Uint8Array.from(
    Array.from(path, (character) => escapedByte(character) ?? encoder.encode(character)).flatMap((bytes) => [
      ...(typeof bytes === 'number' ? [bytes] : bytes),
    ]),
  );
}

/** The byte that a lone surrogate stands for; null for every other character. */
function escapedByte(character: string): number | null {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : null;
}

/** Characters that a name in a line of text must not hold as they are: they would end the line, or disguise the name. */
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

/** The inside of a name between double quotes, as git writes and reads it (quote_c_style): `caf\351`. Valid UTF-8 of the same bytes. */
export function escapePath(path: string): string {
  return path.replace(
    DISGUISING,
    (character) =>
      SHORT[character] ??
      Array.from(encodePath(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}

/** The path that git's quoted form stands for (`"caf\\351.yaml"`), and what follows it; null for any other text. */
export function unquotePath(text: string): { readonly path: string; readonly rest: string } | null {
  const match = /^"((?:[^"\\]|\\[abtnvfr"\\]|\\[0-3][0-7]{2})*)"/su.exec(text);
  if (match === null) return null;
  const bytes = Array.from((match[1] ?? '').matchAll(/\\([0-7]{3})|\\.|[^\\]/gsu), ([piece, octal]) => {
    if (octal !== undefined) return [Number.parseInt(octal, 8)];
    return [...encodePath(SPELLED.get(piece) ?? piece)];
  });
  return { path: decodePath(Uint8Array.from(bytes.flat())), rest: text.slice(match[0].length) };
}

/** A path for people, in one line: as it is, or between quotes where something in it had to be escaped. */
export function quotePath(path: string): string {
  const escaped = escapePath(path);
  return escaped === path ? path : `"${escaped}"`;
}
