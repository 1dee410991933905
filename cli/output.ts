/** Everything that reaches the terminal goes through here: text without control characters, JSON, YAML, and errors. */
import { BacktrailError, FAILURES, isFailure } from '../engine/index.ts';
import { stringify } from 'yaml';

export const FORMATS = ['text', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** What a command gives: a value for scripts, and how people read it. */
export interface Output {
  readonly value: unknown;
  readonly text: () => string;
  /** An error to report besides, as a blocked plan does. */
  readonly error?: BacktrailError;
}

export function printOutput({ value, text }: Output, format: Format): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(value, { aliasDuplicateObjects: false }));
  else process.stdout.write(`${text().replace(/\n*$/, '')}\n`);
}

/** A line of progress, on standard error. */
export function printProgress(line: string): void {
  process.stderr.write(`${clean(line)}\n`);
}

/** Prints an error as one sentence, code and hint; gives the exit code. */
export function printError(thrown: unknown, format: Format): number {
  const { code, message, hint, details } = toFailure(thrown);
  if (format === 'text') {
    process.stderr.write(`backtrail: ${clean(message)}\n  code: ${code}\n  hint: ${clean(hint)}\n`);
  } else {
    const value = { error: { code, message, hint, details } };
    process.stderr.write(format === 'json' ? `${JSON.stringify(value)}\n` : stringify(value));
  }
  return FAILURES[code].exit;
}

function toFailure(thrown: unknown): BacktrailError {
  if (isFailure(thrown)) return thrown;
  const sentence =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'Something unexpected happened';
  return new BacktrailError('INTERNAL', sentence.replace(/\.?$/, '.'), { cause: thrown });
}

/** Without characters that move the cursor, change colours or turn the reading direction. New lines and tabs stay. */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  );
}
