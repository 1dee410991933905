/** Fields inside documents that are stored as strings. */
import { BacktrailError, quotePath, type TreeView } from '../../model/index.ts';
import type { ParsedText } from '../../yaml/core/document.ts';
import { locate } from '../../yaml/core/locate.ts';
import { parseFileLoosely } from '../../yaml/core/parse-file.ts';
import { refusalReason } from '../../yaml/core/refusal.ts';
import { ENTER, formatSelector, type Selector } from '../../yaml/core/selector.ts';
import { isFilled } from '../../yaml/formats/strings.ts';
import { decode } from '../../yaml/core/text.ts';

/**
 * Refuses a selector that continues into a string without `|`.
 * @throws FIELD_INVALID with the selector to use in the hint
 */
export function guardString(path: string, text: string, selector: Selector): void {
  try {
    const parsed = parseFileLoosely(path, text);
    guardOpenEnd(path, parsed, selector);
    for (let depth = selector.length - 1; depth > 0; depth -= 1) {
      const [outer, rest] = [selector.slice(0, depth), selector.slice(depth)];
      const inside: Selector = [...outer, ENTER, ...rest];
      if (outer.some(isEnter) || rest.some(isEnter) || locate(parsed, outer) === null) continue;
      if (locate(parsed, inside) === null) return;
      throw new BacktrailError(
        'FIELD_INVALID',
        `${nameOf(path, outer)} is a string, and ${formatSelector(rest)} is a field of the document in this string.`,
        { hint: `Enter the string with "|": ${nameOf(path, inside)}` },
      );
    }
  } catch (error) {
    if (refusalReason(error) === null) throw error;
  }
}

/** Refuses a trailing `|`, as in `values|`. */
function guardOpenEnd(path: string, parsed: ParsedText, selector: Selector): void {
  const last = selector.at(-1);
  if (!last || !('key' in last) || !last.key.endsWith('|') || locate(parsed, selector) !== null) return;
  const outer = [...selector.slice(0, -1), { key: last.key.slice(0, -1) }];
  if (locate(parsed, outer) === null) return;
  throw new BacktrailError('FIELD_INVALID', `No field follows the "|" after ${nameOf(path, outer)}.`, {
    hint: 'Name a field of the document in the string, as in /values|/image/tag, or omit the "|" for the whole string.',
  });
}

const isEnter = (step: Selector[number]) => 'enter' in step;

const nameOf = (path: string, selector: Selector) => `${quotePath(path)}#${formatSelector(selector)}`;

/** The string on the path to a field that does not exist, with a hint; null if there is none. */
export async function enclosingString(
  view: TreeView,
  { path, selector }: { readonly path: string; readonly selector: Selector },
): Promise<{ string: string; hint: string } | null> {
  const text = decode((await view.read(path)) ?? new Uint8Array());
  if (text === null) return null;
  try {
    const parsed = parseFileLoosely(path, text);
    for (let depth = selector.length - 1; depth > 0; depth -= 1) {
      const [outer, rest] = [selector.slice(0, depth), selector.slice(depth)];
      const found = locate(parsed, outer);
      if (found === null) continue;
      if (!isFilled(found) || rest.some(isEnter)) return null;
      return {
        string: nameOf(path, outer),
        hint: `If the string contains YAML or JSON, enter it with "|", as in ${nameOf(path, [...outer, ENTER, ...rest])}`,
      };
    }
  } catch (error) {
    if (refusalReason(error) === null) throw error;
  }
  return null;
}
