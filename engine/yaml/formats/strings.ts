import { isScalar } from 'yaml';
import { BacktrailError } from '../../model/index.ts';
import type { ParsedText } from '../core/document.ts';
import type { Located } from '../core/located.ts';
import type { Outline } from '../core/outline.ts';
import { parseFile } from '../core/parse-file.ts';
import { refusalReason, refuse, WHOLE_STRING } from '../core/refusal.ts';
import { formatSelector } from '../core/selector.ts';
import { placeOf } from '../core/text.ts';

const documents = new WeakMap<Outline, ParsedText>();

/**
 * The document that a string holds: YAML or JSON, or what the key tells (`app.properties: |`). null where the value is empty. Throws EDIT_REFUSED
 * where it is no string, or holds no document.
 */
export function documentIn(located: Located): ParsedText | null {
  const known = documents.get(located.outline);
  if (known) return known;
  const text = stringAt(located);
  if (text === null) return null;
  const parsed = locateWithin(located, () => parseFile(nameOf(located), text), WHOLE_STRING);
  documents.set(located.outline, parsed);
  return parsed;
}

/** The value of a string; null where it is empty in any spelling. */
export function stringAt({ outline, parsed, selector }: Located): string | null {
  const { node, start } = outline;
  if (outline.kind === 'empty' || (isScalar(node) && node.value === null)) return null;
  if (isScalar(node) && typeof node.value === 'string') return node.value;
  const place = placeOf(parsed.text, start);
  return refuse(
    'no-string',
    `${formatSelector(selector)} is no string that could hold a document (${place}).`,
  );
}

/** Is it a string that holds something? */
export const isFilled = ({ node }: Located): boolean =>
  isScalar(node) && typeof node.value === 'string' && node.value !== '';

/** The name that tells the format of what a string holds: its key. */
export function nameOf({ entry }: Located): string {
  return entry?.key ?? '';
}

/** What is wrong in a string, with the place where the string stands. */
export function inString(
  { selector, parsed, start }: Pick<Located, 'selector' | 'parsed' | 'start'>,
  message: string,
): string {
  const place = `${formatSelector(selector)} (${placeOf(parsed.text, start)})`;
  return `In the string at ${place}: ${message.replace(/^The file /, 'it ')}`;
}

/** Runs `look`; what it refuses says in which string that is. */
export function locateWithin<T>({ selector, parsed, start }: Located, look: () => T, hint?: string): T {
  try {
    return look();
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === null || !(error instanceof BacktrailError)) throw error;
    return refuse(reason, inString({ selector, parsed, start }, error.message), hint ?? error.hint);
  }
}
