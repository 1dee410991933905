import type { Document } from 'yaml';
import { parseAllDocuments } from 'yaml';

/** The documents of a text; null where it does not parse. */
export function tryParse(text: string): readonly Document.Parsed[] | null {
  try {
    const documents = parseAllDocuments(text, { uniqueKeys: false, keepSourceTokens: true });
    if ('empty' in documents) return [];
    return documents.some((document) => document.errors.length > 0) ? null : documents;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
