/** `show` of the configuration: selectors whose values are not masked. */
import { isNode } from 'yaml';
import type { ParsedText } from '../core/document.ts';
import type { Secrets } from './find-secrets.ts';
import { locate } from '../core/locate.ts';
import { refusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';

/**
 * Matches a text that may contain a Secret, or lead to its data: a kind of that name in any spelling, or one that cannot be read here (an
 * alias, a merge, a block, the next line, escapes). Nothing in such a text is unmasked.
 */
const MAY_BE_SECRET =
  /kind["']?\s{0,99}[:=]\s{0,99}(?:[!&]\S{0,99}\s{1,9}){0,2}(?:["']?\w{0,99}Secret|[*|>]|"[^"\n]{0,99}\\)|<<["']?\s{0,99}:|(?:^|\n)\s{0,99}\? |\\[ux]/i;

/** Removes from `secrets` those that lie entirely within one of the `unmasked` selectors. */
export function unmaskSelected(secrets: Secrets, parsed: ParsedText, unmasked: readonly Selector[]): Secrets {
  if (unmasked.length === 0 || MAY_BE_SECRET.test(parsed.text)) return secrets;
  const ranges = unmasked.flatMap((selector) => rangeOf(parsed, selector));
  if (ranges.length === 0) return secrets;
  const isUnmasked = (start: number, end: number) =>
    ranges.some((range) => range.start <= start && end <= range.end);
  const stays = (node: unknown) => !(isNode(node) && node.range && isUnmasked(node.range[0], node.range[1]));
  return {
    spans: secrets.spans.filter(({ start, end }) => !isUnmasked(start, end)),
    nodes: new Set([...secrets.nodes].filter(stays)),
    masked: new Set([...secrets.masked].filter(stays)),
  };
}

/** Empty if the selector is ambiguous or enters a string: the rest of the string would be unmasked too. */
function rangeOf(parsed: ParsedText, selector: Selector): { start: number; end: number }[] {
  if (selector.some((step) => 'enter' in step)) return [];
  try {
    const found = locate(parsed, selector);
    return found === null
      ? []
      : [{ start: found.start, end: Math.max(found.end, found.node?.range?.[2] ?? 0) }];
  } catch (error) {
    if (refusalReason(error) === null) throw error;
    return [];
  }
}
