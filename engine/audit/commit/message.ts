/** A commit's message held against the one that Backtrail writes for what was recomputed. */
import type { Message } from '../../record/message.ts';
import { cleanValue, formatTrailers } from '../../record/trailers.ts';
import { type Problem, problem } from '../problems.ts';

/** A message as it was written, in its three parts. */
export interface Written {
  readonly subject: string;
  /** The reason, without its indentation. */
  readonly body: string;
  /** The lines of the last paragraph. */
  readonly trailers: readonly string[];
}

export function partsOf(message: string): Written {
  const text = message.endsWith('\n') ? message.slice(0, -1) : message;
  const [subject = '', ...paragraphs] = text.split('\n\n');
  const trailers = (paragraphs.pop() ?? '').split('\n');
  const body = paragraphs.join('\n\n').replace(/^ {4}/gm, '');
  return { subject, body, trailers };
}

export interface Comparing {
  readonly message: string;
  readonly expected: Message;
  /** Values of which only the words are known: by key. */
  readonly isLoose?: (key: string, written: string, expected: string) => boolean;
}

export function compareMessage({ message, expected, isLoose = () => false }: Comparing): Problem[] {
  if (message === expected.text) return [];
  const [own, meant] = [partsOf(message), partsOf(expected.text)];
  const problems: Problem[] = [];
  if (own.subject !== meant.subject)
    problems.push(
      problem(
        'SUBJECT_DIFFERS',
        `The subject is ${shown(own.subject)}: it should be ${shown(meant.subject)}.`,
      ),
    );
  problems.push(...compareTrailers(own.trailers, formatTrailers(expected.trailers), isLoose));
  if (problems.length === 0 && message !== withTrailers(expected.text, meant, own))
    problems.push(
      problem(
        'BODY_DIFFERS',
        'The text between subject and trailers is not laid out as Backtrail writes the reason.',
      ),
    );
  return problems;
}

/** The expected text with the trailers that were found to be as good. */
const withTrailers = (text: string, { trailers }: Written, own: Written) =>
  `${text.slice(0, text.length - trailers.join('\n').length - 1)}${own.trailers.join('\n')}\n`;

const shown = (text: string) => JSON.stringify(cleanValue(text).slice(0, 120));

interface Line {
  readonly key: string;
  readonly value: string;
}

const lineOf = (line: string): Line => {
  const colon = line.indexOf(': ');
  return colon < 0 ? { key: line, value: '' } : { key: line.slice(0, colon), value: line.slice(colon + 2) };
};

function compareTrailers(
  written: readonly string[],
  expected: readonly string[],
  isLoose: NonNullable<Comparing['isLoose']>,
): Problem[] {
  const left = written.map(lineOf);
  const problems: Problem[] = [];
  const missing: Line[] = [];
  // What is there as it should be; then what is there otherwise.
  for (const meant of expected.map(lineOf)) {
    const at = left.findIndex(
      ({ key, value }) => key === meant.key && (value === meant.value || isLoose(key, value, meant.value)),
    );
    if (at < 0) missing.push(meant);
    else left.splice(at, 1);
  }
  for (const { key, value } of missing) {
    const at = left.findIndex((line) => line.key.toLowerCase() === key.toLowerCase());
    const [other] = at < 0 ? [] : left.splice(at, 1);
    if (other === undefined)
      problems.push(problem('TRAILER_MISSING', `The trailer ${key} is missing: ${shown(value)}.`));
    else if (other.key !== key)
      problems.push(problem('TRAILER_DIFFERS', `The trailer ${key} is written ${shown(other.key)}.`));
    else
      problems.push(
        problem(
          'TRAILER_DIFFERS',
          `The trailer ${key} is ${shown(other.value)}: it should be ${shown(value)}.`,
        ),
      );
  }
  const known = new Set(expected.map((line) => lineOf(line).key.toLowerCase()));
  for (const { key, value } of left)
    problems.push(
      known.has(key.toLowerCase())
        ? problem('TRAILER_REPEATED', `The trailer ${key} is there once more: ${shown(value)}.`)
        : problem('TRAILER_ADDED', `The trailer ${shown(key)} would not have been written.`),
    );
  const isOrdered = written.length === expected.length && problems.length === 0;
  if (isOrdered && written.some((line, at) => lineOf(line).key !== lineOf(expected[at] ?? '').key))
    problems.push(problem('TRAILER_DIFFERS', 'The trailers are in another order.'));
  return problems;
}

/** Whether two texts have the same words, or the shortened one the first of the other. */
export function sameWords(short: string, long: string): boolean {
  const words = (text: string) => text.replace(/\s+/g, ' ').trim();
  const [one, other] = [words(short), words(long)];
  return one === other || (one.endsWith('…') && other.startsWith(one.slice(0, -1).trimEnd()));
}
