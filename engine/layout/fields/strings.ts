/** Fields that lead into a string, where the document stands that is meant. */
import { BacktrailError, quotePath, type TreeView } from '../../model/index.ts';
import type { ParsedText } from '../../yaml/core/document.ts';
import { locate } from '../../yaml/core/locate.ts';
import { parseFileLoosely } from '../../yaml/core/parse-file.ts';
import { refusalReason } from '../../yaml/core/refusal.ts';
import { ENTER, formatSelector, type Selector } from '../../yaml/core/selector.ts';
import { isFilled } from '../../yaml/formats/strings.ts';
import { decode } from '../../yaml/core/text.ts';

/** A way that leads into a string and does not say so: what is meant is in the document that the string holds. */
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
        `${nameOf(path, outer)} is a string, and ${formatSelector(rest)} is a field of the document that this string holds.`,
        { hint: `Go on after the string with "|": ${nameOf(path, inside)}` },
      );
    }
  } catch (error) {
    if (refusalReason(error) === null) throw error;
  }
}

/** `values|` with nothing behind it. */
function guardOpenEnd(path: string, parsed: ParsedText, selector: Selector): void {
  const last = selector.at(-1);
  if (!last || !('key' in last) || !last.key.endsWith('|') || locate(parsed, selector) !== null) return;
  const outer = [...selector.slice(0, -1), { key: last.key.slice(0, -1) }];
  if (locate(parsed, outer) === null) return;
  throw new BacktrailError('FIELD_INVALID', `No field follows the "|" behind ${nameOf(path, outer)}.`, {
    hint: 'Name a field of the document that the string holds, as in /values|/image/tag, or leave the "|" out for the whole string.',
  });
}

const isEnter = (step: Selector[number]) => 'enter' in step;

const nameOf = (path: string, selector: Selector) => `${quotePath(path)}#${formatSelector(selector)}`;

/** Says which string, if any, the way to a field that is not there leads into; for a message that such a field has never been there. */
export async function stringOnTheWay(
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
        hint: `Where the string holds YAML or JSON, go on after it with "|", as in ${nameOf(path, [...outer, ENTER, ...rest])}`,
      };
    }
  } catch (error) {
    if (refusalReason(error) === null) throw error;
  }
  return null;
}
