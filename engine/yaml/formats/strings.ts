import { isScalar } from 'yaml';
import { BacktrailError } from '../../model/index.ts';
import type { ParsedText } from '../core/document.ts';
import type { Located } from '../core/located.ts';
import type { Outline } from '../core/outline.ts';
import { parseFile } from '../core/parse-file.ts';
import { refusalReason, refuse, WHOLE_STRING } from '../core/refusal.ts';
import { formatSelector } from '../core/selector.ts';
import { positionOf } from '../core/text.ts';

const documents = new WeakMap<Outline, ParsedText>();

/**
 * The document inside a string: YAML or JSON, or the format that its key implies (`app.properties: |`). null if the value is empty.
 * @throws EDIT_REFUSED if the value is not a string, or not a document
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

/** The value of a string; null if it is empty or null in any spelling. */
export function stringAt({ outline, parsed, selector }: Located): string | null {
  const { node, start } = outline;
  if (outline.kind === 'empty' || (isScalar(node) && node.value === null)) return null;
  if (isScalar(node) && typeof node.value === 'string') return node.value;
  const place = positionOf(parsed.text, start);
  return refuse(
    'no-string',
    `${formatSelector(selector)} is not a string that could contain a document (${place}).`,
  );
}

/** Whether the node is a string that is not empty. */
export const isFilled = ({ node }: Located): boolean =>
  isScalar(node) && typeof node.value === 'string' && node.value !== '';

/** The key of a string, which implies the format of its content. */
export function nameOf({ entry }: Located): string {
  return entry?.key ?? '';
}

/** Prefixes a message with the position of the string that it is about. */
export function inString(
  { selector, parsed, start }: Pick<Located, 'selector' | 'parsed' | 'start'>,
  message: string,
): string {
  const place = `${formatSelector(selector)} (${positionOf(parsed.text, start)})`;
  return `In the string at ${place}: ${message.replace(/^The file /, 'it ')}`;
}

/** Runs `look`; prefixes the message of a refusal with the position of the string. */
export function locateWithin<T>({ selector, parsed, start }: Located, look: () => T, hint?: string): T {
  try {
    return look();
  } catch (error) {
    const reason = refusalReason(error);
    if (reason === null || !(error instanceof BacktrailError)) throw error;
    return refuse(reason, inString({ selector, parsed, start }, error.message), hint ?? error.hint);
  }
}
