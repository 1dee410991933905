import { type ParsedText, parseText } from '../core/document.ts';
import type { Change } from './context.ts';
import { flatEntries } from '../formats/flat.ts';
import { type FlatEntry } from '../formats/flat-entry.ts';
import { refusalReason, refuse } from '../core/refusal.ts';
import { formatSelector, type Selector } from '../core/selector.ts';
import { applySplices } from '../core/splice.ts';
import { eolOf } from '../core/text.ts';

export interface FlatRestoration {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly selector: Selector;
}

/**
 * Edits one entry of a `.env` or `.properties` text: the value of its key becomes the target's, as written there, or the line is added or
 * removed. Every other line stays. The result is parsed again and verified.
 * @throws EDIT_REFUSED
 */
export function editFlat(restoration: FlatRestoration): Change & { readonly text: string } {
  const { base, target, selector } = restoration;
  const [step, ...below] = selector;
  if (!step || !('key' in step) || below.length > 0)
    refuse('unsupported', `${formatSelector(selector) || 'The file'} is not a single key.`);
  const { key } = step;
  const sides = { base: entriesOf(base), target: entriesOf(target) };
  const [own, other] = [sides.base, sides.target].map((entries) =>
    entries.find((entry) => entry.key === key),
  );
  const done = (op: 'add' | 'remove' | 'replace', splice: Change['splices'][number]) => {
    const text = applySplices(base.text, [splice]);
    verifyFlat(restoration, { key, text });
    return { text, splices: [splice], operations: [{ op, selector: formatSelector(selector) }] };
  };
  if (own && other) {
    const value = sourceOf(target, other, eolOf(base.text));
    if (value === sourceOf(base, own, eolOf(base.text)))
      return { text: base.text, splices: [], operations: [] };
    return done('replace', { start: own.valueStart, end: own.valueEnd, text: separated(own) + value });
  }
  if (own) return done('remove', lineOf(base.text, own));
  if (other) return done('add', addition(restoration, sides, other));
  return { text: base.text, splices: [], operations: [] };
}

function entriesOf({ text, format }: ParsedText): readonly FlatEntry[] {
  if (format !== 'dotenv' && format !== 'properties')
    return refuse('format', 'The file is of another format.');
  return flatEntries(text, format);
}

const sourceOf = ({ text }: ParsedText, { valueStart, valueEnd }: FlatEntry, eol: string): string =>
  text.slice(valueStart, valueEnd).replace(/\r\n|\r|\n/g, eol);

/** In .properties a key may have no separator. */
const separated = ({ keyEnd, valueStart }: FlatEntry): string => (keyEnd === valueStart ? '=' : '');

/** The line with its line break; the last line with the break before it, if the text does not end with one. */
function lineOf(text: string, { start, end }: FlatEntry): { start: number; end: number; text: string } {
  const after = /^(?:\r\n|\r|\n)/.exec(text.slice(end, end + 2))?.[0].length ?? 0;
  if (after > 0) return { start, end: end + after, text: '' };
  const before = /(?:\r\n|\r|\n)$/.exec(text.slice(Math.max(0, start - 2), start))?.[0].length ?? 0;
  return { start: start - before, end, text: '' };
}

interface EntriesBySide {
  readonly base: readonly FlatEntry[];
  readonly target: readonly FlatEntry[];
}

/** Inserts after the nearest preceding line that the base has, else before the nearest following one, else at the end. */
function addition(
  { base, target }: FlatRestoration,
  sides: EntriesBySide,
  entry: FlatEntry,
): { start: number; end: number; text: string } {
  const eol = eolOf(base.text);
  const line = target.text.slice(entry.start, entry.end).replace(/\r\n|\r|\n/g, eol);
  const at = sides.target.indexOf(entry);
  const own = new Map(sides.base.map((line) => [line.key, line]));
  const inBase = ({ key }: FlatEntry) => own.get(key);
  const above = sides.target.slice(0, at).findLast(inBase);
  const behind = above && inBase(above);
  if (behind) return { start: behind.end, end: behind.end, text: eol + line };
  const below = sides.target.slice(at + 1).find(inBase);
  const before = below && inBase(below);
  if (before) return { start: before.start, end: before.start, text: line + eol };
  const { length } = base.text;
  const isOpen = !/(?:^\uFEFF?|[\r\n])$/.test(base.text);
  return { start: length, end: length, text: isOpen ? eol + line : line + eol };
}

/** Verifies that every other entry is unchanged and in the same order, and that the selected key is as in the target. */
function verifyFlat({ base, target }: FlatRestoration, { key, text }: { key: string; text: string }): void {
  const result = entriesOf(readAgain(text, base));
  const eol = eolOf(text);
  const rest = (parsed: ParsedText, entries: readonly FlatEntry[]) =>
    JSON.stringify(
      entries
        .filter((entry) => entry.key !== key)
        .map((entry) => [entry.key, entry.value, parsed.text.slice(entry.start, entry.end)]),
    );
  if (rest({ ...base, text }, result) !== rest(base, entriesOf(base)))
    fail('another line would change as well');
  const [own, wanted] = [result, entriesOf(target)].map((entries) =>
    entries.find((entry) => entry.key === key),
  );
  if (own?.value !== wanted?.value) fail('the field would differ from the target');
  if (own && wanted && sourceOf({ ...base, text }, own, eol) !== sourceOf(target, wanted, eol))
    fail('the field would be written differently');
}

function readAgain(text: string, { format }: ParsedText): ParsedText {
  try {
    return parseText(text, { format });
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return fail('the file would not be valid');
  }
}

function fail(problem: string): never {
  refuse('verify-mismatch', `The edit failed verification: ${problem}.`);
}
