import { findSecrets, splice } from './find-secrets.ts';
import { jsonCode } from '../formats/json-comments.ts';
import { unmaskSelected } from './unmasked-values.ts';
import { maskLines } from './lines.ts';
import { parseFileLoosely } from '../core/parse-file.ts';
import { refusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import { tryParse } from '../core/try-parse.ts';
import type { Marker } from './secrets.ts';
import { MASK } from './secrets.ts';

export { maskLines } from './lines.ts';
export { isSecretKey } from './secrets.ts';

/** Maximum length in characters of a text that is masked by structure; above, parsing is too slow. */
export const PARSED_LIMIT = 2 * 1024 * 1024;

/**
 * Replaces the secrets of a YAML or JSON text by `***` and keeps everything else. Secret are: values of secret keys and everything
 * below them; `data` and `stringData` of Secret manifests; values named by a secret name beside them (`name: DB_PASSWORD`,
 * `value: …`); values that an alias uses in such a position; and what the rules for lines find in other values and in comments. A
 * text that does not parse, or has more than 2 Mi characters, is masked line by line. `code` is the text with JSON comments replaced by
 * spaces.
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

/** Masks all but the given selectors; see `unmaskSelected`. null if the text cannot be masked by structure. */
function maskAllBut(
  text: string,
  { path, marker, unmasked }: { path: string; marker: Marker; unmasked: readonly Selector[] },
): string | null {
  if (unmasked.length === 0 || !isStructured(path) || text.length > PARSED_LIMIT) return null;
  try {
    const parsed = parseFileLoosely(path, text);
    return splice(
      parsed.text,
      unmaskSelected(findSecrets(parsed.text, parsed.documents, marker, parsed), parsed, unmasked).spans,
    );
  } catch (error) {
    if (refusalReason(error) === null && !(error instanceof RangeError)) throw error;
    return null;
  }
}

/**
 * Masks a text according to its file name: YAML and JSON by structure, also without an extension, other formats line by line.
 * `unmasked`: selectors that are not masked.
 */
export function maskText(
  text: string,
  path: string,
  marker: Marker = () => MASK,
  unmasked: readonly Selector[] = [],
): string {
  const lifted = maskAllBut(text, { path, marker, unmasked });
  if (lifted !== null) return lifted;
  if (/\.jsonc?$/i.test(path)) return maskYaml(text, marker, jsonCode(text));
  if (/(?:htpasswd|pgpass)[^/]*$/i.test(path) && !isStructured(path))
    return maskLines(
      text.replace(
        PASSWORD_LINE,
        (_line, credentials: string, secret: string) => credentials + marker(secret),
      ),
      marker,
    );
  return isStructured(path) || !hasExtension(path) ? maskYaml(text, marker) : maskLines(text, marker);
}

/** Whether the file name implies YAML or JSON. */
function isStructured(path: string): boolean {
  return /\.(?:ya?ml|jsonc?)$/i.test(path);
}

export function hasExtension(path: string): boolean {
  return /[^/]\.[^/.]+$/.test(path) || /(?:^|\/)\.[^/]+$/.test(path);
}
