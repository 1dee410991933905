/** A word as a POSIX shell reads it, so that a hint can be pasted whatever a file, a folder or a branch is called. */
export function shellWord(word: string): string {
  return /^[\w./@:+,-][\w./@:+,=-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
