import type { ParsedText } from '../core/document.ts';
import { locate } from '../core/locate.ts';
import type { Outline } from '../core/outline.ts';
import { refuse } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import { canonicalSource } from '../core/source.ts';
import { placeOf } from '../core/text.ts';

interface Versions {
  readonly base: ParsedText;
  readonly target: ParsedText;
  readonly result: ParsedText;
}

/** Refuses where the field says something else only because of an anchor outside of it: no edit of the field mends that. */
export function guardAliases({ base, target, result }: Versions, selector: Selector): void {
  const then = outerAliases(target, selector);
  const isInside = within(base, selector);
  for (const [name, source] of outerAliases(result, selector)) {
    const old = then.get(name);
    if (!old || canonicalSource(target, old) === canonicalSource(result, source)) continue;
    // An anchor stands before its aliases, so that an edit behind it does not move it.
    const places = [...base.aliases]
      .filter(([alias, { start }]) => start === source.start && !isInside(alias.range?.[0] ?? 0))
      .map(([alias]) => placeOf(base.text, alias.range?.[0] ?? 0));
    const more = places.length > 3 ? ` and ${places.length - 3} more places` : '';
    const others =
      places.length === 0 ? '' : `, which is repeated at ${places.slice(0, 3).join(' and ')}${more} too`;
    refuse(
      'alias',
      `What changed is not the field but the anchor &${name} (${placeOf(base.text, source.start)}) that *${name} in it stands for${others}.`,
      'Restore the field that carries the anchor, or the whole file with --whole-file, for all that repeat it; or write the value by hand in place of the alias.',
    );
  }
}

/** What the aliases in a field stand for, where that is outside of it; by name. */
function outerAliases(parsed: ParsedText, selector: Selector): Map<string, Outline> {
  const isInside = within(parsed, selector);
  const found = new Map<string, Outline>();
  for (const [alias, source] of parsed.aliases)
    if (isInside(alias.range?.[0] ?? 0) && !isInside(source.start)) found.set(source.anchor ?? '', source);
  return found;
}

/** Does an offset lie in the field? */
function within(parsed: ParsedText, selector: Selector): (at: number) => boolean {
  const found = locate(parsed, selector);
  return (at) => found !== null && at >= found.start && at < found.end;
}
