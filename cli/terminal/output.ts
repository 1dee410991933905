/** Everything that reaches the terminal goes through here: text without control characters, JSON, YAML, and errors. */
import { BacktrailError, FAILURES, isFailure } from '../../engine/model/failure.ts';
import type { Format } from '../start/formats.ts';
import type { Pager } from './pager-choice.ts';
import { clean, oneLine, UNSAFE, UNSAFE_ALL } from './clean.ts';

export { type Format } from '../start/formats.ts';

/** What a command gives: a value for scripts, and how people read it. */
export interface Output {
  readonly value: unknown;
  readonly text: () => string;
  /** An error to report besides, as a blocked plan does. */
  readonly error?: BacktrailError;
  /** Not 0 although nothing failed: something still awaits approval. */
  readonly exitCode?: number;
  /** Whatever `-o` says. */
  readonly format?: Format;
}

/** People on a terminal read what does not fit on it in a pager. */
export async function printOutput(
  { value, text, error }: Output,
  format: Format,
  pager: Pager | null = null,
): Promise<void> {
  if (format === 'text') {
    const shown = `${text().replace(/\n*$/, '')}\n`;
    if (pager === null || !(await paged(shown, pager))) process.stdout.write(shown);
  } else
    process.stdout.write(
      await serialise(error ? { ...Object(value), ...errorValue(error) } : value, format, 2),
    );
}

async function paged(text: string, pager: Pager): Promise<boolean> {
  const { fits, page } = await import('./pager.ts');
  return !fits(text, pager) && page(text, pager);
}

/** For scripts standard output is exactly one document, also where a command fails before it has a value. */
export async function printErrorDocument(thrown: unknown, format: Format): Promise<void> {
  if (format !== 'text') process.stdout.write(await serialise(errorValue(toFailure(thrown)), format, 2));
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
export async function printError(thrown: unknown, format: Format): Promise<number> {
  const failure = toFailure(thrown);
  if (format === 'text') printErrorText(failure);
  else process.stderr.write(await serialise(errorValue(failure), format, 0));
  return FAILURES[failure.code].exit;
}

function printErrorText({ code, message, hint }: BacktrailError): void {
  printAside(`backtrail: ${cleanLine(message)}\n  code: ${code}\n  hint: ${cleanLine(hint)}`);
}

/** Terminals interpret more characters than JSON and YAML must escape: all of them are escaped here; the values stay equal. */
async function serialise(value: unknown, format: 'json' | 'yaml', indent: number): Promise<string> {
  if (format === 'json') return `${escapeControls(JSON.stringify(value, null, indent))}\n`;
  const { yamlText } = await import('./yaml-text.ts');
  return escapeControls(yamlText(value, UNSAFE));
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
      { hint: 'What the command did remains; make room, or write the output elsewhere.', cause: error },
    );
    printErrorText(unwritten);
    process.exit(FAILURES[unwritten.code].exit);
  });
}

function toFailure(thrown: unknown): BacktrailError {
  if (isFailure(thrown)) return thrown;
  const sentence =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'Something unexpected happened';
  return new BacktrailError('INTERNAL', sentence.replace(/\.?$/, '.'), { cause: thrown });
}

const cleanLine = (text: string) => clean(oneLine(text));
