import { parseAllDocuments } from 'yaml';

/** Characters; above, a file is not taken apart. */
const MAX_LENGTH = 2 * 1024 * 1024;
/** Resolved aliases of one document; more are an alias bomb. */
const MAX_ALIASES = 1000;

/**
 * The documents of a YAML or JSON text as plain values, for looking only; null for what is no YAML, too large, nested too deeply, or an
 * alias bomb.
 */
export function valuesOf(text: string): readonly unknown[] | null {
  // A template parses as maps of maps, and says nothing of what it becomes.
  if (text.length > MAX_LENGTH || /(?:^|[\s:[,-])\{\{/.test(text)) return null;
  try {
    const documents = parseAllDocuments(text, {
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      merge: true,
    });
    if ('empty' in documents) return [];
    if (documents.some(({ errors }) => errors.length > 0)) return null;
    return documents.map((document): unknown => document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    // `yaml` throws a ReferenceError for too many aliases, and for one without an anchor.
    if (error instanceof RangeError || error instanceof ReferenceError || error instanceof TypeError)
      return null;
    throw error;
  }
}
