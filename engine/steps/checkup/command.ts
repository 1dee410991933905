/** A word as a shell reads it, so that a hint can be pasted whatever a folder is called. */
export const quoted = (word: string) =>
  /^[\w./@:+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** `git -C FOLDER …` */
export const command = (folder: string, rest: string) => `git -C ${quoted(folder)} ${rest}`;
