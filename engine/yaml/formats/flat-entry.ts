/** One `KEY=value` of a flat file. Offsets in the text, ends exclusive. */
export interface FlatEntry {
  readonly key: string;
  readonly value: string;
  /** Start of the first line, before `export` and indentation. */
  readonly start: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** The value as written, with quotes and escapes. */
  readonly valueStart: number;
  readonly valueEnd: number;
  /** End of the last line, before its line break. */
  readonly end: number;
}
