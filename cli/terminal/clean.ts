/** Text of a repository as a terminal may show it. */
// oxlint-disable no-control-regex -- control characters are what is looked for
export const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/u;

export const UNSAFE_ALL = new RegExp(UNSAFE, 'gu');

/**
 * Without characters that move the cursor, change colours or turn the reading direction; a byte of a name that is not UTF-8 as
 * `\351`. New lines and tabs stay.
 */
export function clean(text: string): string {
  return text.replace(UNSAFE_ALL, (character) =>
    /[\udc80-\udcff]/.test(character) ? `\\${(character.charCodeAt(0) - 0xdc00).toString(8)}` : '\ufffd',
  );
}

/** What might hold a name with a new line in it, as one line. */
export function oneLine(text: string): string {
  return text.trimEnd().replace(/\s*[\n\u2028\u2029]\s*/g, ' ');
}
