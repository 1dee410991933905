import { findSecrets, splice } from './find-secrets.ts';
import { jsonCode } from '../formats/json-comments.ts';
import { lift } from './unmasked-values.ts';
import { maskLines } from './lines.ts';
import { parseFileLoosely } from '../core/parse-file.ts';
import { refusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import { tryParse } from '../core/try-parse.ts';
import type { Marker } from './secrets.ts';
import { MASK } from './secrets.ts';

export { maskLines } from './lines.ts';
export { isSecretKey } from './secrets.ts';

/** Characters of the largest text that is masked by its structure: beyond, only lines are quick enough. */
export const PARSED_LIMIT = 2 * 1024 * 1024;

/**
 * A YAML or JSON text with its secrets replaced by `***`, everything else kept as it is. Secret are: the values of secret keys and
 * everything under them, `data` and `stringData` of Secret manifests, values that are named by a name beside them
 * (`name: DB_PASSWORD`, `value: …`), values that an alias uses in such a place, and what the rules for lines find in other values and
 * in comments. A text that does not parse, or is larger than 2 Mi
 * characters, is masked by its lines. `code` is the text without what YAML would not read, such as comments of JSON, at the same offsets.
 */
export function maskYaml(text: string, marker: Marker = () => MASK, code = text): string {
  const documents = text.length > PARSED_LIMIT ? null : tryParse(code);
  if (documents === null) return maskLines(text, marker);
  try {
    return splice(text, findSecrets(text, documents, marker, { code }).spans);
  } catch (error) {
    if (error instanceof RangeError) return maskLines(text, marker);
    throw error;
  }
}

/** `user:password` of .htpasswd, `host:port:database:user:password` of .pgpass. */
const PASSWORD_LINE = /^((?:[^\s:#][^:\n]{0,200}:(?:[^:\n]{0,200}:){3})|[^\s:#][^:\n]{0,200}:)(\S.*)$/gm;

/** But for the places that may be read; see `lift`. Null where it cannot be read by its structure. */
function maskAllBut(
  text: string,
  { path, marker, shown }: { path: string; marker: Marker; shown: readonly Selector[] },
): string | null {
  if (shown.length === 0 || !isStructured(path) || text.length > PARSED_LIMIT) return null;
  try {
    const parsed = parseFileLoosely(path, text);
    return splice(
      parsed.text,
      lift(findSecrets(parsed.text, parsed.documents, marker, parsed), parsed, shown).spans,
    );
  } catch (error) {
    if (refusalReason(error) === null && !(error instanceof RangeError)) throw error;
    return null;
  }
}

/**
 * Masks a text by the kind of file that its path tells: YAML and JSON by structure, also without an extension, the rest by lines. `shown` are
 * the places that may be read.
 */
export function maskText(
  text: string,
  path: string,
  marker: Marker = () => MASK,
  shown: readonly Selector[] = [],
): string {
  const lifted = maskAllBut(text, { path, marker, shown });
  if (lifted !== null) return lifted;
  if (/\.jsonc?$/i.test(path)) return maskYaml(text, marker, jsonCode(text));
  if (/(?:htpasswd|pgpass)[^/]*$/i.test(path) && !isStructured(path))
    return maskLines(
      text.replace(PASSWORD_LINE, (_line, login: string, secret: string) => login + marker(secret)),
      marker,
    );
  return isStructured(path) || !hasExtension(path) ? maskYaml(text, marker) : maskLines(text, marker);
}

/** Does the path tell of YAML or JSON? */
export function isStructured(path: string): boolean {
  return /\.(?:ya?ml|jsonc?)$/i.test(path);
}

export function hasExtension(path: string): boolean {
  return /[^/]\.[^/.]+$/.test(path) || /(?:^|\/)\.[^/]+$/.test(path);
}
