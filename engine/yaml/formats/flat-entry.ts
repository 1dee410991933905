/** One `KEY=value` of a file that is a list of them. Offsets in the text, ends exclusive. */
export interface FlatEntry {
  readonly key: string;
  readonly value: string;
  /** Of the first line, with what stands before the key. */
  readonly start: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** As it is written, with quotes and escapes. */
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Of the last line, before its line break. */
  readonly end: number;
}
