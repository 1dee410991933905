import type { Document } from 'yaml';
import { parseAllDocuments } from 'yaml';

/**
 * The documents of a text, for looking at and masking: what editing refuses (duplicate keys, alias bombs, …) is fine here, because
 * nothing follows an alias. null where the text is no YAML or is nested too deeply.
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
