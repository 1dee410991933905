/** `show` of the configuration: values that may be read although they look like secrets. */
import { isNode } from 'yaml';
import type { ParsedText } from '../core/document.ts';
import type { Secrets } from './find-secrets.ts';
import { locate } from '../core/locate.ts';
import { refusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';

/**
 * What may be a Secret, or lead to its data: a kind of that name in any spelling, one that stands elsewhere (an alias, a merge, a block, the next
 * line) or is written with escapes. Nothing of such a text is ever lifted.
 */
const MAY_BE_SECRET =
  /kind["']?\s{0,99}[:=]\s{0,99}(?:[!&]\S{0,99}\s{1,9}){0,2}(?:["']?\w{0,99}Secret|[*|>]|"[^"\n]{0,99}\\)|<<["']?\s{0,99}:|(?:^|\n)\s{0,99}\? |\\[ux]/i;

/** The secrets that stay masked: all but those that stand wholly in one of the selected places. */
export function lift(secrets: Secrets, parsed: ParsedText, shown: readonly Selector[]): Secrets {
  if (shown.length === 0 || MAY_BE_SECRET.test(parsed.text)) return secrets;
  const ranges = shown.flatMap((selector) => rangeOf(parsed, selector));
  if (ranges.length === 0) return secrets;
  const isShown = (start: number, end: number) =>
    ranges.some((range) => range.start <= start && end <= range.end);
  const stays = (node: unknown) => !(isNode(node) && node.range && isShown(node.range[0], node.range[1]));
  return {
    spans: secrets.spans.filter(({ start, end }) => !isShown(start, end)),
    nodes: new Set([...secrets.nodes].filter(stays)),
    masked: new Set([...secrets.masked].filter(stays)),
  };
}

/** None where the place is not certain, or lies within a string: the rest of the string would show too. */
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
