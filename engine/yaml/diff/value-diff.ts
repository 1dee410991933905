/** The difference of two values that are too long to be shown side by side. */
import { formatPatch, OMIT_HEADERS } from 'diff';
import { parseDocument } from 'yaml';
import type { Effort, Texts } from './line-diff.ts';
import { lineHunks } from './line-diff.ts';
import { ONLY_MOVED } from './unified.ts';

/**
 * Hunks of the lines of two values, each given by its masked source text; null where the value is not there. Compared are the strings
 * that the sources mean, so that indentation and escapes make no lines differ; the sources where they mean the same, or no string.
 */
export function valueDiff(sides: { before: string | null; after: string | null }, effort: Effort): string {
  const [before, after] = [sides.before ?? '', sides.after ?? ''];
  if (before === after) return ONLY_MOVED;
  const [old, now] = [stringOf(before), stringOf(after)];
  const texts = old === null || now === null || old === now ? { before, after } : { before: old, after: now };
  return linesDiff(texts, effort);
}

/** Hunks alone: what they are of stands beside them. A last line without an end is a line where that holds for both sides. */
export function linesDiff({ before, after }: Texts, effort: Effort): string {
  const isOpen = [before, after].every((text) => !text.endsWith('\n'));
  const end = (text: string) => (isOpen && text !== '' ? `${text}\n` : text);
  const hunks = lineHunks({ before: end(before), after: end(after) }, effort);
  const names = { oldFileName: '', newFileName: '', oldHeader: undefined, newHeader: undefined };
  return formatPatch({ ...names, hunks }, OMIT_HEADERS);
}

/** null where the source is no string: the mark of a secret can break its syntax. */
function stringOf(source: string): string | null {
  const { errors, contents } = parseDocument(source, { schema: 'failsafe', logLevel: 'silent' });
  if (source !== '' && errors.length > 0) return null;
  const value: unknown = contents === null ? '' : contents.toJSON();
  return typeof value === 'string' ? value : null;
}
