/** Quotes a word for a POSIX shell, so that a hint can be pasted whatever names it contains. */
export function shellWord(word: string): string {
  return /^[\w./@:+,-][\w./@:+,=-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
