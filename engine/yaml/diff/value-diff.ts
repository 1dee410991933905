/** Diffs of single values, for values too long to show side by side. */
import { formatPatch, OMIT_HEADERS } from 'diff';
import { parseDocument } from 'yaml';
import type { DiffBudget, TextPair } from './line-diff.ts';
import { lineHunks } from './line-diff.ts';
import { ONLY_MOVED } from './unified.ts';

/**
 * Hunks of the lines of two values, given by masked source; null if the value does not exist. Compares the strings that the sources
 * represent, so that indentation and escapes are ignored; the sources if these are equal or not strings.
 */
export function valueDiff(
  sides: { before: string | null; after: string | null },
  effort: DiffBudget,
): string {
  const [before, after] = [sides.before ?? '', sides.after ?? ''];
  if (before === after) return ONLY_MOVED;
  const [old, now] = [stringOf(before), stringOf(after)];
  const texts = old === null || now === null || old === now ? { before, after } : { before: old, after: now };
  return linesDiff(texts, effort);
}

/** Hunks without file headers. Reports a missing final line break only if one side has it. */
export function linesDiff({ before, after }: TextPair, effort: DiffBudget): string {
  const isOpen = [before, after].every((text) => !text.endsWith('\n'));
  const end = (text: string) => (isOpen && text !== '' ? `${text}\n` : text);
  const hunks = lineHunks({ before: end(before), after: end(after) }, effort);
  const names = { oldFileName: '', newFileName: '', oldHeader: undefined, newHeader: undefined };
  return formatPatch({ ...names, hunks }, OMIT_HEADERS);
}

/** The string that a source represents; null if it is not a string (a mask may break its syntax). */
function stringOf(source: string): string | null {
  const { errors, contents } = parseDocument(source, { schema: 'failsafe', logLevel: 'silent' });
  if (source !== '' && errors.length > 0) return null;
  const value: unknown = contents === null ? '' : contents.toJSON();
  return typeof value === 'string' ? value : null;
}
