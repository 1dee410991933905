/** Everything that reaches the terminal goes through here: text without control characters, JSON, YAML, and errors. */
import { Document, Scalar, visit } from 'yaml';
import { BacktrailError, FAILURES, isFailure } from '../engine/index.ts';
import { fits, page, type Pager } from './pager.ts';
import { clean, oneLine, UNSAFE, UNSAFE_ALL } from './print/clean.ts';

export const FORMATS = ['text', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** What a command gives: a value for scripts, and how people read it. */
export interface Output {
  readonly value: unknown;
  readonly text: () => string;
  /** An error to report besides, as a blocked plan does. */
  readonly error?: BacktrailError;
  /** Where it is not 0 though nothing failed: something still waits for approval. */
  readonly exitCode?: number;
}

/** People on a terminal read what does not fit on it in a pager. */
export async function printOutput(
  { value, text, error }: Output,
  format: Format,
  pager: Pager | null = null,
): Promise<void> {
  if (format === 'text') {
    const shown = `${text().replace(/\n*$/, '')}\n`;
    const paged = pager !== null && !fits(shown, pager) && (await page(shown, pager));
    if (!paged) process.stdout.write(shown);
  } else
    process.stdout.write(serialise(error ? { ...Object(value), ...errorValue(error) } : value, format, 2));
}

/** For scripts standard output is exactly one document, also where a command fails before it has a value. */
export function printErrorDocument(thrown: unknown, format: Format): void {
  if (format !== 'text') process.stdout.write(serialise(errorValue(toFailure(thrown)), format, 2));
}

function errorValue({ code, message, hint, details }: BacktrailError) {
  return { error: { code, message, hint, details } };
}

/** Text for people besides the result, on standard error. Its parts went through `paint` already. */
export function printAside(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A line of progress, on standard error. */
export function printProgress(line: string): void {
  printAside(cleanLine(line));
}

/** Prints an error as one sentence, code and hint; gives the exit code. */
export function printError(thrown: unknown, format: Format): number {
  const failure = toFailure(thrown);
  const { code, message, hint } = failure;
  if (format === 'text') {
    printAside(`backtrail: ${cleanLine(message)}\n  code: ${code}\n  hint: ${cleanLine(hint)}`);
  } else {
    process.stderr.write(serialise(errorValue(failure), format, 0));
  }
  return FAILURES[code].exit;
}

/** Terminals obey more characters than JSON and YAML must escape: here they are all escaped, which says the same. */
function serialise(value: unknown, format: 'json' | 'yaml', indent: number): string {
  if (format === 'json') return `${escapeControls(JSON.stringify(value, null, indent))}\n`;
  // YAML's double quotes know JSON's escapes; a value that needs one is written so.
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && UNSAFE.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return escapeControls(document.toString());
}

const escapeControls = (text: string) =>
  text.replace(UNSAFE_ALL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * A reader that has seen enough, such as `head`, ends neither the command nor a rollback in the middle. A result that cannot be
 * written for another reason, such as a full disk, is an error; messages that cannot be written stop nothing.
 */
export function outliveReaders(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    const unwritten = new BacktrailError(
      'INTERNAL',
      `Standard output cannot be written (${error.code ?? error.message}).`,
      { hint: 'What the command did stands; make room, or write the output elsewhere.', cause: error },
    );
    process.exit(printError(unwritten, 'text'));
  });
}

function toFailure(thrown: unknown): BacktrailError {
  if (isFailure(thrown)) return thrown;
  const sentence =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'Something unexpected happened';
  return new BacktrailError('INTERNAL', sentence.replace(/\.?$/, '.'), { cause: thrown });
}

const cleanLine = (text: string) => clean(oneLine(text));
