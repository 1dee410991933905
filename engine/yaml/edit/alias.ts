import type { ParsedText } from '../core/document.ts';
import { locate } from '../core/locate.ts';
import type { Outline } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import { canonicalSource } from '../core/source.ts';
import { positionOf } from '../core/text.ts';

interface ParsedVersions {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly result: ParsedText;
}

/** Refuses if the field changed only through an anchor outside of it: no edit of the field can restore that. */
export function guardAliases({ base, target, result }: ParsedVersions, selector: Selector): void {
  const then = outerAliases(target, selector);
  const isInside = within(base, selector);
  for (const [name, source] of outerAliases(result, selector)) {
    const old = then.get(name);
    if (!old || canonicalSource(target, old) === canonicalSource(result, source)) continue;
    // An anchor precedes its aliases, so that an edit after it does not move it.
    const places = [...base.aliases]
      .filter(([alias, { start }]) => start === source.start && !isInside(alias.range?.[0] ?? 0))
      .map(([alias]) => positionOf(base.text, alias.range?.[0] ?? 0));
    const more = places.length > 3 ? ` and ${places.length - 3} more places` : '';
    const others =
      places.length === 0 ? '' : `, and it is also used at ${places.slice(0, 3).join(' and ')}${more}`;
    refuse(
      'alias',
      `The field itself did not change; the anchor &${name} (${positionOf(base.text, source.start)}) that its alias *${name} refers to did${others}.`,
      'Restore the field that has the anchor, or the whole file with --whole-file, for all uses; or write the value by hand in place of the alias.',
    );
  }
}

/** The nodes outside the field that its aliases refer to, by name. */
function outerAliases(parsed: ParsedText, selector: Selector): Map<string, Outline> {
  const isInside = within(parsed, selector);
  const found = new Map<string, Outline>();
  for (const [alias, source] of parsed.aliases)
    if (isInside(alias.range?.[0] ?? 0) && !isInside(source.start)) found.set(source.anchor ?? '', source);
  return found;
}

/** Whether an offset is inside the field. */
function within(parsed: ParsedText, selector: Selector): (at: number) => boolean {
  const found = locate(parsed, selector);
  return (at) => found !== null && at >= found.start && at < found.end;
}
