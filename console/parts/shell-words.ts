/** Command lines as they are typed into a shell of POSIX. */

/** `null`, `undefined` and `false` are left out. */
export const commandLine = (...words: readonly (string | null | undefined | false)[]): string =>
  ['backtrail', ...words.flatMap((word) => (typeof word === 'string' ? [quoted(word)] : []))].join(' ');

/** As it is where no shell would take it for anything else; what a terminal would act on is written as `$'…'`. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // oxlint-disable-next-line no-control-regex -- names may hold them
  if (!/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/.test(word))
    return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${Array.from(word, escaped).join('')}'`;
}

function escaped(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  const code = character.codePointAt(0) ?? 0;
  const isSafe = code >= 0x20 && code < 0x7f;
  return isSafe ? character : `\\U${code.toString(16).padStart(8, '0')}`;
}
