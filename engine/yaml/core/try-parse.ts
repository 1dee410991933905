import type { Document } from 'yaml';
import { parseAllDocuments } from 'yaml';

/**
 * Parses a text for display and masking. Accepts what editing refuses (duplicate keys, alias bombs, …), because
 * aliases are not followed. null if the text is not valid YAML or is nested too deeply.
 */
export function tryParse(text: string): readonly Document.Parsed[] | null {
  try {
    const documents = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
    if ('empty' in documents) return [];
    return documents.some((document) => document.errors.length > 0) ? null : documents;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Surely no map or list, though it may have brackets, as `${NAME}` has: one line, no indicator first, no colon that ends a key. */
export const isPlainLine = (text: string): boolean => /^[\w$/](?:[^\n\r:]|:(?!\s|$))*$/.test(text);
